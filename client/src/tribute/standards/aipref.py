"""Read and write AIPREF usage preferences; where in robots.txt they stand is ``robots``'s business.

Sources: draft-ietf-aipref-vocab-07 (words, combination, processing) and draft-ietf-aipref-attach-05
(the ``Content-Usage`` field). The words changed with nearly every draft and a field does not say
which it means, so the words used tell: each statement keeps the vocabulary it was read in. What
cannot be parsed is unknown (vocab-07, section 6.5), and never a permission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tribute.standards.crosswalk import saying, words_of
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, limited
from tribute.standards.structured_fields import NotADictionary, Token, parse_dictionary
from tribute.vocabulary import Decision, Purpose

FIELD = "Content-Usage"
CURRENT_VOCABULARY = "draft-ietf-aipref-vocab-07"
_PREFERENCES = {"y": Decision.ALLOW, "n": Decision.DENY}


@dataclass(frozen=True, slots=True)
class Category:
    """One category of use of one draft: its label, what it lies in, and what is stated by it."""

    label: str
    within: str | None
    purposes: tuple[Purpose, ...]


_SEARCH = (Purpose.SEARCH,)
_TRAIN_OTHER = (Purpose.TRAIN_OTHER,)
# Where categories are nested, an outer one also speaks for the inner ones that are not stated
# (vocab-01 to -04, section 5); "purposes" are therefore only those that no inner category has.
VOCABULARIES: Mapping[str, tuple[Category, ...]] = {
    "draft-ietf-aipref-vocab-01": (
        Category("tdm", None, (Purpose.DATA_MINING,)),
        Category("ai", "tdm", _TRAIN_OTHER),
        Category("genai", "ai", (Purpose.TRAIN_AI,)),
        Category("search", "tdm", _SEARCH),
        Category("inference", "tdm", (Purpose.AI_INPUT,)),
    ),
    "draft-ietf-aipref-vocab-02": (
        Category("all", None, (Purpose.DATA_MINING,)),
        Category("train-ai", "all", _TRAIN_OTHER),
        Category("train-genai", "train-ai", (Purpose.TRAIN_AI,)),
        Category("ai-use", "all", (Purpose.AI_INPUT,)),
        Category("search", "all", _SEARCH),
    ),
    "draft-ietf-aipref-vocab-03": (
        Category("bots", None, (Purpose.DATA_MINING, Purpose.AI_INPUT)),
        Category("train-ai", "bots", _TRAIN_OTHER),
        Category("train-genai", "train-ai", (Purpose.TRAIN_AI,)),
        Category("search", "bots", _SEARCH),
    ),
    "draft-ietf-aipref-vocab-04": (
        Category("bots", None, (Purpose.DATA_MINING, Purpose.TRAIN_OTHER)),
        Category("train-ai", "bots", (Purpose.TRAIN_AI,)),
        Category("ai-output", "bots", (Purpose.AI_INPUT,)),
        Category("search", "ai-output", _SEARCH),
    ),
    CURRENT_VOCABULARY: tuple(
        Category(word.token, None, word.permits) for word in words_of(Standard.AIPREF).values()
    ),
}
# The words that tell a draft from the others; the first that matches is meant.
_TELLING = (
    ("draft-ietf-aipref-vocab-04", {"ai-output"}),
    ("draft-ietf-aipref-vocab-02", {"ai-use", "all"}),
    ("draft-ietf-aipref-vocab-03", {"bots", "train-genai"}),
    ("draft-ietf-aipref-vocab-01", {"tdm", "ai", "genai", "inference"}),
)


def parse(preference: bytes, *, source: str, scope: str = "", raw: str | None = None) -> Parsed:
    """Read one statement of preference (vocab-07, section 6.5).

    preference: octets of the Dictionary; scope: the path pattern it was given for.
    raw: the line to keep as evidence, by default the preference itself.
    """
    try:
        members = parse_dictionary(preference)
    except NotADictionary as error:
        message = f"the preference is no Structured Fields Dictionary: {error}"
        return Parsed(problems=(Problem(source, "aipref_unparsable", message),))
    vocabulary = vocabulary_of(members)
    evidence = cut(preference.decode("ascii", "replace") if raw is None else raw)
    stated = _stated(VOCABULARIES[vocabulary], members) | _refused_elsewhere(vocabulary, members)
    return Parsed(
        statements=tuple(
            Statement(purpose, decision, source, Standard.AIPREF, vocabulary, evidence, scope)
            for purpose, decision in stated.items()
        ),
        problems=limited(_problems(members, vocabulary, source), source),
    )


def parse_header(values: Sequence[str], *, source: str = "header:content-usage") -> Parsed:
    """Read the ``Content-Usage`` field of one message, whose lines form one Dictionary.

    RFC 9651, section 4.2, joins the lines with commas; attach-05, section 2, names the field.
    """
    if not values:
        return Parsed()
    return parse(", ".join(values).encode("utf-8", "surrogatepass"), source=source)


def write(decisions: Mapping[Purpose, Decision]) -> str:
    """Write a statement of preference in the current vocabulary; "" when it can say nothing.

    A licence is written as ``n``: those who hold one need no preference (vocab-07, section 5.2).
    """
    said = {word.token: saying(word, decisions) for word in words_of(Standard.AIPREF).values()}
    return ", ".join(
        f"{token}={'y' if decision == Decision.ALLOW else 'n'}"
        for token, decision in said.items()
        if decision != Decision.UNKNOWN
    )


def vocabulary_of(members: Mapping[str, Token | None]) -> str:
    """Return the draft whose words these are; the current one unless older words give it away."""
    for vocabulary, telling in _TELLING:
        if telling & members.keys():
            return vocabulary
    return CURRENT_VOCABULARY


def _stated(
    categories: Sequence[Category], members: Mapping[str, Token | None]
) -> dict[Purpose, Decision]:
    by_label: dict[str, Decision] = {}
    stated = {}
    for category in categories:  # outer categories come first
        own = _preference(members.get(category.label))
        if own is None and category.within is not None:
            own = by_label.get(category.within)
            if own == Decision.ALLOW and category.label in members:
                own = None  # something was said here that cannot be read
        if own is None:
            continue
        by_label[category.label] = own
        stated.update(dict.fromkeys(category.purposes, own))
    return stated


def _refused_elsewhere(chosen: str, members: Mapping[str, Token | None]) -> dict[Purpose, Decision]:
    """Return what is refused in the words of drafts other than the chosen one.

    Whoever mixes the words of several drafts still means each refusal.
    """
    ours = {category.label for category in VOCABULARIES[chosen]}
    refused: dict[Purpose, Decision] = {}
    for categories in VOCABULARIES.values():
        foreign = {category.label for category in categories} - ours
        if any(_preference(members.get(label)) == Decision.DENY for label in foreign):
            stated = _stated(categories, members)
            refused |= {p: d for p, d in stated.items() if d == Decision.DENY}
    return refused


def _preference(value: Token | None) -> Decision | None:
    return None if value is None else _PREFERENCES.get(value.text)


def _problems(members: Mapping[str, Token | None], vocabulary: str, source: str) -> list[Problem]:
    known = {category.label for category in VOCABULARIES[vocabulary]}
    problems = [
        Problem(source, "aipref_unknown_label", f"{label!r} is not a word of {vocabulary}")
        for label in members
        if label not in known
    ]
    problems += [
        Problem(source, "aipref_no_preference", f"{label!r} is neither y nor n: unknown")
        for label in members
        if label in known and _preference(members[label]) is None
    ]
    return problems

"""Own the table that maps every standard's words to the five purposes; read no documents.

Words seldom coincide, so each has two readings. A refusal covers every purpose the word *touches*;
a permission covers only the purposes that lie wholly *inside* it. ``permits`` is therefore always
part of ``restricts``, and no mapping can loosen what somebody wrote. ``docs/standards.md`` shows the
same table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tribute.standards.statement import Standard, strictest_of
from tribute.vocabulary import Decision, Purpose

CROSSWALK_VERSION = "crosswalk/1"

_TRAIN_AI, _TRAIN_OTHER = Purpose.TRAIN_AI, Purpose.TRAIN_OTHER
_AI_INPUT, _SEARCH, _MINING = Purpose.AI_INPUT, Purpose.SEARCH, Purpose.DATA_MINING
_TRAINING = (_TRAIN_AI, _TRAIN_OTHER)
_EVERYTHING = tuple(Purpose)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of one standard.

    restricts: purposes a refusal of it covers; permits: purposes a permission of it covers.
    """

    standard: Standard
    token: str
    restricts: tuple[Purpose, ...]
    permits: tuple[Purpose, ...]

    def covers(self, decision: Decision) -> tuple[Purpose, ...]:
        """Return the purposes about which the word, with this decision, says something."""
        return self.permits if decision == Decision.ALLOW else self.restricts


def _word(
    standard: Standard,
    token: str,
    restricts: tuple[Purpose, ...],
    permits: tuple[Purpose, ...] | None = None,
) -> Word:
    return Word(standard, token, restricts, restricts if permits is None else permits)


CROSSWALK: tuple[Word, ...] = (
    _word(Standard.AIPREF, "train-ai", (_TRAIN_AI,)),
    _word(Standard.AIPREF, "search", (_SEARCH,)),
    _word(Standard.CONTENT_SIGNAL, "ai-train", _TRAINING),
    _word(Standard.CONTENT_SIGNAL, "ai-input", (_AI_INPUT,)),
    _word(Standard.CONTENT_SIGNAL, "search", (_SEARCH,)),
    _word(Standard.RSL, "ai-train", _TRAINING),
    _word(Standard.RSL, "ai-input", (_AI_INPUT,)),
    # An index for AI answers serves ai-input without being it.
    _word(Standard.RSL, "ai-index", (_AI_INPUT,), ()),
    _word(Standard.RSL, "search", (_SEARCH,)),
    _word(Standard.RSL, "ai-all", (*_TRAINING, _AI_INPUT)),
    _word(Standard.RSL, "all", _EVERYTHING),
    # Mining "to generate information" includes training (Regulation (EU) 2024/1689, article
    # 53(1)(c)); whether it includes retrieval is disputed, and showing a link is not mining.
    _word(
        Standard.TDMREP,
        "tdm-reservation",
        (*_TRAINING, _AI_INPUT, _MINING),
        (*_TRAINING, _MINING),
    ),
    _word(Standard.AI_TXT, "path", (*_TRAINING, _MINING), _TRAINING),
    _word(Standard.X_ROBOTS, "noai", _TRAINING, ()),
    _word(Standard.X_ROBOTS, "noimageai", _TRAINING, ()),
    _word(Standard.X_ROBOTS, "noml", (*_TRAINING, _MINING), ()),
    _word(Standard.X_ROBOTS, "noindex", (_SEARCH,), ()),
    _word(Standard.X_ROBOTS, "noimageindex", (_SEARCH,), ()),
    _word(Standard.X_ROBOTS, "none", (_SEARCH,), ()),
    _word(Standard.C2PA, "ai_generative_training", (_TRAIN_AI,)),
    _word(Standard.C2PA, "ai_training", (_TRAIN_OTHER,)),
    _word(Standard.C2PA, "ai_inference", (_AI_INPUT,)),
    _word(Standard.C2PA, "data_mining", (_MINING,)),
    _word(Standard.PLUS, "DMI-PROHIBITED-AIMLTRAINING", _TRAINING, ()),
    _word(Standard.PLUS, "DMI-PROHIBITED-GENAIMLTRAINING", (_TRAIN_AI,), ()),
    _word(
        Standard.PLUS,
        "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
        (*_TRAINING, _AI_INPUT, _MINING),
        (),
    ),
    _word(Standard.PLUS, "DMI-PROHIBITED", _EVERYTHING, ()),
    # One page says that "all" covers ai-use and search, another that they are independent.
    _word(Standard.TDM_AI, "all", _EVERYTHING, (*_TRAINING, _MINING)),
    _word(Standard.TDM_AI, "train-ai", _TRAINING),
    _word(Standard.TDM_AI, "train-genai", (_TRAIN_AI,)),
    _word(Standard.TDM_AI, "ai-use", (_AI_INPUT,)),
    _word(Standard.TDM_AI, "search", (_SEARCH,)),
)

_BY_STANDARD: Mapping[Standard, Mapping[str, Word]] = MappingProxyType(
    {
        standard: MappingProxyType({w.token: w for w in CROSSWALK if w.standard == standard})
        for standard in Standard
    }
)


def words_of(standard: Standard) -> Mapping[str, Word]:
    """Return a standard's words by token."""
    return _BY_STANDARD[standard]


def saying(word: Word, decisions: Mapping[Purpose, Decision]) -> Decision:
    """Return what a writer may say with one word, so that nobody's will is loosened.

    The most restrictive wish among the purposes the word touches is said; ``allow`` only when every
    purpose it would permit is allowed; ``unknown`` means to leave the word out.
    """
    strictest = strictest_of(decisions.get(p, Decision.UNKNOWN) for p in word.restricts)
    if strictest != Decision.ALLOW:
        return strictest
    permitted = bool(word.permits) and all(decisions.get(p) == Decision.ALLOW for p in word.permits)
    return Decision.ALLOW if permitted else Decision.UNKNOWN


def as_markdown() -> str:
    """Return the table as it stands in the documentation."""
    lines = ["| standard | word | a refusal covers | a permission covers |", "|---|---|---|---|"]
    lines += [
        f"| {w.standard} | `{w.token}` | {', '.join(w.restricts)} | {', '.join(w.permits) or '–'} |"
        for w in CROSSWALK
    ]
    return "\n".join(lines) + "\n"

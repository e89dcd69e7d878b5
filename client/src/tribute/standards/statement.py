"""Own what every parser returns, and how several such answers combine at one location.

A statement says what one source, read by its own standard's rules, says about one purpose. The
parsers apply the rules inside a source; this module applies those between sources: inside a
standard a higher layer replaces a lower one, and what is left combines to the most restrictive,
first within each standard and then across them. Whether a location's word counts beside a
creator's is ``tribute.verdict``'s to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tribute import verdict
from tribute.vocabulary import Decision, Purpose

_STRICTNESS = {Decision.ALLOW: 1, Decision.LICENSE: 2, Decision.DENY: 3}
_LONGEST_RAW = 500
_MOST_PROBLEMS = 50
# Problems that leave something unread, so that a refusal may stand there.
HIDING_CODES = frozenset(
    {
        "ai_txt_truncated",
        "aipref_unparsable",
        "c2pa_invalid",
        "c2pa_unreadable",
        "epub_unreadable",
        "not_fetched",
        "page_incomplete",
        "pdf_too_large",
        "plus_unknown_value",
        "plus_unreadable",
        "robots_truncated",
        "rsl_bad_url",
        "rsl_unreadable",
        "tdm_ai_unreadable",
        "tdmrep_bad_location",
        "tdmrep_unreadable",
        "xmp_unreadable",
    }
)


class Standard(StrEnum):
    """The standards and conventions that can be read here.

    - ``robots``: RFC 9309 groups that name an AI crawler.
    - ``aipref``: IETF AIPREF, ``Content-Usage`` in headers and in robots.txt.
    - ``content-signal``: Cloudflare's ``Content-Signal`` in robots.txt.
    - ``rsl``: Really Simple Licensing 1.0.
    - ``tdmrep``: W3C TDM Reservation Protocol.
    - ``ai-txt``: Spawning's ``/ai.txt``.
    - ``x-robots``: ``noai`` and its relatives in headers and meta elements.
    - ``c2pa``: the training-mining assertion of CAWG 1.1 and of C2PA 1.x.
    - ``plus``: the Data Mining property of PLUS and IPTC in XMP.
    - ``tdm-ai``: TDM·AI declarations bound to an ISCC.
    """

    ROBOTS = "robots"
    AIPREF = "aipref"
    CONTENT_SIGNAL = "content-signal"
    RSL = "rsl"
    TDMREP = "tdmrep"
    AI_TXT = "ai-txt"
    X_ROBOTS = "x-robots"
    C2PA = "c2pa"
    PLUS = "plus"
    TDM_AI = "tdm-ai"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says about one purpose.

    decision: allow, deny or license; what is unknown is not stated.
    source: where it was read, as ``robots.txt:14`` (file and line) or ``header:content-usage``.
    vocabulary: the version of the standard's words it was read in.
    raw: the line as found, cut to 500 characters: the evidence.
    scope: the pattern or address it was made for; "" is the item that carried it.
    terms_uri: where the conditions are, if the source says so.
    params: what else the source says about it, as name and value.
    layer: inside one standard, statements of a higher layer replace those of lower ones.
    """

    purpose: Purpose
    decision: Decision
    source: str
    standard: Standard
    vocabulary: str
    raw: str
    scope: str = ""
    terms_uri: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    layer: int = 0

    def __post_init__(self) -> None:
        if self.decision == Decision.UNKNOWN:
            raise ValueError("what is unknown is not stated")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a parser could not read, or read and could not use.

    code: stable; message: one English sentence for people.
    """

    source: str
    code: str
    message: str

    @property
    def hides(self) -> bool:
        """Whether something was left unread, so that a refusal may stand there."""
        return self.code in HIDING_CODES


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything one source said, and everything that was wrong with it."""

    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: "Parsed") -> "Parsed":
        return Parsed(self.statements + other.statements, self.problems + other.problems)

    def without_permissions(self) -> "Parsed":
        """Return the same with every ``allow`` left out."""
        kept = tuple(s for s in self.statements if s.decision != Decision.ALLOW)
        return Parsed(kept, self.problems)

    @property
    def decisions(self) -> dict[Purpose, Decision]:
        """The combined decision for each purpose that was spoken of."""
        combined = combine(self.statements)
        return {p: c.decision for p, c in combined.items() if c.decision != Decision.UNKNOWN}


def joined(parts: Iterable[Parsed]) -> Parsed:
    """Put any number of answers together, in time proportional to what they hold."""
    statements: list[Statement] = []
    problems: list[Problem] = []
    for part in parts:
        statements += part.statements
        problems += part.problems
    return Parsed(tuple(statements), tuple(problems))


@dataclass(frozen=True, slots=True)
class Combined:
    """One purpose's decision at one location, and the statements that carried it."""

    decision: Decision
    deciding: tuple[Statement, ...] = ()


def combine(statements: Iterable[Statement]) -> dict[Purpose, Combined]:
    """Combine what was found for one item into one decision for each purpose.

    Within a standard the highest layer speaks, and inside it the most restrictive answer wins
    (AIPREF vocab-07, section 5.1, says the same); across standards the most restrictive wins again.
    A purpose nobody spoke of is ``unknown``.
    """
    speaking = current(statements)
    combined = {}
    for purpose in Purpose:
        about = [s for s in speaking if s.purpose == purpose]
        strictest = strictest_of(s.decision for s in about)
        deciding = tuple(s for s in about if s.decision == strictest)
        combined[purpose] = Combined(strictest, deciding)
    return combined


def cautious(parsed: Parsed) -> dict[Purpose, Combined]:
    """Combine like ``combine``, but permit nothing while something found could not be read."""
    combined = combine(parsed.statements)
    if not any(problem.hides for problem in parsed.problems):
        return combined
    return {
        purpose: Combined(Decision.UNKNOWN, found.deciding)
        if found.decision == Decision.ALLOW
        else found
        for purpose, found in combined.items()
    }


def current(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return the statements that no higher layer of their own standard replaces, in order."""
    found = tuple(statements)
    highest: dict[Standard, int] = {}
    for s in found:
        highest[s.standard] = max(s.layer, highest.get(s.standard, s.layer))
    return tuple(s for s in found if s.layer == highest[s.standard])


def strictest_of(decisions: Iterable[Decision]) -> Decision:
    """Return the most restrictive of the decisions; ``unknown`` when none says anything."""
    return max(decisions, key=lambda d: _STRICTNESS.get(d, 0), default=Decision.UNKNOWN)


def at_location(
    statements: Iterable[Statement],
    *,
    location: str,
    claimant: str,
    at: datetime,
    proven: Mapping[Standard, bool] | bool,
) -> tuple[verdict.Statement, ...]:
    """Turn what was found at a location into statements of the verdict's lowest tier.

    location: id or canonical address they were found at; claimant: who controls it.
    at: when they were read; a preference has no retroactive effect (AIPREF attach-05, section 3.3).
    proven: whether whoever published them controls the location, for all or by standard; one left
        out is not proven. Files and headers served by the location itself are; a C2PA assertion is
        when its signer is trusted.

    An unproven licence is passed on as the deny that it is for everybody without one, since a
    refusal needs no proof. Raises ValueError when ``at`` is naive.
    """
    trusted = proven if isinstance(proven, Mapping) else dict.fromkeys(Standard, proven)
    return tuple(
        verdict.Statement(
            id=f"{s.standard}:{s.source}#{index}",
            subject=location,
            tier=verdict.Tier.LOCATION,
            specificity=0,
            claimant=claimant,
            purpose=s.purpose,
            decision=_claimed(s.decision, trusted.get(s.standard) is True),
            effective_from=at,
            sequence=0,
            proven=trusted.get(s.standard) is True,
            terms=s.terms_uri,
        )
        for index, s in enumerate(current(statements))
    )


def limited(problems: Sequence[Problem], source: str) -> tuple[Problem, ...]:
    """Keep the problems that hide something and the first 50 of the others, and count the rest."""
    others = [problem for problem in problems if not problem.hides]
    if len(others) <= _MOST_PROBLEMS:
        return tuple(problems)
    rest = len(others) - _MOST_PROBLEMS
    hiding = [problem for problem in problems if problem.hides][:_MOST_PROBLEMS]
    more = Problem(source, "more_problems", f"{rest} more of the kind")
    return (*hiding, *others[:_MOST_PROBLEMS], more)


def cut(raw: str) -> str:
    """Shorten a line of evidence to what is worth keeping."""
    return raw if len(raw) <= _LONGEST_RAW else raw[: _LONGEST_RAW - 1] + "…"


def _claimed(decision: Decision, proven: bool) -> Decision:  # noqa: FBT001 - a fact beside what it qualifies
    return Decision.DENY if decision == Decision.LICENSE and not proven else decision

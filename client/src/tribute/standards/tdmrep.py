"""Read and write W3C TDMRep: the file on the server and the header; embedded forms are elsewhere.

Source: TDM Reservation Protocol, W3C Community Group Final Report (sections "Declaring the
reservation of TDM Rights", "Protocol" and "Processing priority"). Any value but 0 and 1 leaves the
reservation unset. The file gives way to the header and the header to what the content carries;
absence never resets. ``tdmrep_embedded`` finds the reservations inside HTML, EPUB and PDF.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tribute.standards import safe_json
from tribute.standards.crosswalk import saying, words_of
from tribute.standards.patterns import matches, path_of
from tribute.standards.policy import Policy, Written, written
from tribute.standards.safe_json import UnsafeJson
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, limited
from tribute.vocabulary import Decision

VERSION = "tdmrep/2024"
FILE = "/.well-known/tdmrep.json"
FILE_LAYER, HEADER_LAYER, EMBEDDED_LAYER = 0, 1, 2
_WORD = words_of(Standard.TDMREP)["tdm-reservation"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one place says: 0 or 1 (None: unset), and where its policy is.

    layer: its place in the processing priority; higher supersedes.
    """

    value: int | None
    policy: str | None
    source: str
    raw: str
    scope: str = ""
    layer: int = FILE_LAYER


@dataclass(frozen=True, slots=True)
class Rules:
    """A ``tdmrep.json`` as read: its rules in the order of the file."""

    rules: tuple[Reservation, ...] = ()
    problems: tuple[Problem, ...] = ()

    def at(self, url: str) -> Reservation | None:
        """Return the rule for an address or path: the first in the file that matches it.

        "The most specific match is the first in sequence", unlike robots.txt.
        """
        path = path_of(url)
        if path is None:
            return None
        return next((r for r in self.rules if matches(r.scope, path)), None)


def parse(data: bytes, *, source: str = "tdmrep.json") -> Rules:
    """Read the octets of a ``tdmrep.json``, an array of rules.

    A rule without a location that can be read applies nowhere, and one whose value is not 0 or 1 is
    kept, since it still comes first for its location and leaves it unset.
    """
    try:
        entries = safe_json.parse(data)
    except UnsafeJson:
        return _unreadable(source, "the file is not JSON of at most 1 MiB")
    if not isinstance(entries, list):
        return _unreadable(source, "the file is not an array of rules")
    rules, problems = [], []
    for index, entry in enumerate(entries):
        place = f"{source}[{index}]"
        location = entry.get("location") if isinstance(entry, dict) else None
        if not isinstance(location, str) or not location:
            problems.append(Problem(place, "tdmrep_no_location", "the rule has no location"))
            continue
        if not location.startswith(("/", "*")):
            message = f"{cut(location)!r} is no path pattern: the rule applies nowhere"
            problems.append(Problem(place, "tdmrep_bad_location", message))
            continue
        value = _file_value(entry.get("tdm-reservation"))
        if value is None:
            problems.append(_bad_value(place, entry.get("tdm-reservation")))
        policy = entry.get("tdm-policy")
        policy = policy if isinstance(policy, str) and policy else None
        rules.append(Reservation(value, policy, place, _evidence(entry), location))
    return Rules(tuple(rules), limited(problems, source))


def parse_header(headers: Mapping[str, Sequence[str]]) -> tuple[Reservation, tuple[Problem, ...]]:
    """Read ``tdm-reservation`` and ``tdm-policy`` from a response's header fields.

    headers: field values by lower-case name. Several fields that disagree count as reserved.
    """
    lines = headers.get("tdm-reservation", ())
    values = [value.strip() for line in lines for value in line.split(",")]
    policies = [value.strip() for value in headers.get("tdm-policy", ()) if value.strip()]
    raw = "; ".join(
        [f"tdm-reservation: {v}" for v in values] + [f"tdm-policy: {p}" for p in policies]
    )
    return read_texts(values, policies, source="header:tdm-reservation", raw=raw,
                      layer=HEADER_LAYER)  # fmt: skip


def read_texts(
    values: Sequence[str], policies: Sequence[str], *, source: str, raw: str, layer: int
) -> tuple[Reservation, tuple[Problem, ...]]:
    """Read reservations and policies that were written as text, in the order found."""
    read = {"0": 0, "1": 1}
    bad = [_bad_value(source, value) for value in values if value not in read]
    problems = limited(bad, source)
    value = max((read[value] for value in values if value in read), default=None)
    if problems and value == 0:
        value = None  # a 0 beside something unreadable is no clear 0
    policy = policies[0] if policies else None
    return Reservation(value, policy, source, cut(raw), layer=layer), problems


def supersede(reservations: Iterable[Reservation | None]) -> Reservation | None:
    """Apply the processing priority: value and policy each come from the highest layer that has one.

    Returns None when none has a value.
    """
    standing: Reservation | None = None
    policy: str | None = None
    for found in sorted((r for r in reservations if r is not None), key=lambda r: r.layer):
        policy = found.policy or policy
        if found.value is not None:
            standing = found
    return None if standing is None else replace(standing, policy=policy)


def statements_of(reservation: Reservation | None) -> Parsed:
    """Say what a reservation means for each purpose.

    1 reserves the rights; with a policy, those who accept its conditions may be licensed. 0 gives
    the mining of the content free, and a policy beside it is not processed.
    """
    if reservation is None or reservation.value is None:
        return Parsed()
    policy = reservation.policy if reservation.value == 1 else None
    decision = Decision.ALLOW if reservation.value == 0 else Decision.DENY
    if policy is not None:
        decision = Decision.LICENSE
    return Parsed(
        tuple(
            Statement(
                purpose, decision, reservation.source, Standard.TDMREP, VERSION,
                reservation.raw, reservation.scope, terms_uri=policy, layer=reservation.layer,
            )
            for purpose in _WORD.covers(decision)
        )
    )  # fmt: skip


def reserved_value(policy: Policy) -> tuple[int | None, str | None]:
    """Return the reservation and the policy address that a creator's decisions amount to.

    A policy address offers licences for every purpose at once, so it is left out when one of them
    is denied outright.
    """
    said = saying(_WORD, policy.decisions)
    if said == Decision.UNKNOWN:
        return None, None
    offered = policy.terms_uri if said == Decision.LICENSE else None
    return (0 if said == Decision.ALLOW else 1), offered


def write(policy: Policy) -> Written:
    """Write the ``tdmrep.json`` that says what this policy can say."""
    value, offered = reserved_value(policy)
    rules = []
    if value is not None:
        rule: dict[str, object] = {"location": policy.path, "tdm-reservation": value}
        rules.append(rule | ({} if offered is None else {"tdm-policy": offered}))
    text = json.dumps(rules, indent=2) + "\n"
    reread = statements_of(parse(text.encode()).at(policy.path))
    return written(policy, place=FILE, media_type="application/json", text=text, reread=reread)


def _file_value(value: object) -> int | None:
    """Accept the numbers 0 and 1; JSON's true is no number, and "1" no number either."""
    return value if type(value) is int and value in {0, 1} else None


def _evidence(entry: Mapping[str, object]) -> str:
    """Write a rule's own members again; what is nested is not evidence of anything."""
    shown = {
        name: entry[name]
        for name in ("location", "tdm-reservation", "tdm-policy")
        if isinstance(entry.get(name), str | int | float)
    }
    return cut(json.dumps(shown))


def _bad_value(source: str, value: object) -> Problem:
    shown = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    message = f"{cut(shown)} is neither 0 nor 1: the reservation is unset"
    return Problem(source, "tdmrep_bad_value", message)


def _unreadable(source: str, message: str) -> Rules:
    return Rules(problems=(Problem(source, "tdmrep_unreadable", message),))

"""Answers with blanks for names, so that the verdict is run once for each different case. Pure.

Most answers differ in the ids of statements alone. The verdict compares names and puts them in order, and
does nothing else with them; so a case whose names are replaced by numbers in the same order gets the
same answer with the names replaced. What names stand where is then filled in. How narrow a collection is
and which statement came later are only compared, too, and have their ranks in a case.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from registry import answers, kept_answers
from registry.answers import Question
from registry.decision_index import EPOCH, Row
from tribute.identifiers import Key
from tribute.snapshot.presence import KIND_OF_TAG
from tribute.snapshot.sayings import read_case
from tribute.snapshot.telling import Form
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind, Purpose

FORMS_REMEMBERED = 20_000
_BLANK = re.compile(rb"@(\d+)@")
_MOST_NAMES = 10**6

Found = Sequence[tuple[IdentifierKind, Row]]
# One row without names: kind, tier, specificity, subject, and its statements: claimant, purpose,
# decision, sequence, proven, id, terms, disputed, distance. Names, specificity and sequence are ranks.
Case = tuple[tuple[str, int, int, int, tuple[tuple[Any, ...], ...]], ...]


def body(found: Found, purposes: tuple[Purpose, ...], now: int) -> bytes:
    """Return the answer to what these rows say, for an asker without grants on any of it.

    found: rows with the kind of key that led to each, the closest key first; at least one.
    now: microseconds since 1970. As ``kept_answers.body_of`` writes it.
    """
    said = [
        [s for s in row.statements if s["from"] <= now and s["purpose"] in purposes]
        for _, row in found
    ]
    everything = [s for statements in said for s in statements]
    if len(found) == 1 and len(everything) == 1:
        return _of_one_statement(found[0], everything[0], purposes)
    names = sorted({s["id"] for s in everything})
    numbers = _numbered(names)
    subjects = _numbered(row.subject for _, row in found)
    claimants = _numbered(s["claimant"] for s in everything)
    terms = _numbered(s["terms"] or "" for s in everything)
    narrownesses = sorted(row.specificity for _, row in found)
    sequences = sorted(s["sequence"] for s in everything)
    case = tuple(
        (
            kind.value,
            int(row.tier),
            bisect_left(narrownesses, row.specificity),
            subjects[row.subject],
            tuple(
                (
                    claimants[s["claimant"]],
                    s["purpose"],
                    s["decision"],
                    bisect_left(sequences, s["sequence"]),
                    s["proven"],
                    numbers[s["id"]],
                    terms[s["terms"] or ""],
                    s["disputed"],
                    s.get("distance"),
                )
                for s in statements
            ),
        )
        for (kind, row), statements in zip(found, said, strict=True)
    )
    return _filled(*_form(case, purposes), names)


def _of_one_statement(
    place: tuple[IdentifierKind, Row], s: Mapping[str, Any], purposes: tuple[Purpose, ...]
) -> bytes:
    """Do the same for the usual case, in which every name is the first of its sort."""
    kind, row = place
    case = (0, s["purpose"], s["decision"], 0, s["proven"], 0, 0, s["disputed"],
            s.get("distance"))  # fmt: skip
    form = _form(((kind.value, int(row.tier), 0, 0, (case,)),), purposes)
    return _filled(*form, [s["id"]])


@lru_cache(maxsize=FORMS_REMEMBERED)
def form(case: bytes, purposes: tuple[Purpose, ...]) -> Form:
    """Return the answer to a case as the kernel writes it, with blanks for the ids of statements."""
    rows = tuple(
        (
            KIND_OF_TAG[row.tag].value,
            row.tier,
            row.narrowness,
            row.subject,
            tuple(
                (s.claimant, s.purpose, s.decision, s.sequence, s.proven, s.id, s.terms,
                 s.disputed, None)
                for s in row.sayings
            ),
        )
        for row in read_case(case)
    )  # fmt: skip
    return _form(rows, purposes)


def _filled(fixed: Sequence[bytes], blanks: Sequence[int], names: Sequence[str]) -> bytes:
    filled = [fixed[0]]
    for number, text in zip(blanks, fixed[1:], strict=True):
        filled += (names[number].encode(), text)
    return b"".join(filled)


def _numbered(names: Iterable[str]) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}


@lru_cache(maxsize=FORMS_REMEMBERED)
def _form(case: Case, purposes: tuple[Purpose, ...]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return an answer's fixed texts, and the numbers of the names between them."""
    keys, rows = [], {}
    for place, (kind, tier, specificity, subject, statements) in enumerate(case):
        key = Key(IdentifierKind(kind), "", place.to_bytes(4, "big"))
        said = [_statement(each) for each in statements]
        keys.append(key)
        rows[key.digest] = [Row(key.digest, _blank(subject), Tier(tier), specificity, said)]
    answered = answers.answer(
        Question("", tuple(keys)), rows, {}, purposes=purposes, asker=None, at=EPOCH
    )
    parts = _BLANK.split(kept_answers.body_of(answered.to_json()))
    return tuple(parts[::2]), tuple(int(number) % _MOST_NAMES for number in parts[1::2])


def _statement(case: tuple[Any, ...]) -> dict[str, Any]:
    claimant, purpose, decision, sequence, proven, number, terms, disputed, distance = case
    said = {
        "id": _blank(number),
        "claimant": _blank(claimant),
        "purpose": purpose,
        "decision": decision,
        "from": 0,
        "sequence": sequence,
        "proven": proven,
        "terms": _blank(terms),
        "disputed": disputed,
    }
    return said if distance is None else said | {"distance": distance}


def _blank(number: int) -> str:
    """Return a name that stands among the others as the number does."""
    return f"@{_MOST_NAMES + number}@"

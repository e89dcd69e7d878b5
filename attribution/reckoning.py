"""Tell step by step how a settled query's amounts came about, and hand out what they came from.

Owns the steps' figures and the downloadable record. An operator and an admin see every name; a
creator sees his own, and of the others only as many as the sums need, so that nobody's earnings
are another's to read. The pages own the words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from attribution import judging, recomputing, records
from attribution.errors import NotRecomputable
from attribution.explanation import Explanation, explain
from attribution.models import Contribution, Query
from attribution.recomputing import Row
from ledger.money import Money
from registry.manifests import allowed_works
from registry.models import Creator

FORMAT = "tribute-record/1"
PPM = 1_000_000

_NAMED = re.compile(rb'"(wrk|cre)_')


@dataclass(frozen=True, slots=True)
class Split:
    """One owner's part of one work: ``ppm`` of the work, and the ``amount`` it came to."""

    creator: str
    ppm: int
    amount: Money
    withheld: str
    escrow: str


@dataclass(frozen=True, slots=True)
class WeighedWork:
    """A work that has weight: ``share_ppm`` of the answer, and how its owners divide it."""

    work_id: str
    title: str
    words: int
    share_ppm: int
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a later correction changed for one owner of one work; the remainder has no names."""

    title: str
    creator: str
    amount: Money
    method: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A query's way from the manifest to the amounts.

    eligible: works of the manifest that were allowed when they were ingested. looked_at: how many
    of them, near-copies counted as one, the method found something for. weighed: how many got
    weight. works: those that the reader may see. corrected: what was changed later. recomputed: whether today's result is the same;
    None when it cannot be told, and ``why_not`` says why.
    """

    explanation: Explanation
    eligible: int
    looked_at: int
    weighed: int
    net: Money
    works: tuple[WeighedWork, ...]
    corrected: tuple[Corrected, ...]
    recomputed: bool | None
    why_not: str


def reckon(query: Query, *, creator: Creator | None = None) -> Reckoning:
    """Reckon a settled query again, for one ``creator`` or for its operator. Raises NotSettled."""
    explanation = explain(query, creator=creator)
    record: Mapping[str, Any] = {"inputs": {}, "owners": {}}
    if query.record is not None:
        record = records.form(bytes(query.record))
    rows = list(
        query.contributions.filter(work__isnull=False)
        .select_related("work", "creator")
        .order_by("-weight", "pk")
    )
    try:
        recomputed: bool | None = recomputing.recompute(query).same
        why_not = ""
    except NotRecomputable as error:
        recomputed, why_not = None, str(error)
    manifest = query.manifest
    return Reckoning(
        explanation=explanation,
        eligible=allowed_works(manifest).distinct().count() if manifest else 0,
        looked_at=len(_works_in(record["inputs"])),
        weighed=len({row.work_id for row in rows}),
        net=Money(query.fee_micros - explanation.platform_fee.micros, query.currency),
        works=_works(query, rows, record["owners"], creator=creator),
        corrected=_corrected(query, creator=creator),
        recomputed=recomputed,
        why_not=why_not,
    )


def record_of(query: Query, *, creator: Creator | None = None) -> dict[str, Any]:
    """Return everything a settled query was divided by, to be divided again by anyone.

    For one ``creator`` all works and creators are renamed in the order of their ids, which gives
    the same amounts; ``yours`` tells which are his. Raises NotSettled, NotRecomputable.
    """
    found = recomputing.recompute(query)
    assert query.record is not None, "what was recomputed has a record"
    record = records.form(bytes(query.record))
    paid = [list(row) for row in found.paid]
    yours: dict[str, str] = {}
    if creator is not None:
        names = _renaming(record, found.paid)
        record, paid = _renamed(record, names), [_renamed_row(row, names) for row in found.paid]
        own = {row[0] for row in found.paid if row[1] == creator.pk} | {creator.pk}
        yours = {names[name]: name for name in sorted(own) if name in names}
    return {
        "format": FORMAT,
        "query": query.pk,
        "fee_micros": query.fee_micros,
        "currency": query.currency,
        "method": query.method,
        "version": query.method_version,
        "parameters": query.parameters,
        "record": record,
        "paid": paid,
        "yours": yours,
    }


def again(document: Mapping[str, Any]) -> list[Row]:
    """Divide what ``record_of`` returned again; asks no database.

    Raises KeyError, TypeError or ValueError for what is no record, NotRecomputable for one of
    another version.
    """
    if document["format"] != FORMAT:
        raise ValueError(f"a record has the format {FORMAT}")
    if judging.VERSIONS.get(document["method"]) != document["version"]:
        raise NotRecomputable(f"it was weighed by {document['method']}/{document['version']}")
    fee = Money(document["fee_micros"], document["currency"])
    record = orjson.dumps(document["record"])
    return sorted(recomputing.divide(fee, document["method"], document["parameters"], record))


def _works(
    query: Query,
    rows: Iterable[Contribution],
    owners: Mapping[str, Any],
    *,
    creator: Creator | None,
) -> tuple[WeighedWork, ...]:
    by_work: dict[str, list[Contribution]] = {}
    for row in rows:
        by_work.setdefault(str(row.work_id), []).append(row)
    found = []
    for work_id, parts in by_work.items():
        shown = [part for part in parts if creator is None or part.creator_id == creator.pk]
        if not shown:
            continue
        work = parts[0].work
        assert work is not None, "only rows with a work were read"
        ppm_of = {owner[0]: owner[1] for owner in owners.get(work_id, ())}
        found.append(
            WeighedWork(
                work_id,
                work.title,
                parts[0].words,
                sum(part.weight for part in parts) * PPM // (query.weight or 1),
                tuple(_split(query, part, ppm_of) for part in shown),
            )
        )
    return tuple(found)


def _split(query: Query, part: Contribution, ppm_of: Mapping[str, int]) -> Split:
    assert part.creator is not None, "contribution_names_work_and_creator_or_neither"
    return Split(
        part.creator.display_name,
        ppm_of.get(part.creator.pk, 0),
        Money(part.micros, query.currency),
        part.withheld,
        part.escrow,
    )


def _corrected(query: Query, *, creator: Creator | None) -> tuple[Corrected, ...]:
    rows = query.adjustments.select_related("work", "creator", "result__run").order_by("pk")
    if creator is not None:
        rows = rows.filter(creator=creator)
    return tuple(
        Corrected(
            row.work.title if row.work else "",
            row.creator.display_name if row.creator else "",
            Money(row.micros + row.borne_micros, query.currency),
            f"{row.result.run.method}/{row.result.run.method_version}",
            row.result.run.reason,
        )
        for row in rows
    )


def _works_in(inputs: Mapping[str, Any]) -> set[str]:
    """Return every work that the method read something about."""
    found = {*inputs.get("candidates", ()), *inputs.get("works", ())}
    found |= {each[0] for _, _, alike in inputs.get("alike", ()) for each in alike}
    # Before outputs were compared passage by passage.
    found |= {each[0] for each in inputs.get("resemblances", ())}
    found |= {work for passage in inputs.get("passages", ()) for work in passage}
    return found | {work for _, work in inputs.get("of_works", ())}


def _renaming(record: Mapping[str, Any], paid: Iterable[Row]) -> dict[str, str]:
    """Give works and creators new names that sort as the old ones: ties are broken by name."""
    works = _works_in(record["inputs"]) | set(record["owners"])
    creators = {owner[0] for each in record["owners"].values() for owner in each}
    for work, creator, _ in record["carry"]:
        works.add(work)
        creators.add(creator)
    for row in paid:
        works.add(row[0])
        creators.add(row[1])
    names = {"": ""}
    for kind, of in (("work", works - {""}), ("creator", creators - {""})):
        names |= {old: f"{kind}-{number:05}" for number, old in enumerate(sorted(of), start=1)}
    return names


def _renamed(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    inputs = dict(record["inputs"])
    if "candidates" in inputs:
        inputs["candidates"] = {names[work]: at for work, at in inputs["candidates"].items()}
    if "works" in inputs:
        inputs["works"] = [names[work] for work in inputs["works"]]
    if "alike" in inputs:
        inputs["alike"] = [
            [first, words, [[names[each[0]], *each[1:]] for each in alike]]
            for first, words, alike in inputs["alike"]
        ]
    if "passages" in inputs:
        inputs["passages"] = [
            {names[work]: value for work, value in passage.items()}
            for passage in inputs["passages"]
        ]
    if "of_works" in inputs:
        inputs["of_works"] = [[row, names[work]] for row, work in inputs["of_works"]]
    renamed = {
        "inputs": inputs,
        "owners": {
            names[work]: [[names[owner[0]], *owner[1:]] for owner in each]
            for work, each in record["owners"].items()
        },
        "carry": [[names[work], names[who], parts] for work, who, parts in record["carry"]],
    }
    left = _NAMED.search(orjson.dumps(renamed))
    assert left is None, "a record for one creator names nobody else"
    return renamed


def _renamed_row(row: Row, names: Mapping[str, str]) -> list[Any]:
    return [names[row[0]], names[row[1]], *row[2:]]

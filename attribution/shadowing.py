"""Run a method again over past queries, and keep what it would change; nothing is booked here.

Owns shadow runs until they are ready. Each query is weighed from its kept evidence against the
manifest it was settled with, its works' owners are those of its settlement's time, the fee, the
platform's part and what rounding owed are the same as then. So a difference is the method's, or
that of the texts indexed since.
"""

import copy
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum

from attribution import eligibility, judging, records, rosters, weighing
from attribution.errors import (
    EvidenceUnreadable,
    InvalidEvidence,
    NothingKept,
    TooManyPayees,
    UnknownMethod,
)
from attribution.models import (
    GenerativeModel,
    KeptEvidence,
    Query,
    ShadowChange,
    ShadowResult,
    ShadowRun,
)
from attribution.sealing import Sealed, unseal
from attribution.shares import Payee, Shares, share
from attribution.waiting import Waiting
from attribution.weighing import Finding
from registry.models import User

State = ShadowRun.State
Found = ShadowResult.State
KEPT_APART = "kept_apart"
MOST_PAYEES = 2_000
"""An entry of a correction has up to two accounts a creator, and at most 4,096 legs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run would change for one creator (None: the remainder), over ``queries`` queries."""

    creator_id: str | None
    creator: str
    micros: int
    queries: int


def start(
    model: GenerativeModel,
    admin: User,
    *,
    method: str,
    settled: tuple[datetime, datetime],
    at: datetime,
) -> ShadowRun:
    """Ask for a method, in its present version, over queries ``settled`` from … to before.

    Raises UnknownMethod, NothingKept.
    """
    if method not in judging.VERSIONS:
        raise UnknownMethod(f"there is no method {method!r}")
    settled_from, settled_until = settled
    run = ShadowRun(
        model=model,
        method=method,
        method_version=judging.VERSIONS[method],
        settled_from=settled_from,
        settled_until=settled_until,
        asked_by=admin,
        asked_at=at,
    )
    if settled_until <= settled_from or not _kept(run).exists():
        raise NothingKept(f"no evidence of {model.pk} is kept from that time")
    run.save()
    return run


def advance_all(*, limit: int) -> int:
    """Weigh up to ``limit`` queries of runs that are not through; return how many."""
    done = 0
    for run in ShadowRun.objects.filter(state=State.RUNNING).order_by("asked_at", "pk"):
        while done < limit and (weighed := advance(run, limit=min(50, limit - done))):
            done += weighed
    return done


def advance(run: ShadowRun, *, limit: int) -> int:
    """Weigh the next queries of a run and keep what differs; 0 when it is through.

    May be stopped anywhere and called again; several may call it, and take turns.
    """
    with transaction.atomic():
        locked = ShadowRun.objects.select_for_update(no_key=True)
        run = locked.select_related("model__operator").get(pk=run.pk)
        if run.state != State.RUNNING:
            return 0
        known = ShadowResult.objects.filter(run=run, query=OuterRef("query"))
        kept = _kept(run).exclude(Exists(known)).select_related("query__manifest", "query__model")
        batch = list(kept.defer("query__evidence").order_by("query_id")[:limit])
        for each in batch:
            _compare(run, each)
        if not batch:
            run.state = State.READY
            run.save(update_fields=["state"])
        return len(batch)


def differences(run: ShadowRun) -> list[Difference]:
    """Return what the run would change, or changed, by creator; the largest change first."""
    rows = (
        ShadowChange.objects.filter(result__run=run)
        .exclude(result__state=Found.SKIPPED)
        .values_list("creator_id", "creator__display_name")
        .annotate(Sum("micros"))
    )
    counted: Counter[str | None] = Counter()
    seen = ShadowChange.objects.filter(result__run=run).exclude(result__state=Found.SKIPPED)
    for creator_id, _ in seen.values_list("creator_id", "result_id").distinct():
        counted[creator_id] += 1
    found = [
        Difference(creator_id, name or "", micros, counted[creator_id])
        for creator_id, name, micros in rows
    ]
    return sorted(found, key=lambda each: (-abs(each.micros), each.creator_id or ""))


def paid(query: Query) -> Counter[Payee]:
    """Return what a query has paid by work and creator, earlier corrections counted in."""
    found: Counter[Payee] = Counter()
    for rows in (query.contributions, query.adjustments):
        for work, creator, micros in rows.values_list("work_id", "creator_id", "micros"):
            found[work or "", creator or ""] += micros
    return +found


def digest(of: Counter[Payee]) -> bytes:
    """Return the SHA-256 by which a change knows what it changes."""
    rows: list[Any] = [[work, creator, micros] for (work, creator), micros in sorted(of.items())]
    return hashlib.sha256(rfc8785.dumps(rows)).digest()


def _kept(run: ShadowRun) -> QuerySet[KeptEvidence]:
    return KeptEvidence.objects.filter(
        query__model=run.model,
        query__settled_at__gte=run.settled_from,
        query__settled_at__lt=run.settled_until,
    )


def _compare(run: ShadowRun, kept: KeptEvidence) -> None:
    query = kept.query
    old = paid(query)
    result = ShadowResult(run=run, query=query, paid_digest=digest(old))
    found = _weigh(run, kept)
    if isinstance(found, str):
        result.state, result.reason = Found.SKIPPED, found
        result.save()
        return
    finding, shares, record = found
    new = Counter({(part.work, part.creator): part.micros for part in shares.parts})
    new["", ""] += shares.remainder
    changes = {payee: new[payee] - old[payee] for payee in {*new, *old}}
    changed = {payee: micros for payee, micros in sorted(changes.items()) if micros}
    assert sum(changed.values()) == 0, "the same fee is divided"
    by_creator: Counter[str] = Counter()
    for (_, creator), micros in changed.items():
        by_creator[creator] += micros
    if not any(by_creator.values()):
        # Moved between works of the same people at most: nobody's money changes.
        changed = {}
    result.parameters, result.record = dict(finding.parameters), record
    result.state = Found.DIFFERS if changed else Found.SAME
    result.save()
    ShadowChange.objects.bulk_create(
        ShadowChange(result=result, work_id=work or None, creator_id=creator or None, micros=micros)
        for (work, creator), micros in changed.items()
    )


def _weigh(run: ShadowRun, kept: KeptEvidence) -> tuple[Finding, Shares, dict[str, object]] | str:
    """Weigh and divide one query anew; or say why that cannot be."""
    query, manifest = kept.query, kept.query.manifest
    assert manifest is not None, "a settled query keeps its manifest"
    assert query.settled_at is not None, "query_settled_has_its_entry"
    model = copy.copy(run.model)
    model.method = run.method
    try:
        box = Sealed(kept.key_id, bytes(kept.box))
        opened = Waiting.from_bytes(unseal(box, beside=query.pk))
    except (EvidenceUnreadable, InvalidEvidence) as error:
        return error.code
    finding = weighing.weigh_opened({query.pk: opened}, {query.pk: model}, manifest)[query.pk]
    if not isinstance(finding, Finding):
        return finding.reason
    owners = eligibility.owners_then(
        [each.work for each in finding.weights.works],
        roster=rosters.of_manifest(manifest),
        operator=run.model.operator,
        at=query.settled_at,
    )
    carry = records.read(bytes(query.record)).carry if query.record else {}
    shares = share(
        query.fee,
        finding.weights,
        owners,
        platform_ppm=query.parameters["platform_fee_ppm"],
        carry=carry,
    )
    if len({part.creator for part in shares.parts}) > MOST_PAYEES:
        return TooManyPayees.code
    if any(part.escrow for part in shares.parts) or _kept_apart(query):
        return KEPT_APART
    return finding, shares, records.form(records.write(finding.inputs, owners, shares))


def _kept_apart(query: Query) -> bool:
    """Tell whether some of what a query paid waits for a decision; that comes first."""
    return query.contributions.exclude(escrow="").exists()


def results(run: ShadowRun) -> Sequence[tuple[str, int]]:
    """Return how many queries came to each state of a result."""
    counted = Counter(run.results.values_list("state", flat=True))
    return [(state.value, counted[state.value]) for state in Found]

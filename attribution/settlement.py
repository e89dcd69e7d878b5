"""Settle queries: shares into ledger entries and contributions, a batch in one transaction.

Owns what is written when a query is settled, refused or parked, all of it or nothing. The weights
come from the method, the division from ``shares``, the books are the ledger's.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.conf import settings
from django.db import transaction

from attribution import (
    caps,
    contributions,
    eligibility,
    fees,
    reading,
    records,
    retention,
    rosters,
    weighing,
)
from attribution.eligibility import Escrow, Owners
from attribution.errors import TooManyPayees
from attribution.models import GenerativeModel, Query
from attribution.shares import REMAINDER, Owner, Part, Payee, Shares, share
from attribution.weighing import Finding, Unweighable
from ledger import posting, set_asides
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.posting import Draft, EntryKind, key_for
from ledger.set_asides import Aside
from registry.models import Manifest
from tribute import ids

MOST_PAYEES = 4_000
"""An entry has at most 4,096 legs."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One query's finding, its works' owners and the division, before the ledger was asked."""

    query: Query
    finding: Finding
    owners: Mapping[str, Sequence[Owner]]
    shares: Shares

    @property
    def draft_key(self) -> str:
        """The reference of the query's entry."""
        return f"query:{self.query.pk}"


@transaction.atomic
def settle(queries: Sequence[Query], *, at: datetime) -> None:
    """Bring each query to an end: settled, refused for lack of funds, or parked.

    The caller holds the rows' locks. Joins the caller's transaction. Raises what
    ``ledger.posting.post`` raises when it could not be asked.
    """
    weighed = _weigh(queries)
    owners = _owners(queries, weighed, at=at)
    _lock_models(queries)
    divided, parked = _divide(queries, weighed, owners, at=at)
    held = fees.take([each.query for each in divided], at=at)
    drafts = _drafts(divided, held, at=at)
    posted = posting.post(list(drafts.values()), at=at)
    settled = [each for each in divided if drafts[each.query.pk].key in posted.entry_ids]
    refused = [each.query for each in divided if drafts[each.query.pk].key in posted.refused]
    assert len(settled) + len(refused) == len(divided), "every draft was answered"
    assert held.isdisjoint(query.pk for query in refused), "what is held is funded"
    contributions.write((each.query.pk, each.shares) for each in settled)
    entry_ids = {each.query.pk: posted.entry_ids[drafts[each.query.pk].key] for each in settled}
    set_asides.record(_asides(settled, entry_ids), at=at)
    _add_carries(settled)
    retention.keep([each.query for each in settled], at=at)
    _close_settled(settled, drafts, at=at)
    _close_refused(refused)
    fees.give_back(parked, at=at)
    for query, reason in parked.items():
        rows = Query.objects.filter(pk=query.pk)
        rows.update(state=Query.State.PARKED, reason=reason, hold=None)


def _weigh(queries: Iterable[Query]) -> dict[str, Finding | Unweighable]:
    by_manifest: dict[str, list[Query]] = defaultdict(list)
    for query in queries:
        by_manifest[str(query.model.manifest_id)].append(query)
    found: dict[str, Finding | Unweighable] = {}
    for group in by_manifest.values():
        found |= weighing.weigh(group, _manifest(group[0].model))
    return found


def _owners(
    queries: Iterable[Query], weighed: dict[str, Finding | Unweighable], *, at: datetime
) -> dict[str, dict[str, Owners]]:
    """Return the owners of every weighed work, by model."""
    models = {query.model_id: query.model for query in queries}
    works: dict[str, set[str]] = defaultdict(set)
    for query in queries:
        finding = weighed[query.pk]
        if isinstance(finding, Finding):
            works[query.model_id].update([each.work for each in finding.weights.works])
    return {
        model: eligibility.owners(
            weighed_works,
            roster=rosters.of_manifest(_manifest(models[model])),
            operator=models[model].operator,
            at=at,
        )
        for model, weighed_works in works.items()
    }


def _manifest(model: GenerativeModel) -> Manifest:
    assert model.manifest is not None, "only queries whose manifest is ready are due"
    return model.manifest


def _lock_models(queries: Iterable[Query]) -> None:
    """Let one batch of a model in at a time: what its rounding carries is read, then added to."""
    models = GenerativeModel.objects.filter(pk__in={query.model_id for query in queries})
    list(models.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _divide(
    queries: Iterable[Query],
    weighed: dict[str, Finding | Unweighable],
    owners: dict[str, dict[str, Owners]],
    *,
    at: datetime,
) -> tuple[list[Settlement], dict[Query, str]]:
    divided: list[Settlement] = []
    parked: dict[Query, str] = {}
    carries = {model: _carries(model, owned) for model, owned in owners.items()}
    earned = caps.Earned(queries, at=at)
    for query in queries:
        finding = weighed[query.pk]
        if isinstance(finding, Unweighable):
            parked[query] = finding.reason
            continue
        owned = earned.capped(query, finding.weights, owners[query.model_id])
        shares = share(
            query.fee,
            finding.weights,
            owned,
            platform_ppm=settings.PLATFORM_FEE_PPM,
            carry=carries[query.model_id],
        )
        if len({part.creator for part in shares.parts if part.micros}) > MOST_PAYEES:
            parked[query] = TooManyPayees.code
            continue
        carries[query.model_id].update(shares.carried)
        earned.add(query, shares)
        divided.append(Settlement(query, finding, owned, shares))
    return divided, parked


def _carries(model_id: str, owned: Mapping[str, Owners]) -> Counter[Payee]:
    """Read what a model's rounding still owes the owners of works, and the remainder."""
    work_of = {reading.raw("wrk", work): work for work in owned}
    creator_of = {
        reading.raw("cre", owner.creator): owner.creator
        for owners in set(owned.values())
        for owner in owners
    }
    kept = reading.rows(
        "read_carries", {"model": ids.decode("mdl", model_id), "works": reading.array(work_of)}
    )
    # What is owed to one who owns nothing of the work any more waits for him.
    return Counter(
        {
            REMAINDER if work is None else (work_of[work], creator_of[creator]): parts
            for work, creator, parts in kept
            if work is None or creator in creator_of
        }
    )


def _drafts(
    divided: Sequence[Settlement], held: Collection[str], *, at: datetime
) -> dict[str, Draft]:
    """Write each settlement as a balanced draft: the fee out, everybody's part in."""
    legs = {each.query.pk: _legs(each, held) for each in divided}
    numbers = account_ids({key for each in legs.values() for key in each})
    return {
        each.query.pk: Draft(
            key=key_for(each.draft_key),
            kind=EntryKind.QUERY,
            currency=each.query.currency,
            legs=tuple((numbers[key], amount) for key, amount in legs[each.query.pk].items()),
            effective_at=at,
        )
        for each in divided
    }


def _legs(settlement: Settlement, held: Collection[str]) -> dict[AccountKey, int]:
    query, shares = settlement.query, settlement.shares
    currency = query.currency
    policy = AccountKind[query.model.unattributed_policy.upper()]
    earned: dict[str, int] = {}
    legs: dict[AccountKey, int] = {
        fees.account_of(query, held): -query.fee_micros,
        (AccountKind.PLATFORM_FEE, None, currency): shares.platform,
    }
    for part in shares.parts:
        if part.escrow:
            key = _account(part, currency)
            legs[key] = legs.get(key, 0) + part.micros
        elif part.micros:
            earned[part.creator] = earned.get(part.creator, 0) + part.micros
    for creator, micros in earned.items():
        legs[AccountKind.CREATOR_PENDING, creator, currency] = micros
    legs[policy, None, currency] = shares.remainder
    assert sum(legs.values()) == 0, "a fee and its shares add up"
    return {key: amount for key, amount in legs.items() if amount}


def _account(part: Part, currency: str) -> AccountKey:
    """Choose where a part in escrow goes: what is contested stays in its owner's name, but apart."""
    if part.escrow == Escrow.CAP:
        return AccountKind.UNCLAIMED, None, currency
    return AccountKind.CREATOR_DISPUTED, part.creator, currency


def _asides(settled: Iterable[Settlement], entry_ids: dict[str, int]) -> list[Aside]:
    """List what each entry set aside for each work, until it is decided whose it is."""
    micros: Counter[tuple[AccountKey, str, int]] = Counter()
    for each in settled:
        for part in each.shares.parts:
            if part.escrow:
                account = _account(part, each.query.currency)
                micros[account, part.work, entry_ids[each.query.pk]] += part.micros
    numbers = account_ids(account for account, _, _ in micros)
    return [
        Aside(numbers[account], work, amount, entry_id)
        for (account, work, entry_id), amount in micros.items()
        if amount
    ]


def _add_carries(settled: Iterable[Settlement]) -> None:
    changes: dict[str, Counter[Payee]] = defaultdict(Counter)
    for each in settled:
        changes[each.query.model_id].update(each.shares.carried)
    for model_id, change in sorted(changes.items()):
        rows = sorted((payee, parts) for payee, parts in change.items() if parts)
        assert sum(parts for _, parts in rows) == 0, "carries add up to zero"
        reading.run(
            "add_carries",
            {
                "model": ids.decode("mdl", model_id),
                "works": reading.array(_raw("wrk", work) for (work, _), _ in rows),
                "creators": reading.array(_raw("cre", creator) for (_, creator), _ in rows),
                "parts": [parts for _, parts in rows],
            },
        )


def _raw(prefix: str, typed_id: str) -> bytes | None:
    return reading.raw(prefix, typed_id) if typed_id else None


def _close_settled(
    settled: Sequence[Settlement], drafts: dict[str, Draft], *, at: datetime
) -> None:
    kept = {"platform_fee_ppm": settings.PLATFORM_FEE_PPM}
    reading.run(
        "close_settled_queries",
        {
            "settled_at": at,
            "ids": reading.array(ids.decode("qry", each.query.pk).bytes for each in settled),
            "methods": [each.finding.method for each in settled],
            "versions": [each.finding.version for each in settled],
            "parameters": [
                orjson.dumps(each.finding.parameters | kept).decode() for each in settled
            ],
            "records": [
                records.write(each.finding.inputs, each.owners, each.shares) for each in settled
            ],
            "manifests": reading.array(
                _raw("mft", each.query.model.manifest_id or "") for each in settled
            ),
            "words": [each.finding.words for each in settled],
            "weights": [each.shares.weight for each in settled],
            "platforms": [each.shares.platform for each in settled],
            "entry_keys": reading.array(drafts[each.query.pk].key.bytes for each in settled),
        },
    )


def _close_refused(refused: Iterable[Query]) -> None:
    rows = Query.objects.filter(pk__in=[query.pk for query in refused])
    rows.update(state=Query.State.REFUSED, reason=fees.REASON, evidence=None, evidence_key_id="")

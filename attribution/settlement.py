"""Settle queries: shares into ledger entries and contributions, a batch in one transaction.

Owns what is written when a query is settled, refused or parked, all of it or nothing. The weights
come from the method, the division from ``shares``, the books are the ledger's.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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
from attribution.carries import Carries
from attribution.eligibility import Escrow, Owners
from attribution.errors import TooManyPayees
from attribution.models import GenerativeModel, Query
from attribution.shares import Owner, Part, Shares, share
from attribution.weighing import Finding, Unweighable
from ledger import posting, set_asides
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.posting import Draft, EntryKind, Posted, key_for
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
    carries = {model: Carries(model, owned) for model, owned in owners.items()}
    divided, parked = _divide(queries, weighed, owners, carries, at=at)
    held = fees.take([each.query for each in divided], at=at)
    drafts = _drafts(divided, held, at=at)
    answered = _post([draft for pk, draft in drafts.items() if pk not in held], at=at)
    refused = [each for each in divided if drafts[each.query.pk].key in answered.refused]
    settled = [each for each in divided if drafts[each.query.pk].key not in answered.refused]
    kept: list[bytes] = []
    contributions.write(_recorded(settled, kept))
    _write_carries(carries, refused)
    retention.keep([each.query for each in settled], at=at)
    _close_settled(settled, drafts, kept, at=at)
    _close_refused([each.query for each in refused])
    # What is held is funded. It is posted last, since all who post wait for each other from there
    # until they commit.
    posted = _post([drafts[pk] for pk in drafts if pk in held], at=at)
    assert not posted.refused, "what is held is funded"
    entry_ids = answered.entry_ids | posted.entry_ids
    set_asides.record(_asides(settled, drafts, entry_ids), at=at)
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
    carries: dict[str, Carries],
    *,
    at: datetime,
) -> tuple[list[Settlement], dict[Query, str]]:
    divided: list[Settlement] = []
    parked: dict[Query, str] = {}
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
            carry=carries[query.model_id].parts,
        )
        if len(shares.parts) > MOST_PAYEES and _payees(shares) > MOST_PAYEES:
            parked[query] = TooManyPayees.code
            continue
        carries[query.model_id].add(shares.carried)
        earned.add(query, shares)
        divided.append(Settlement(query, finding, owned, shares))
    return divided, parked


def _post(drafts: Sequence[Draft], *, at: datetime) -> Posted:
    return posting.post(drafts, at=at) if drafts else Posted()


def _drafts(
    divided: Sequence[Settlement], held: Collection[str], *, at: datetime
) -> dict[str, Draft]:
    """Write each settlement as a balanced draft: the fee out, everybody's part in."""
    legs = {each.query.pk: _legs(each, held) for each in divided}
    numbers = account_ids(set().union(*legs.values()))
    return {
        each.query.pk: Draft(
            key=key_for(each.draft_key),
            kind=EntryKind.QUERY,
            currency=each.query.currency,
            legs=tuple([(numbers[key], amount) for key, amount in legs[each.query.pk].items()]),
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
    pending = AccountKind.CREATOR_PENDING
    legs |= {(pending, creator, currency): micros for creator, micros in earned.items()}
    legs[policy, None, currency] = shares.remainder
    assert sum(legs.values()) == 0, "a fee and its shares add up"
    return {key: amount for key, amount in legs.items() if amount}


def _account(part: Part, currency: str) -> AccountKey:
    """Choose where a part in escrow goes: what is contested stays in its owner's name, but apart."""
    if part.escrow == Escrow.CAP:
        return AccountKind.UNCLAIMED, None, currency
    return AccountKind.CREATOR_DISPUTED, part.creator, currency


def _asides(
    settled: Iterable[Settlement], drafts: Mapping[str, Draft], entry_ids: Mapping[UUID, int]
) -> list[Aside]:
    """List what each entry set aside for each work, until it is decided whose it is."""
    micros: Counter[tuple[AccountKey, str, int]] = Counter()
    for each in settled:
        for part in each.shares.parts:
            if part.escrow:
                account = _account(part, each.query.currency)
                entry_id = entry_ids[drafts[each.query.pk].key]
                micros[account, part.work, entry_id] += part.micros
    numbers = account_ids(account for account, _, _ in micros)
    return [
        Aside(numbers[account], work, amount, entry_id)
        for (account, work, entry_id), amount in micros.items()
        if amount
    ]


def _payees(shares: Shares) -> int:
    return len({part.creator for part in shares.parts if part.micros})


def _write_carries(carries: Mapping[str, Carries], refused: Iterable[Settlement]) -> None:
    """Write what the models' carries come to without the queries that were refused."""
    for each in refused:
        carries[each.query.model_id].take_back(each.shares.carried)
    for _, each_models in sorted(carries.items()):
        each_models.write()


def _recorded(settled: Iterable[Settlement], kept: list[bytes]) -> Iterator[tuple[str, Shares]]:
    """Yield what queries paid, and write each one's record meanwhile, in their order."""
    for each in settled:
        yield each.query.pk, each.shares
        kept.append(records.write(each.finding.inputs, each.owners, each.shares))


def _close_settled(
    settled: Sequence[Settlement],
    drafts: dict[str, Draft],
    kept: Sequence[bytes],
    *,
    at: datetime,
) -> None:
    divided_by = {"platform_fee_ppm": settings.PLATFORM_FEE_PPM}
    reading.run(
        "close_settled_queries",
        {
            "settled_at": at,
            "ids": reading.array(ids.decode("qry", each.query.pk).bytes for each in settled),
            "methods": [each.finding.method for each in settled],
            "versions": [each.finding.version for each in settled],
            "parameters": [
                orjson.dumps(each.finding.parameters | divided_by).decode() for each in settled
            ],
            "records": kept,
            "manifests": reading.array(
                reading.raw("mft", _manifest(each.query.model).pk) for each in settled
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

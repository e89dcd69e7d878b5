"""Settle queries: shares into ledger entries and contributions, a batch in one transaction.

Owns what is written when a query is settled, refused or parked, all of it or nothing. The weights
come from the method, the division from ``shares``, the books are the ledger's.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from attribution import caps, eligibility, records, retention, weighing
from attribution.eligibility import Escrow
from attribution.errors import TooManyPayees
from attribution.models import Contribution, GenerativeModel, Query, RoundingCarry
from attribution.shares import Owner, Part, Payee, Shares, share
from attribution.sql import statement
from attribution.weighing import Finding, Unweighable
from ledger import posting, set_asides
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.posting import Draft, EntryKind, key_for
from ledger.set_asides import Aside
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
    drafts = _drafts(divided, at=at)
    posted = posting.post(list(drafts.values()), at=at)
    settled = [each for each in divided if drafts[each.query.pk].key in posted.entry_ids]
    refused = [each.query for each in divided if drafts[each.query.pk].key in posted.refused]
    assert len(settled) + len(refused) == len(divided), "every draft was answered"
    Contribution.objects.bulk_create(row for each in settled for row in _contributions(each))
    entry_ids = {each.query.pk: posted.entry_ids[drafts[each.query.pk].key] for each in settled}
    set_asides.record(_asides(settled, entry_ids), at=at)
    _add_carries(settled)
    retention.keep([each.query for each in settled], at=at)
    _close_settled(settled, drafts, at=at)
    _close_refused(refused)
    for query, reason in parked.items():
        Query.objects.filter(pk=query.pk).update(state=Query.State.PARKED, reason=reason)


def _weigh(queries: Iterable[Query]) -> dict[str, Finding | Unweighable]:
    by_manifest: dict[str, list[Query]] = defaultdict(list)
    for query in queries:
        by_manifest[str(query.model.manifest_id)].append(query)
    found: dict[str, Finding | Unweighable] = {}
    for group in by_manifest.values():
        manifest = group[0].model.manifest
        assert manifest is not None, "only queries whose manifest is ready are due"
        found |= weighing.weigh(group, manifest)
    return found


def _owners(
    queries: Iterable[Query], weighed: dict[str, Finding | Unweighable], *, at: datetime
) -> dict[str, dict[str, list[Owner]]]:
    """Return the owners of every weighed work, by model."""
    works: dict[GenerativeModel, set[str]] = defaultdict(set)
    for query in queries:
        finding = weighed[query.pk]
        if isinstance(finding, Finding):
            works[query.model] |= {each.work for each in finding.weights.works}
    found = {}
    for model, weighed_works in works.items():
        assert model.manifest is not None, "only queries whose manifest is ready are due"
        found[model.pk] = eligibility.owners(
            weighed_works, manifest=model.manifest, operator=model.operator, at=at
        )
    return found


def _lock_models(queries: Iterable[Query]) -> None:
    """Let one batch of a model in at a time: what its rounding carries is read, then added to."""
    models = GenerativeModel.objects.filter(pk__in={query.model_id for query in queries})
    list(models.order_by("pk").select_for_update(no_key=True))


def _divide(
    queries: Iterable[Query],
    weighed: dict[str, Finding | Unweighable],
    owners: dict[str, dict[str, list[Owner]]],
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


def _carries(model_id: str, works: Iterable[str]) -> Counter[Payee]:
    """Read what a model's rounding still owes the owners of ``works``, and the remainder."""
    rows = RoundingCarry.objects.filter(model=model_id)
    kept = rows.filter(work__in=list(works)) | rows.filter(work=None)
    return Counter(
        {
            (work or "", creator or ""): parts
            for work, creator, parts in kept.values_list("work_id", "creator_id", "parts")
        }
    )


def _drafts(divided: Sequence[Settlement], *, at: datetime) -> dict[str, Draft]:
    """Write each settlement as a balanced draft: the fee out, everybody's part in."""
    legs = {each.query.pk: _legs(each) for each in divided}
    numbers = account_ids(key for each in legs.values() for key in each)
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


def _legs(settlement: Settlement) -> dict[AccountKey, int]:
    query, shares = settlement.query, settlement.shares
    policy = AccountKind[query.model.unattributed_policy.upper()]
    legs: Counter[AccountKey] = Counter()
    legs[AccountKind.OPERATOR_PREPAID, query.operator_id, query.currency] -= query.fee_micros
    legs[AccountKind.PLATFORM_FEE, None, query.currency] += shares.platform
    for part in shares.parts:
        legs[_account(part, query.currency)] += part.micros
    legs[policy, None, query.currency] += shares.remainder
    assert sum(legs.values()) == 0, "a fee and its shares add up"
    return {key: amount for key, amount in legs.items() if amount}


def _account(part: Part, currency: str) -> AccountKey:
    """Choose where an owner's part goes: what is contested stays in his name, but apart."""
    if part.escrow == Escrow.CAP:
        return AccountKind.UNCLAIMED, None, currency
    if part.escrow == Escrow.CLAIM:
        return AccountKind.CREATOR_DISPUTED, part.creator, currency
    return AccountKind.CREATOR_PENDING, part.creator, currency


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


def _contributions(settlement: Settlement) -> Iterable[Contribution]:
    """List every owner's part and, when there is any, the remainder."""
    query, shares = settlement.query, settlement.shares
    for part in shares.parts:
        yield Contribution(
            query=query,
            work_id=part.work,
            creator_id=part.creator,
            weight=part.weight,
            words=part.words,
            micros=part.micros,
            withheld=part.withheld,
            escrow=part.escrow,
        )
    rest = shares.weight - sum(part.weight for part in shares.parts if not part.withheld)
    if rest or shares.remainder:
        yield Contribution(query=query, weight=rest, micros=shares.remainder)


def _add_carries(settled: Iterable[Settlement]) -> None:
    changes: dict[str, Counter[Payee]] = defaultdict(Counter)
    for each in settled:
        changes[each.query.model_id].update(each.shares.carried)
    for model_id, change in sorted(changes.items()):
        rows = sorted((payee, parts) for payee, parts in change.items() if parts)
        assert sum(parts for _, parts in rows) == 0, "carries add up to zero"
        with connection.cursor() as cursor:
            cursor.execute(
                statement("add_carries"),
                {
                    "model": ids.decode("mdl", model_id),
                    "works": [_uuid("wrk", payee[0]) for payee, _ in rows],
                    "creators": [_uuid("cre", payee[1]) for payee, _ in rows],
                    "parts": [parts for _, parts in rows],
                },
            )


def _uuid(prefix: str, typed_id: str) -> object:
    return ids.decode(prefix, typed_id) if typed_id else None


def _close_settled(
    settled: Sequence[Settlement], drafts: dict[str, Draft], *, at: datetime
) -> None:
    kept = {"platform_fee_ppm": settings.PLATFORM_FEE_PPM}
    with connection.cursor() as cursor:
        cursor.execute(
            statement("close_settled_queries"),
            {
                "settled_at": at,
                "ids": [ids.decode("qry", each.query.pk) for each in settled],
                "methods": [each.finding.method for each in settled],
                "versions": [each.finding.version for each in settled],
                "parameters": [json.dumps(each.finding.parameters | kept) for each in settled],
                "records": [
                    json.dumps(records.write(each.finding, each.owners, each.shares))
                    for each in settled
                ],
                "manifests": [_uuid("mft", each.query.model.manifest_id or "") for each in settled],
                "words": [each.finding.words for each in settled],
                "weights": [each.shares.weight for each in settled],
                "platforms": [each.shares.platform for each in settled],
                "entry_keys": [drafts[each.query.pk].key for each in settled],
            },
        )


def _close_refused(refused: Iterable[Query]) -> None:
    rows = Query.objects.filter(pk__in=[query.pk for query in refused])
    rows.update(
        state=Query.State.REFUSED, reason="insufficient_funds", evidence=None, evidence_key_id=""
    )

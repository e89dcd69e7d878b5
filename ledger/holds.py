"""Hold money until something is settled: reserve it, then settle it, release it, or let it expire.

A hold really moves the money, from prepaid or available to a reserved account, so that nobody
can spend it twice and every limit holds. Its row ends once, by a conditional update; whoever
comes second hears how it ended. What is held, and for what, is the caller's to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.errors import CannotHold, InvalidDraft, UnknownHold
from ledger.models import Hold
from ledger.money import Money
from ledger.outages import told_apart
from ledger.posting import MAX_DRAFTS, Draft, EntryKind, Refusal, key_for, post
from ledger.sql import statement
from ledger.vocabulary import HoldStatus

__all__ = [
    "Ended",
    "HoldRequest",
    "Reserved",
    "Settlement",
    "expire_due",
    "free",
    "release_many",
    "reserve_many",
    "settle_many",
]

RESERVED_KIND: Mapping[AccountKind, AccountKind] = {
    AccountKind.OPERATOR_PREPAID: AccountKind.OPERATOR_RESERVED,
    AccountKind.CREATOR_AVAILABLE: AccountKind.CREATOR_RESERVED,
}
"""Which money can be held, and where it lies meanwhile."""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Money to hold. ``key`` names it for ever; ``owner_id`` is the operator's or creator's."""

    key: UUID
    kind: AccountKind
    owner_id: str
    amount: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """What became of requests; every key is in exactly one of the two."""

    holds: dict[UUID, Hold] = field(default_factory=dict)
    refused: dict[UUID, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who gets what of a hold; what is left over goes back to where it came from.

    key: the hold's. credits: (account number, micros > 0), at most what is held in all.
    entry_key, kind: what the entry is known as, for example ``query:qry_…`` and QUERY.
    """

    key: UUID
    credits: tuple[tuple[int, int], ...]
    entry_key: UUID
    kind: EntryKind = EntryKind.QUERY


@dataclass(frozen=True, slots=True)
class Ended:
    """``done`` ended as asked, now or before; ``otherwise`` had ended in another way."""

    done: set[UUID] = field(default_factory=set)
    otherwise: dict[UUID, HoldStatus] = field(default_factory=dict)


@told_apart
def reserve_many(requests: Sequence[HoldRequest], *, at: datetime) -> Reserved:
    """Hold each amount, in order, as far as the money goes; the others are refused for ever.

    Up to 5,000 a call, in the caller's transaction. A key said again hears the same answer.
    Raises CannotHold, and what `posting.post` raises.
    """
    wanted = {request.key: request for request in requests}
    for request in wanted.values():
        if request.kind not in RESERVED_KIND or request.amount.micros <= 0:
            raise CannotHold(f"{request.amount} of {request.kind.name.lower()}")
    numbers = account_ids(name for each in wanted.values() for name in _accounts(each))
    with transaction.atomic():
        drafts = {key: _reserving(each, numbers, at=at) for key, each in wanted.items()}
        posted = post([_reserving(each, numbers, at=at) for each in requests], at=at)
        Hold.objects.bulk_create(
            (
                _row(wanted[key], numbers, at=at)
                for key, draft in drafts.items()
                if draft.key in posted.entry_ids
            ),
            ignore_conflicts=True,
        )
        holds = {hold.key: hold for hold in Hold.objects.filter(key__in=wanted)}
    refused = {
        key: posted.refused[draft.key]
        for key, draft in drafts.items()
        if draft.key in posted.refused
    }
    return Reserved(holds, refused)


@told_apart
def settle_many(settlements: Sequence[Settlement], *, at: datetime) -> Ended:
    """Pay holds out as said, each once. A hold past its expiry still settles while it is reserved.

    Raises UnknownHold, CannotHold for one used in parts, InvalidDraft when more would go out than is held or nothing, KeyReused
    when a hold was settled before with other credits, and what `posting.post` raises.
    """
    wanted = {each.key: each for each in settlements}
    holds = _find(wanted)
    sums = {key: sum(micros for _, micros in each.credits) for key, each in wanted.items()}
    for key, each in wanted.items():
        if min([micros for _, micros in each.credits], default=0) <= 0:
            raise InvalidDraft(f"{key}: a settlement credits somebody, and takes from nobody")
        if sums[key] > holds[key].amount_micros:
            raise InvalidDraft(f"{key}: {sums[key]} micros of the {holds[key].money} held")
    with transaction.atomic():
        ended, _ = _end(sums, HoldStatus.SETTLED, at=at)
        post([_settling(wanted[key], holds[key], at=at) for key in sorted(ended.done)], at=at)
    return ended


@told_apart
def release_many(keys: Iterable[UUID], *, at: datetime) -> Ended:
    """Give holds back whole, each once. Raises UnknownHold, CannotHold for one used in parts."""
    return _give_back(_find(set(keys)), HoldStatus.RELEASED, at=at)


@told_apart
def expire_due(*, at: datetime, limit: int = MAX_DRAFTS) -> int:
    """Give back what is left of up to ``limit`` holds whose time has come; returns how many."""
    with transaction.atomic():
        due = Hold.objects.select_for_update(no_key=True, skip_locked=True).filter(
            status=HoldStatus.RESERVED.value, expires_at__lte=at
        )
        holds = {hold.key: hold for hold in due.order_by("expires_at", "pk")[:limit]}
        return len(_give_back(holds, HoldStatus.EXPIRED, at=at).done)


def free(operator_id: str, currency: str, micros: int, *, at: datetime) -> int:
    """Give an operator's newest holds back until ``micros`` are free; return how many that took.

    For a payer who takes money back: what the holds were for is then paid from what is left.
    Their rows' locks come before the lane, here as everywhere.
    """
    rows = Hold.objects.select_for_update(no_key=True, of=["self"]).filter(
        source__operator=operator_id, currency=currency, status=HoldStatus.RESERVED.value
    )
    broken: dict[UUID, Hold] = {}
    still_needed = micros
    for hold in reversed(list(rows.order_by("pk"))):
        if still_needed <= 0:
            break
        broken[hold.key] = hold
        still_needed -= hold.left_micros
    return len(_give_back(broken, HoldStatus.RELEASED, at=at).done) if broken else 0


def _accounts(request: HoldRequest) -> tuple[AccountKey, AccountKey]:
    source = (request.kind, request.owner_id, request.amount.currency)
    return source, (RESERVED_KIND[request.kind], request.owner_id, request.amount.currency)


def _reserving(request: HoldRequest, numbers: Mapping[AccountKey, int], *, at: datetime) -> Draft:
    source, reserved = _accounts(request)
    micros = request.amount.micros
    return Draft(
        key=key_for(f"hold:{request.key}:reserved"),
        kind=EntryKind.HOLD,
        currency=request.amount.currency,
        legs=((numbers[source], -micros), (numbers[reserved], micros)),
        effective_at=at,
    )


def _row(request: HoldRequest, numbers: Mapping[AccountKey, int], *, at: datetime) -> Hold:
    source, reserved = _accounts(request)
    return Hold(
        key=request.key,
        source_id=numbers[source],
        reserved_id=numbers[reserved],
        amount_micros=request.amount.micros,
        currency=request.amount.currency,
        created_at=at,
        expires_at=request.expires_at,
    )


def _find(keys: Iterable[UUID]) -> dict[UUID, Hold]:
    wanted = set(keys)
    holds = {hold.key: hold for hold in Hold.objects.filter(key__in=wanted)}
    if missing := wanted - holds.keys():
        raise UnknownHold(f"nothing is held under {min(missing)}")
    if in_parts := [key for key, hold in holds.items() if hold.in_parts]:
        raise CannotHold(f"{min(in_parts)} is drawn on in parts, and does not end whole")
    return holds


def _end(
    settled: Mapping[UUID, int], to: HoldStatus, *, at: datetime
) -> tuple[Ended, dict[UUID, int]]:
    """End holds; also return, for those that ended now, the micros that were left."""
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {
            "keys": list(settled),
            "settled": [micros if to == HoldStatus.SETTLED else 0 for micros in settled.values()],
            "to": to.value,
            "at": at,
        }
        cursor.execute(statement("end_holds"), parameters)
        left = dict(cursor.fetchall())
    ended = Ended(set(left))
    for hold in Hold.objects.filter(key__in=settled.keys() - left.keys()):
        if hold.status == to:
            ended.done.add(hold.key)
        else:
            ended.otherwise[hold.key] = HoldStatus(hold.status)
    return ended, left


def _give_back(holds: Mapping[UUID, Hold], to: HoldStatus, *, at: datetime) -> Ended:
    with transaction.atomic():
        ended, left = _end(dict.fromkeys(holds, 0), to, at=at)
        drafts = [
            Draft(
                key=key_for(f"hold:{key}:given-back"),
                kind=EntryKind.HOLD_RELEASE,
                currency=holds[key].currency,
                legs=((holds[key].reserved_id, -micros), (holds[key].source_id, micros)),
                effective_at=at,
            )
            for key, micros in sorted(left.items())
        ]
        post(drafts, at=at)
    return ended


def _settling(settlement: Settlement, hold: Hold, *, at: datetime) -> Draft:
    rest = hold.amount_micros - sum(micros for _, micros in settlement.credits)
    back = ((hold.source_id, rest),) if rest else ()
    return Draft(
        key=settlement.entry_key,
        kind=settlement.kind,
        currency=hold.currency,
        legs=((hold.reserved_id, -hold.amount_micros), *settlement.credits, *back),
        effective_at=at,
    )

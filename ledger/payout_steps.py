"""The only hand that changes a payout's state, its history and its money, all three at once.

Owns the table of allowed steps and which entry each step posts. Callers hold the rows' locks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ledger.accounts import AccountKind, account_ids
from ledger.errors import NotCovered, WrongState
from ledger.models import Payout, PayoutBatch, PayoutEvent
from ledger.posting import MAX_DRAFTS, Draft, EntryKind, key_for, post
from ledger.vocabulary import BANK
from ledger.vocabulary import PayoutStatus as S
from registry.models import User

__all__ = ["NOT_SENT", "SENT", "STEPS", "locked", "locked_batch", "may", "move", "return_money"]

STEPS: Mapping[S, frozenset[S]] = {
    S.PLANNED: frozenset({S.RESERVED, S.CANCELED}),
    S.RESERVED: frozenset({S.SENDING, S.HELD, S.CANCELED, S.TRANSFERRED}),
    S.HELD: frozenset({S.RESERVED, S.CANCELED, S.TRANSFERRED}),
    S.SENDING: frozenset({S.TRANSFERRED, S.RESERVED, S.UNKNOWN, S.HELD, S.FAILED}),
    S.UNKNOWN: frozenset({S.TRANSFERRED, S.RESERVED, S.HELD}),
    S.TRANSFERRED: frozenset({S.IN_TRANSIT, S.PAID, S.BANK_FAILED, S.REVERSED}),
    S.IN_TRANSIT: frozenset({S.TRANSFERRED, S.PAID, S.BANK_FAILED, S.REVERSED}),
    S.PAID: frozenset({S.BANK_FAILED, S.REVERSED}),
    S.BANK_FAILED: frozenset({S.IN_TRANSIT, S.PAID, S.REVERSED}),
    S.FAILED: frozenset(),
    S.REVERSED: frozenset(),
    S.CANCELED: frozenset(),
}
"""From each state, where a payout may go. A look-up or webhook may find a transfer while we
believe that none was made, hence the steps to ``transferred`` from reserved and held."""

NOT_SENT = frozenset({S.RESERVED, S.HELD, S.SENDING, S.UNKNOWN})
"""Money is set aside; an answer of the provider may be outstanding."""

SENT = frozenset({S.TRANSFERRED, S.IN_TRANSIT, S.PAID, S.BANK_FAILED})

_AVAILABLE, _IN_PAYOUT = AccountKind.CREATOR_AVAILABLE, AccountKind.CREATOR_IN_PAYOUT
_CLEARING = AccountKind.PROVIDER_CLEARING
_MONEY: Mapping[S, tuple[EntryKind, str, AccountKind, AccountKind]] = {
    S.RESERVED: (EntryKind.PAYOUT_RESERVE, "reserved", _AVAILABLE, _IN_PAYOUT),
    S.TRANSFERRED: (EntryKind.PAYOUT_SENT, "sent", _IN_PAYOUT, _CLEARING),
    S.FAILED: (EntryKind.PAYOUT_RELEASE, "released", _IN_PAYOUT, _AVAILABLE),
    S.CANCELED: (EntryKind.PAYOUT_RELEASE, "released", _IN_PAYOUT, _AVAILABLE),
}


def locked(payout_id: str) -> Payout:
    """The payout, locked until the end of the transaction."""
    return Payout.objects.select_for_update(no_key=True).get(pk=payout_id)


def locked_batch(batch_id: str) -> PayoutBatch:
    """The batch with all its payouts, locked until the end of the transaction.

    Payouts first, then their batch: everybody keeps this order, or an admin who calls a batch
    off would wait for a sender who waits for the admin.
    """
    rows = Payout.objects.select_for_update(no_key=True).filter(batch=batch_id).order_by("pk")
    list(rows.values_list("pk", flat=True))
    return PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch_id)


def may(payout: Payout, to: S) -> bool:
    """Whether the table allows the step."""
    return to in STEPS[S(payout.status)]


def move(  # noqa: PLR0913 - a step is said in full, each part by name
    payouts: Sequence[Payout],
    to: S,
    *,
    at: datetime,
    reason: str = "",
    by: User | None = None,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Take locked payouts, all in one state, to another: rows, history and entries.

    changes: other columns to set with it. Raises WrongState when the table forbids the step,
    and NotCovered when a creator's available balance does not hold what is to be reserved.
    """
    if not payouts:
        return
    for payout in payouts:
        if not may(payout, to):
            raise WrongState(f"{payout.pk} is {payout.status}, it cannot become {to}")
    _post(_drafts(payouts, to, at=at), at=at)
    PayoutEvent.objects.bulk_create(
        PayoutEvent(
            payout=p, from_status=p.status, to_status=to.value, reason=reason[:200], by=by, at=at
        )
        for p in payouts
    )
    columns = {**(changes or {}), "status": to.value}
    Payout.objects.filter(pk__in=[payout.pk for payout in payouts]).update(**columns)
    for payout in payouts:
        for name, value in columns.items():
            setattr(payout, name, value)


def return_money(
    payout: Payout, reversed_micros: int, *, at: datetime, by: User | None = None
) -> None:
    """Book that of a sent, locked payout ``reversed_micros`` in all have been taken back.

    The creator's available balance gets what is new; said again, nothing changes.
    """
    new = reversed_micros - payout.reversed_micros
    if new <= 0:
        return
    legs = _accounts([payout], _CLEARING, _AVAILABLE)[payout.pk]
    draft = Draft(
        key=key_for(f"payout:{payout.pk}:returned:{reversed_micros}"),
        kind=EntryKind.PAYOUT_RETURN,
        currency=payout.currency,
        legs=((legs[0], -new), (legs[1], new)),
        effective_at=at,
    )
    _post([draft], at=at)
    payout.reversed_micros = reversed_micros
    payout.save(update_fields=["reversed_micros"])
    if reversed_micros == payout.amount_micros:
        move([payout], S.REVERSED, at=at, by=by, reason="taken back whole")


def _drafts(payouts: Sequence[Payout], to: S, *, at: datetime) -> list[Draft]:
    """The entries of a step: none when money stays where it is."""
    before = S(payouts[0].status)
    moves_money = {
        S.RESERVED: before == S.PLANNED,
        S.TRANSFERRED: before in NOT_SENT,
        S.CANCELED: before != S.PLANNED,
        S.FAILED: True,
    }
    if not moves_money.get(to, False):
        return []
    kind, word, source, target = _MONEY[to]
    accounts = _accounts(payouts, source, target)
    return [
        Draft(
            key=key_for(f"payout:{payout.pk}:{word}"),
            kind=kind,
            currency=payout.currency,
            legs=(
                (accounts[payout.pk][0], -payout.amount_micros),
                (accounts[payout.pk][1], payout.amount_micros),
            ),
            effective_at=at,
        )
        for payout in payouts
    ]


def _accounts(
    payouts: Sequence[Payout], source: AccountKind, target: AccountKind
) -> dict[str, tuple[int, int]]:
    def name(kind: AccountKind, payout: Payout) -> tuple[AccountKind, str | None, str]:
        owner = payout.creator_id if kind.holder == "creator" else None
        if kind == _CLEARING and payout.gateway == BANK:
            kind = AccountKind.PLATFORM_BANK
        return kind, owner, payout.currency

    ids = account_ids(name(kind, p) for p in payouts for kind in (source, target))
    return {p.pk: (ids[name(source, p)], ids[name(target, p)]) for p in payouts}


def _post(drafts: Sequence[Draft], *, at: datetime) -> None:
    for first in range(0, len(drafts), MAX_DRAFTS):
        if refused := post(drafts[first : first + MAX_DRAFTS], at=at).refused:
            short = len(refused)
            raise NotCovered(f"{short} of {len(drafts)} payouts are no longer covered")

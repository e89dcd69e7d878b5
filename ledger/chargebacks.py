"""Refunds and chargebacks: a payer takes a top-up back, and the books follow.

Who bears it is `ledger.clawback`'s to say. The provider's figure is how much the payer has back
by now, so that late, doubled and reordered events converge; only the difference to what is on
record is booked. A chargeback that was turned down is undone, who bore it last first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from ledger import clawback, holds, limits
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.drafts import MAX_LEGS
from ledger.errors import CurrencyMismatch, UnknownObject
from ledger.gateway import PaymentStatus
from ledger.models import Account, Balance, Batch, Entry, PaymentReturn, TopUp
from ledger.models.books import POSITION_BITS
from ledger.money import Money, from_minor, split
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.sql import statement
from tribute import ids

__all__ = ["apply"]

_PENDING, _DEBT = AccountKind.CREATOR_PENDING, AccountKind.CREATOR_DEBT
_AVAILABLE, _PREPAID = AccountKind.CREATOR_AVAILABLE, AccountKind.OPERATOR_PREPAID

Moves = dict[AccountKey, int]
"""What each account gives, in micros; below zero when it gets something."""


def apply(status: PaymentStatus, *, at: datetime) -> PaymentReturn | None:
    """Book how much of a payment its payer has back by now; None when nothing is new.

    Raises UnknownObject when no paid top-up was paid with it (yet), CurrencyMismatch.
    """
    # Opened, and committed, before the lane is held: who opens an account may wait for the lane.
    topup, change = _change(status, TopUp.objects.all())
    if not change:
        return None
    account_ids(_moves(topup, change))
    with transaction.atomic():
        topup, change = _change(status, TopUp.objects.select_for_update(no_key=True))
        _free_held(topup, change, at=at)
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        return _book(topup, change, at=at) if change else None


def _change(status: PaymentStatus, topups: QuerySet[TopUp]) -> tuple[TopUp, int]:
    topup = topups.filter(payment_id=status.id, status=TopUp.Status.PAID).first()
    if topup is None:
        raise UnknownObject(f"no top-up was paid with {status.id}")
    returned = from_minor(status.returned_minor, status.currency)
    if returned.currency != topup.currency:
        raise CurrencyMismatch(f"{topup.pk}: {topup.currency} came, {returned} went back")
    on_record = topup.returns.aggregate(micros=Sum("amount_micros"))["micros"] or 0
    # What a payer got twice, by refund and by chargeback, nobody here received: it stays a
    # difference of the reconciliation, for two admins to book to the platform.
    of_payment = min(max(returned.micros, 0), topup.settled_micros or 0)
    return topup, of_payment - on_record


def _free_held(topup: TopUp, change: int, *, at: datetime) -> None:
    """Break holds before anybody else bears what the operator itself still has."""
    held = Balance.objects.filter(account__operator=topup.operator_id, currency=topup.currency)
    prepaid = held.filter(account__kind=_PREPAID).values_list("balance_micros", flat=True).first()
    if change > (prepaid or 0):
        holds.free(topup.operator_id, topup.currency, change - (prepaid or 0), at=at)


def _book(topup: TopUp, change: int, *, at: datetime) -> PaymentReturn:
    moves = _moves(topup, change)
    number = topup.returns.count() + 1
    drafts = list(_drafts(topup, moves, number, back=change < 0, at=at))
    posted = post(drafts, at=at)
    assert not posted.refused, "a plan from the balances, under the lane, is funded"
    parts = Counter[AccountKind]()
    for (kind, _, _), micros in moves.items():
        parts[_DEBT if kind == _AVAILABLE else kind] += micros
    return PaymentReturn.objects.create(
        topup=topup,
        number=number,
        amount_micros=change,
        prepaid_micros=parts[_PREPAID],
        pending_micros=parts[_PENDING],
        debt_micros=parts[_DEBT],
        platform_micros=parts[AccountKind.PLATFORM_FEE],
        entry_ids=[posted.entry_ids[draft.key] for draft in drafts],
        at=at,
    )


def _drafts(
    topup: TopUp, moves: Moves, number: int, *, back: bool, at: datetime
) -> Iterator[Draft]:
    """One entry, or several when more accounts are concerned than an entry has legs."""
    clearing = (AccountKind.PROVIDER_CLEARING, None, topup.currency)
    numbers = account_ids([clearing, *moves])
    legs = [(numbers[key], -moves[key]) for key in sorted(moves, key=lambda k: (k[0], k[1] or ""))]
    for first in range(0, len(legs), MAX_LEGS - 1):
        portion = legs[first : first + MAX_LEGS - 1]
        total = -sum(amount for _, amount in portion)
        yield Draft(
            key=key_for(f"return:{topup.pk}:{number}:{first}"),
            kind=EntryKind.REINSTATEMENT if back else EntryKind.CHARGEBACK,
            currency=topup.currency,
            legs=(*portion, (numbers[clearing], total)),
            effective_at=at,
        )


def _moves(topup: TopUp, change: int) -> Moves:
    moves = _taken(topup, change) if change > 0 else _given_back(topup, -change)
    return {key: micros for key, micros in moves.items() if micros}


# A payer takes money back ----------------------------------------------------------------------


def _taken(topup: TopUp, micros: int) -> Moves:
    code = topup.currency
    own = Account.objects.filter(operator=topup.operator_id, currency=code)
    held = dict(own.values_list("kind", "balance__balance_micros"))
    received = _received(topup, [account.pk for account in own])
    kept = received.pop(None, 0)
    pending, owes = _balances(_PENDING, received, code), _balances(_DEBT, received, code)
    borne = clawback.plan(
        Money(micros, code),
        prepaid=held.get(_PREPAID, 0),
        kept=kept,
        creators={
            creator: clawback.Creator(got, pending.get(creator, 0), -owes.get(creator, 0))
            for creator, got in received.items()
            if creator
        },
        cap=limits.most_debt(code).micros,
    )
    return {
        (_PREPAID, topup.operator_id, code): borne.prepaid,
        (AccountKind.PLATFORM_FEE, None, code): borne.platform,
        **{(_PENDING, creator, code): part for creator, part in borne.pending.items()},
        **{(_DEBT, creator, code): part for creator, part in borne.debt.items()},
    }


def _received(topup: TopUp, accounts: list[int]) -> dict[str | None, int]:
    """Micros by creator, and under None what reached anybody else."""
    earlier = PaymentReturn.objects.filter(
        topup__operator=topup.operator_id, topup__currency=topup.currency
    )
    assert topup.entry_id is not None, "a paid top-up has an entry"
    with connection.cursor() as cursor:
        cursor.execute(
            statement("find_received"),
            {
                "accounts": accounts,
                "since": _seq(topup.entry_id),
                "returns": [entry for row in earlier for entry in row.entry_ids],
                "query": int(EntryKind.QUERY),
            },
        )
        return {
            ids.encode("cre", creator) if creator else None: micros
            for creator, micros in cursor.fetchall()
        }


def _seq(entry_id: int) -> int:
    return Batch.objects.values_list("seq", flat=True).get(batch_id=entry_id >> POSITION_BITS)


def _balances(
    kind: AccountKind, creators: Iterable[str | None], currency: str
) -> dict[str | None, int]:
    rows = Balance.objects.filter(
        account__kind=kind, account__creator__in=list(creators), currency=currency
    )
    return dict(rows.values_list("account__creator", "balance_micros"))


# The provider gives it to us again -------------------------------------------------------------


def _given_back(topup: TopUp, micros: int) -> Moves:
    """Undo earlier returns, who bore them last first: so a refund that stays is the operator's own.

    Creators and the platform, who bore what the operator no longer had, get it again in proportion
    to what each gave and has not got again; then the operator. What was a debt lowers the debt; as
    far as earnings have paid that, they are available again.
    """
    code = topup.currency
    gave = {key: part for key, part in sorted(_gave(topup).items(), key=str) if part > 0}
    others = {key: part for key, part in gave.items() if key[0] != _PREPAID}
    theirs = min(micros, sum(others.values()))
    parts: Moves = {}
    if theirs:
        split_up = split(Money(theirs, code), list(others.values()))
        parts = {key: part.micros for key, part in zip(others, split_up, strict=True)}
    own = (_PREPAID, topup.operator_id, code)
    parts[own] = micros - theirs
    owes = _balances(_DEBT, {owner for kind, owner, _ in gave if kind == _DEBT}, code)
    moves: Moves = {}
    for (kind, owner, _), part in parts.items():
        lowers = part
        if kind == _DEBT:
            lowers = min(part, -owes.get(owner, 0))
            moves[_AVAILABLE, owner, code] = lowers - part
        moves[kind, owner, code] = -lowers
    return moves


def _gave(topup: TopUp) -> Counter[AccountKey]:
    entries = [number for row in topup.returns.all() for number in row.entry_ids]
    legs = Counter[int]()
    for entry in Entry.objects.filter(pk__in=entries):
        for number, amount in zip(entry.accounts, entry.amounts, strict=True):
            legs[number] -= amount
    gave = Counter[AccountKey]()
    for account in Account.objects.filter(pk__in=legs):
        kind = AccountKind(account.kind)
        if kind != AccountKind.PROVIDER_CLEARING:
            named = _DEBT if kind == _AVAILABLE else kind
            owner = account.operator_id or account.creator_id
            gave[named, owner, account.currency] += legs[account.pk]
    return gave

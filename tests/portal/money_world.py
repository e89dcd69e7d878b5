"""What makes the money pages talk: paid and waiting batches, debts, differences, money set aside.

All of it through the domain's own functions, with a paper provider that the test holds.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from ledger import by_hand, maturity, payouts, reconciliation, set_asides, topups
from ledger.accounts import AccountKind, account_id
from ledger.gateway_paper import PaperGateway
from ledger.models import Payout, PayoutBatch, Reconciliation, TopUp
from ledger.money import Money
from ledger.posting import Draft, EntryKind, post
from ledger.set_asides import Aside
from registry.models import Creator, Operator, User
from tests.ledger import cast
from tests.ledger.cast import hear, payable, send

IBAN, OTHER_IBAN = "DE89370400440532013000", "GB82WEST12345698765432"
PAYER_IBAN = "FR1420041010050500013M02606"
FAR = timedelta(days=365_000)


def admin(name: str) -> User:
    return User.objects.get(email=f"{name}@example.org")


def pay_in(operator: Operator, euros: int, *, gateway: PaperGateway) -> TopUp:
    """The operator pays now, and the webhook arrives."""
    now = timezone.now()
    topup = topups.start(operator, amount=Money(euros * 1_000_000, "EUR"), gateway=gateway, at=now)
    assert topup.session_id
    gateway.pay(topup.session_id)
    hear(gateway, at=now)
    topup.refresh_from_db()
    return topup


def earn(creator: Creator, operator: Operator, micros: int, *, matured: bool = True) -> None:
    """The operator's queries earned the creator money; ready to be paid unless told otherwise."""
    cast.earn(creator, operator, micros)
    if matured:
        maturity.mature(at=timezone.now() + FAR, holding=timedelta(days=30))


def can_be_paid(*creators: Creator, gateway: PaperGateway) -> None:
    for creator in creators:
        payable(creator, gateway)


def by_bank(creator: Creator, iban: str = IBAN) -> None:
    """The creator gave a bank account, long enough ago that batches pay to it."""
    at = timezone.now() - timedelta(days=4)
    by_hand.register(creator, holder=creator.display_name, iban=iban, at=at)


def banked(settings: Any) -> None:
    settings.PAYER_NAME, settings.PAYER_IBAN = "Tribute", PAYER_IBAN


def drawn_up() -> PayoutBatch:
    return payouts.prepare(admin("pia"), currency="EUR", at=timezone.now())


def submitted() -> PayoutBatch:
    return payouts.submit(drawn_up(), admin("pia"), at=timezone.now())


def approved() -> PayoutBatch:
    return payouts.approve(submitted(), admin("quinn"), at=timezone.now(), factor="totp")


def paid(gateway: PaperGateway) -> PayoutBatch:
    """A batch approved, sent, and at the bank."""
    batch = approved()
    send(gateway, at=timezone.now())
    for payout in Payout.objects.filter(batch=batch, status="transferred"):
        gateway.pay_out(payout.transfer_id)
    hear(gateway, at=timezone.now())
    batch.refresh_from_db()
    return batch


def set_aside(
    operator: Operator,
    creator: Creator | None,
    micros: int,
    subject: str,
) -> None:
    """Money that a subject earned waits with a creator, or with the platform."""
    kind = AccountKind.CREATOR_DISPUTED if creator else AccountKind.UNCLAIMED
    target = account_id(kind, creator.pk if creator else None, "EUR")
    prepaid = account_id(AccountKind.OPERATOR_PREPAID, operator.pk, "EUR")
    now, key = timezone.now(), uuid4()
    legs = ((prepaid, -micros), (target, micros))
    posted = post([Draft(key, EntryKind.QUERY, "EUR", legs, now)], at=now)
    set_asides.record([Aside(target, subject, micros, posted.entry_ids[key])], at=now)


def difference(gateway: PaperGateway) -> Reconciliation:
    """The provider lists a cost that the books know nothing of."""
    gateway._book("network_cost", -1_250, "EUR", "nc_4711")
    row, *_ = reconciliation.reconcile(gateway=gateway, at=timezone.now())
    row.refresh_from_db()
    return row

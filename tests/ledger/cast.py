"""What the ledger's stories need over and over: money in, money earned, people who decide."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from ledger import adjusting, maturity, payees, payouts, taking_back, topups, webhooks
from ledger.accounts import AccountKind, account_id
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, Payout, PayoutBatch, PayoutEvent, Reconciliation, TopUp
from ledger.money import Money
from ledger.posting import Draft, EntryKind, post
from registry.models import Creator, Operator, User
from tests.factories import NOON

LATER = datetime.max.replace(year=2999, tzinfo=NOON.tzinfo)
"""After every holding period that began when the test ran."""


def account(
    kind: AccountKind, owner: Creator | Operator | None = None, currency: str = "EUR"
) -> int:
    return account_id(kind, owner.pk if owner else None, currency)


def admin(name: str) -> User:
    return User.objects.create_user(f"{name}@tribute.example", name=name, is_payout_admin=True)


def top_up(operator: Operator, euros: int, *, gateway: PaperGateway, fee_minor: int = 0) -> TopUp:
    """The operator pays, and the webhook arrives."""
    amount = Money(euros * 1_000_000, "EUR")
    topup = topups.start(operator, amount=amount, gateway=gateway, at=NOON)
    assert topup.session_id
    gateway.pay(topup.session_id, fee_minor=fee_minor)
    hear(gateway)
    topup.refresh_from_db()
    return topup


def earn(creator: Creator, operator: Operator, micros: int) -> None:
    """The operator's queries earned the creator money, some time ago."""
    prepaid = account(AccountKind.OPERATOR_PREPAID, operator)
    pending = account(AccountKind.CREATOR_PENDING, creator)
    legs = ((prepaid, -micros), (pending, micros))
    assert not post([Draft(uuid4(), EntryKind.QUERY, "EUR", legs, NOON)], at=NOON).refused


def earn_available(creator: Creator, operator: Operator, micros: int) -> None:
    earn(creator, operator, micros)
    maturity.mature(at=LATER, holding=timedelta(days=30))


def payable(creator: Creator, gateway: PaperGateway) -> Payee:
    """The creator finishes onboarding, and the webhook arrives."""
    payees.onboard(
        creator,
        email=f"{creator.handle}@example.org",
        country="DE",
        gateway=gateway,
        return_url="https://tribute.example/back",
        refresh_url="https://tribute.example/again",
        at=NOON,
    )
    payee = Payee.objects.get(creator=creator)
    gateway.finish_onboarding(payee.account)
    hear(gateway)
    payee.refresh_from_db()
    return payee


def hear(gateway: PaperGateway, *, at: datetime = NOON) -> None:
    """Everything the provider told so far arrives, and is worked through."""
    for event in gateway.events:
        webhooks.store(event, gateway=gateway.name, at=at)
    webhooks.process_stored(gateway=gateway, at=at, limit=1_000)


def tamper(table: str, sql: str, *parameters: Any) -> None:
    """Change rows as whoever owns the database can, triggers off, inside the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, parameters or None)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET ROLE tribute_app")


def attempt(role: str, sql: str) -> None:
    """Run SQL as a role, in a savepoint of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(sql)


def approved(mia: User, noah: User) -> PayoutBatch:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    return payouts.approve(batch, noah, at=NOON)


def of(creator: Creator) -> Payout:
    return Payout.objects.get(creator=creator)


def history(creator: Creator) -> list[str]:
    events = PayoutEvent.objects.filter(payout__creator=creator).order_by("pk")
    return list(events.values_list("to_status", flat=True))


def send(gateway: PaperGateway, at: datetime = NOON) -> int:
    return payouts.send_due(gateway=gateway, at=at, limit=100)


def take_back(creator: Creator, mia: User, noah: User, *, gateway: PaperGateway) -> Payout:
    """One admin proposes to take the creator's payout back, the other confirms."""
    proposal = taking_back.propose(
        of(creator), mia, gateway=gateway, reason="wrong person", at=NOON
    )
    return taking_back.carry_out(proposal, noah, gateway=gateway, factor="totp", at=NOON)


def adjust(row: Reconciliation, mia: User, noah: User, *, reason: str, at: datetime = NOON) -> int:
    """One admin proposes to book a difference, the other confirms."""
    proposal = adjusting.propose(row, mia, reason=reason, at=at)
    return adjusting.carry_out(proposal, noah, factor="totp", at=at)


def sent_minor(gateway: PaperGateway) -> int:
    """What left the platform's balance at the provider, in cents."""
    page = gateway.balance_transactions(since=NOON, cursor=None)
    return -sum(row.amount_minor for row in page.items if row.kind.startswith("transfer"))

"""A small world whose provider has told everything: built alike wherever it is needed.

Also a process of its own: hears the whole history, in an order of its own and some of it twice, and
works through it one event at a time, until nothing waits.

    python -m tests.ledger.event_history SEED
"""

import random
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:  # Django is not set up yet when this is imported
    from ledger.gateway import ProviderEvent
    from ledger.gateway_paper import PaperGateway

TOPUPS = 4
PAUSE_S = 0.03


def provider(*, heard_only: bool = False) -> "PaperGateway":
    """The same provider wherever it is asked for: its ids count upwards, and it is told the same.

    heard_only: stop where the books of the world begin (`tests.ledger.test_event_histories`).
    """
    from ledger.gateway_paper import PaperGateway
    from ledger.models import Payout, TopUp
    from tests.factories import NOON

    gateway = PaperGateway(clock=lambda: NOON)
    topups = list(TopUp.objects.order_by("pk"))
    for topup in topups:
        gateway.checkout(
            key=f"topup:{topup.pk}",
            amount_minor=topup.amount_micros // 10_000,
            currency=topup.currency,
            reference=topup.pk,
            success_url="https://tribute.example/",
            cancel_url="https://tribute.example/",
        )
    for name in ("ada", "ben"):
        payee = gateway.create_payee(reference=name, email=f"{name}@x.example", country="DE")
        gateway.finish_onboarding(payee.id)
    gateway.pay("cs_paper_1", fee_minor=145)
    for payout in Payout.objects.order_by("creator__handle"):
        gateway.transfer(
            key=payout.transfer_key,
            payee_account=payout.account,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            group=payout.group,
            metadata={},
        )
    if not heard_only:
        _go_on(gateway)
    return gateway


def _go_on(gateway: "PaperGateway") -> None:
    """What happened since: pages paid, money taken back and given again, payouts at banks."""
    for number in range(2, TOPUPS + 1):
        gateway.pay(f"cs_paper_{number}")
    for payment, minor in (
        ("pi_paper_1", 700),
        ("pi_paper_2", 2_500),
        ("pi_paper_2", -2_500),
        ("pi_paper_3", 1_111),
        ("pi_paper_3", 1_389),
        ("pi_paper_3", -389),
    ):
        gateway.return_payment(payment, minor)
    _at_bank(gateway, "tr_paper_1", ("in_transit", "paid", "failed"), days=2)
    _at_bank(gateway, "tr_paper_1", ("in_transit", "paid"), days=5)
    _at_bank(gateway, "tr_paper_2", ("in_transit", "failed"), days=2)
    gateway.reverse_transfer(key="back", transfer_id="tr_paper_2", amount_minor=200)


def _at_bank(
    gateway: "PaperGateway", transfer: str, statuses: tuple[str, ...], *, days: int
) -> None:
    """One payout to a bank on its way through its states; each is told, the last one is read."""
    first = gateway.pay_out(transfer, status=statuses[0])
    for status in statuses:
        failure = "account_closed" if status == "failed" else None
        arrives = first.arrives_at + timedelta(days=days)
        gateway._bank_payouts[first.id] = replace(
            first, status=status, failure_code=failure, arrives_at=arrives
        )
        gateway._tell(f"payout.{status}", first.id, account_id=first.account_id)


def hear(gateway: "PaperGateway", events: "Iterable[ProviderEvent]", *, pause_s: float = 0) -> None:
    """Store and work through one event after another; then whatever had to wait for others."""
    from ledger import webhooks
    from ledger.models import ProviderEvent
    from tests.factories import NOON

    at = NOON
    for event in events:
        at += timedelta(minutes=1)
        webhooks.store(event, gateway=gateway.name, at=at)
        webhooks.process_stored(gateway=gateway, at=at, limit=1)
        time.sleep(pause_s)
    while ProviderEvent.objects.filter(processed_at=None).exists():
        at += timedelta(hours=12)
        webhooks.process_stored(gateway=gateway, at=at, limit=100)


def told(gateway: "PaperGateway") -> "list[ProviderEvent]":
    """The history; what a provider's events say of objects is never read, and is of a month ago."""
    return [
        replace(event, created_at=event.created_at - timedelta(days=30)) for event in gateway.events
    ]


def main(seed: int) -> None:
    from django.db import connection

    connection.cursor().execute("SET ROLE tribute_app")
    gateway, chance = provider(), random.Random(seed)
    events = told(gateway)
    order = chance.sample(events * 2, len(events) * 2)
    hear(gateway, order, pause_s=PAUSE_S)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))

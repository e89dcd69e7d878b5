"""Run as a process of its own, twice at once: everything arrives here, and is worked through.

    python -m tests.attribution.delivering_twice SEED

Both processes hear the same webhooks and the same calls, in orders of their own, and settle from
the same queue, until nothing is left to do; whoever is killed meanwhile is started again.
"""

import random
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:  # Django is not set up yet when this is imported
    from ledger.gateway_paper import PaperGateway

CALLS, QUERIES = 12, 25


def main(seed: int) -> None:
    from django.db import connection

    from attribution import queries, worker
    from attribution.models import GenerativeModel, Query
    from ledger import webhooks
    from ledger.models import ProviderEvent
    from tests.attribution.world import GENERATED, MEDLEY, report

    connection.cursor().execute("SET ROLE tribute_app")
    gateway, chance = provider(), random.Random(seed)
    model = GenerativeModel.objects.get()
    calls = [
        [report(model, MEDLEY, external_id=f"{call}-{number}") for number in range(QUERIES)]
        for call in range(CALLS)
    ]
    waiting = True
    days = 0
    while waiting:
        days += 1  # what was put off is due again
        at = GENERATED + timedelta(days=days)
        for event in chance.sample(gateway.events, len(gateway.events)):
            webhooks.store(event, gateway=gateway.name, at=at)
        webhooks.process_stored(gateway=gateway, at=at, limit=100)
        for call in chance.sample(calls, 4):
            queries.receive(model.operator, call, at=at)
            worker.settle_due(at=at, limit=10)
        waiting = (
            Query.objects.count() < CALLS * QUERIES
            or Query.objects.filter(state="received").exists()
            or ProviderEvent.objects.filter(processed_at=None).exists()
        )


def provider() -> "PaperGateway":
    """The same provider in each process: its ids count upwards, and it is told the same."""
    from ledger.gateway_paper import PaperGateway
    from ledger.models import TopUp
    from tests.factories import NOON

    gateway = PaperGateway(clock=lambda: NOON)
    for topup in TopUp.objects.order_by("pk"):
        session = gateway.checkout(
            key=f"topup:{topup.pk}",
            amount_minor=topup.amount_micros // 10_000,
            currency=topup.currency,
            reference=topup.pk,
            success_url="https://tribute.example/",
            cancel_url="https://tribute.example/",
        )
        gateway.pay(session.id)
    return gateway


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))

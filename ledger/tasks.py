"""The ledger's doorbells: each looks whether there is work and does a bounded amount of it."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from ledger import (
    gateway_choice,
    heads,
    holds,
    invariants,
    maturity,
    missed_events,
    payouts,
    reconciliation,
    webhooks,
)

log = logging.getLogger(__name__)


@shared_task(name="ledger.send_due_payouts")
def send_due_payouts() -> int:
    """Send approved payouts."""
    return payouts.send_due(gateway=gateway_choice.configured(), at=timezone.now(), limit=100)


@shared_task(name="ledger.resolve_unknown")
def resolve_unknown() -> int:
    """Look up payouts whose outcome is unknown."""
    return payouts.resolve_unknown(gateway=gateway_choice.configured(), at=timezone.now())


@shared_task(name="ledger.process_provider_events")
def process_provider_events() -> int:
    """Work through stored webhooks."""
    gateway = gateway_choice.configured()
    return webhooks.process_stored(gateway=gateway, at=timezone.now(), limit=100)


@shared_task(name="ledger.fetch_missed_events")
def fetch_missed_events() -> int:
    """Store events whose webhook never came."""
    gateway = gateway_choice.configured()
    return missed_events.fetch(gateway=gateway, at=timezone.now(), accounts=100)


@shared_task(name="ledger.mature")
def mature() -> int:
    """Make earnings available whose holding period is over."""
    return maturity.mature(at=timezone.now(), holding=timedelta(days=settings.HOLDING_DAYS))


@shared_task(name="ledger.expire_holds")
def expire_holds() -> int:
    """Give back what was held and not settled in time."""
    return holds.expire_due(at=timezone.now())


@shared_task(name="ledger.reconcile")
def reconcile() -> int:
    """Compare the books with the provider's list; returns how many currencies differ."""
    found = reconciliation.reconcile(gateway=gateway_choice.configured(), at=timezone.now())
    differing = [row for row in found if not row.agrees]
    for row in differing:
        log.error("reconciliation: %s", row)
    return len(differing)


@shared_task(name="ledger.publish_head")
def publish_head() -> int:
    """Put the newest batch's hash into the transparency log; returns 1 when it was new."""
    return int(heads.publish(at=timezone.now()) is not None)


@shared_task(name="ledger.audit")
def audit() -> int:
    """Check every invariant; returns how many findings were logged."""
    found = invariants.audit(at=timezone.now())
    for finding in found:
        log.error("audit: %s", finding)
    return len(found)

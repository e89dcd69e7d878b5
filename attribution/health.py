"""How the queue of queries does: what an operator of the service is woken by."""

from datetime import datetime, timedelta

from django.db.models import Min

from attribution.models import Query, UsageFlag


def oldest_waiting_age(at: datetime) -> timedelta:
    """Return how long the longest waiting query has waited; nothing when none waits."""
    oldest = Query.objects.waiting().aggregate(oldest=Min("received_at"))["oldest"]
    return max(timedelta(), at - oldest) if oldest else timedelta()


def parked_queries() -> int:
    """Return how many queries wait for a person."""
    return Query.objects.filter(state=Query.State.PARKED).count()


def open_usage_flags() -> int:
    """Return how many oddities of reported usage wait for a person."""
    return UsageFlag.objects.open().count()

"""Events: what happened, told to those whom it concerns; written in the transaction that did it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Q

from registry import log
from registry.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Happening:
    """One event for one owner (the id of an operator or a creator).

    subject: what it is about; the same type and subject again is the same event. data: opaque ids,
    words, times and counts.
    """

    owner: str
    type: str
    subject: str
    data: Mapping[str, Any]


def publish(happenings: Iterable[Happening], *, at: datetime) -> int:
    """Record events for those who have an endpoint for them; return how many are new."""
    wanted = list(happenings)
    listening = _listening({h.owner for h in wanted})
    rows = {
        event.pk: (event, endpoints)
        for h in wanted
        if (endpoints := [e for e in listening[h.owner] if h.type in e.events])
        for event in [_event(h, at)]
    }
    events = [event for event, _ in rows.values()]
    # One that was told before is left as it is, and so are its deliveries.
    WebhookEvent.objects.bulk_create(events, ignore_conflicts=True, batch_size=AT_ONCE)
    new = set(WebhookEvent.objects.filter(pk__in=rows).values_list("pk", flat=True))
    WebhookDelivery.objects.bulk_create(
        (
            WebhookDelivery(endpoint=endpoint, event_id=event, due_at=at)
            for event in rows
            if event in new
            for endpoint in rows[event][1]
        ),
        batch_size=AT_ONCE,
    )
    return len(new)


def test(endpoint: WebhookEndpoint, *, number: str, at: datetime) -> WebhookDelivery:
    """Send a test event to one endpoint, whatever it asked for. number: tells tests apart."""
    owner = endpoint.operator_id or endpoint.creator_id
    assert owner is not None, "webhook_has_exactly_one_owner"
    event = _event(Happening(owner, "webhook.test", number, {"webhook": endpoint.pk}), at)
    event.save(force_insert=True)
    return WebhookDelivery.objects.create(endpoint=endpoint, event=event, due_at=at)


def _listening(owners: set[str]) -> dict[str, Sequence[WebhookEndpoint]]:
    by_owner: dict[str, list[WebhookEndpoint]] = defaultdict(list)
    operators = [owner for owner in owners if owner.startswith("opr_")]
    creators = [owner for owner in owners if owner.startswith("cre_")]
    of_these = Q(operator__in=operators) | Q(creator__in=creators)
    # A disabled endpoint still collects, unless its owner closed it.
    endpoints = WebhookEndpoint.objects.filter(of_these)
    for endpoint in endpoints.exclude(disabled_reason=WebhookEndpoint.Reason.BY_OWNER):
        by_owner[str(endpoint.operator_id or endpoint.creator_id)].append(endpoint)
    return defaultdict(list, by_owner)


def _event(happening: Happening, at: datetime) -> WebhookEvent:
    body = {"type": happening.type, "timestamp": log.instant(at), "data": dict(happening.data)}
    is_operator = happening.owner.startswith("opr_")
    return WebhookEvent(
        operator_id=happening.owner if is_operator else None,
        creator_id=None if is_operator else happening.owner,
        type=happening.type,
        subject=happening.subject,
        body=orjson.dumps(body),
        occurred_at=at,
    )

"""Endpoints: where events are sent, signed with which secrets, and when that stops.

A secret is derived from the service's WEBHOOK_KEY, the endpoint and a number, so that none is
stored; a rotation counts the number up, and the one before signs too for a day.
"""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from registry import fetching
from registry.errors import InvalidWebhook, TooManyWebhooks
from registry.models import Creator, Operator, WebhookEndpoint
from registry.webhooks import signing

Owner = Creator | Operator

OPERATOR_EVENTS = frozenset(
    {
        "revocation.created",
        "revocation.overdue",
        "manifest.ready",
        "manifest.failed",
        "webhook.test",
    }
)
CREATOR_EVENTS = frozenset({"revocation.overdue", "import.ready", "import.failed", "webhook.test"})
MOST_PER_OWNER = 10
BOTH_SECRETS_FOR = timedelta(days=1)


def events_of(owner: Owner) -> frozenset[str]:
    """Return what this kind of owner can be told of."""
    return OPERATOR_EVENTS if isinstance(owner, Operator) else CREATOR_EVENTS


def of(owner: Owner) -> QuerySet[WebhookEndpoint]:
    """Return an owner's endpoints, those that he closed left out."""
    rows = WebhookEndpoint.objects.filter(**_owned_by(owner))
    return rows.exclude(disabled_reason=WebhookEndpoint.Reason.BY_OWNER)


@transaction.atomic
def add(owner: Owner, *, url: str, events: Collection[str], at: datetime) -> WebhookEndpoint:
    """Have events of some types sent to ``url``. Raises InvalidWebhook, TooManyWebhooks."""
    _require_fit(owner, url, events)
    # Two requests at once must not both find room for the last.
    type(owner)._default_manager.select_for_update(no_key=True).get(pk=owner.pk)  # noqa: SLF001 - Django's documented name
    if of(owner).count() >= MOST_PER_OWNER:
        raise TooManyWebhooks(f"there are {MOST_PER_OWNER} already; remove one first")
    return WebhookEndpoint.objects.create(
        **_owned_by(owner), url=url, events=sorted(set(events)), created_at=at
    )


def change(endpoint: WebhookEndpoint, *, url: str, events: Collection[str]) -> None:
    """Send to another address, or other events, from the next delivery on. Raises InvalidWebhook."""
    owner = endpoint.operator or endpoint.creator
    assert owner is not None, "webhook_has_exactly_one_owner"
    _require_fit(owner, url, events)
    endpoint.url, endpoint.events = url, sorted(set(events))
    endpoint.save(update_fields=["url", "events"])


def rotate(endpoint: WebhookEndpoint, *, at: datetime) -> None:
    """Begin a new secret; the one before signs too for BOTH_SECRETS_FOR."""
    with transaction.atomic():
        locked = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        locked.secret_number += 1
        locked.previous_secret_until = at + BOTH_SECRETS_FOR
        locked.save(update_fields=["secret_number", "previous_secret_until"])
    endpoint.refresh_from_db()


def disable(endpoint: WebhookEndpoint, *, reason: WebhookEndpoint.Reason, at: datetime) -> bool:
    """Send nothing more; whether this call did so. What was sent stays on record."""
    enabled = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
    return bool(enabled.update(disabled_at=at, disabled_reason=reason))


def close(endpoint: WebhookEndpoint, *, at: datetime) -> None:
    """Remove an endpoint for its owner, one that is disabled too."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        disabled_at=at, disabled_reason=WebhookEndpoint.Reason.BY_OWNER
    )


def enable(endpoint: WebhookEndpoint) -> None:
    """Send again, what is waiting first."""
    endpoint.disabled_at, endpoint.disabled_reason = None, ""
    endpoint.failing_since = None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])


def secret(endpoint: WebhookEndpoint) -> str:
    """Return the secret in use as its owner configures it."""
    return signing.secret_text(_key(endpoint, endpoint.secret_number))


def signing_keys(endpoint: WebhookEndpoint, *, at: datetime) -> list[bytes]:
    """Return the keys that sign at an instant, the newest first."""
    keys = [_key(endpoint, endpoint.secret_number)]
    if endpoint.previous_secret_until is not None and at < endpoint.previous_secret_until:
        keys.append(_key(endpoint, endpoint.secret_number - 1))
    return keys


def _key(endpoint: WebhookEndpoint, number: int) -> bytes:
    named = f"webhook:{endpoint.pk}:{number}"
    return hmac.digest(settings.WEBHOOK_KEY.encode(), named.encode(), "sha256")


def _owned_by(owner: Owner) -> dict[str, Owner]:
    return {"operator" if isinstance(owner, Operator) else "creator": owner}


def _require_fit(owner: Owner, url: str, events: Collection[str]) -> None:
    if not events or not events_of(owner).issuperset(events):
        raise InvalidWebhook(f"events are some of {sorted(events_of(owner))}")
    if not fetching.may_be_posted_to(url):
        raise InvalidWebhook("the address begins with https:// and a public name")

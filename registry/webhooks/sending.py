"""Send what is due: claim a delivery, try it, note what came. Each of the three stands alone.

A claim is committed before anything is sent, and is good for LEASE: when a worker dies in between,
another sends the same message again under the same id, by which its receiver knows it. Times
between attempts follow the specification's example, some three days in all.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Protocol
from urllib.parse import urlsplit

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from registry import letters
from registry.errors import FetchFailed, FetchRefused
from registry.models import User, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from registry.webhooks import endpoints, signing

LEASE = timedelta(seconds=60)
AGAIN_AFTER = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
DISABLED_AFTER = timedelta(days=5)
GONE = 410


class Post(Protocol):
    """Send a body to an address; return the status. Raises FetchFailed, FetchRefused."""

    def __call__(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
        """Send."""


def send_due(*, post: Post, clock: Callable[[], datetime], until: datetime, limit: int) -> int:
    """Try up to ``limit`` due deliveries, as long as it is before ``until``; return how many."""
    tried = 0
    while tried < limit and clock() < until:
        delivery = _claim(clock())
        if delivery is None:
            break
        answered, trouble = _try(delivery, post, clock())
        _note(delivery, answered, trouble, clock())
        tried += 1
    return tried


def replay(delivery: WebhookDelivery, *, at: datetime) -> None:
    """Send a delivery again, whatever became of it, with all its attempts anew."""
    delivery.status, delivery.delivered_at = WebhookDelivery.Status.PENDING, None
    delivery.attempts_count, delivery.due_at = 0, at
    delivery.save(update_fields=["status", "delivered_at", "attempts_count", "due_at"])


@transaction.atomic
def _claim(at: datetime) -> WebhookDelivery | None:
    due = WebhookDelivery.objects.filter(
        status=WebhookDelivery.Status.PENDING, due_at__lte=at, endpoint__disabled_at=None
    )
    # Those who answer do not wait for those who do not.
    ordered = due.order_by(F("endpoint__failing_since").asc(nulls_first=True), "due_at", "pk")
    locked = ordered.select_for_update(skip_locked=True, of=("self",))
    delivery = locked.select_related("endpoint", "event").first()
    if delivery is not None:
        delivery.attempts_count += 1
        delivery.due_at = at + LEASE
        delivery.save(update_fields=["attempts_count", "due_at"])
    return delivery


def _try(delivery: WebhookDelivery, post: Post, at: datetime) -> tuple[int | None, str]:
    body = bytes(delivery.event.body)
    headers = signing.headers(
        endpoints.signing_keys(delivery.endpoint, at=at),
        message=delivery.event_id,
        timestamp_s=int(at.timestamp()),
        body=body,
    )
    try:
        return post(delivery.endpoint.url, body=body, headers=headers), ""
    except (FetchFailed, FetchRefused) as error:
        return None, _nameless(str(error), delivery.endpoint.url)[:200] or error.code


def _nameless(trouble: str, url: str) -> str:
    """Leave the address out: attempts stay on record when the endpoint's owner was erased."""
    host = urlsplit(url).hostname or url
    return trouble.replace(url, "the address").replace(host, "the host")


@transaction.atomic
def _note(delivery: WebhookDelivery, answered: int | None, trouble: str, at: datetime) -> None:
    WebhookAttempt.objects.create(
        delivery=delivery, tried_at=at, answered=answered, trouble=trouble
    )
    locked = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
    if locked.status == WebhookDelivery.Status.DELIVERED:
        return  # somebody else tried too, after this claim had run out
    if answered is not None and 200 <= answered < 300:  # noqa: PLR2004 - HTTP's successes
        locked.status, locked.delivered_at = WebhookDelivery.Status.DELIVERED, at
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(failing_since=None)
    elif locked.attempts_count > len(AGAIN_AFTER):
        locked.status = WebhookDelivery.Status.FAILED
    else:
        locked.due_at = at + _wait(locked)
    locked.save(update_fields=["status", "delivered_at", "due_at"])
    if locked.status != WebhookDelivery.Status.DELIVERED:
        _note_failure(delivery.endpoint, answered, at)


def _wait(delivery: WebhookDelivery) -> timedelta:
    """Return how long to wait after the latest attempt, up to a tenth longer: not all at once."""
    digest = sha256(f"{delivery.pk}:{delivery.attempts_count}".encode()).digest()
    base = AGAIN_AFTER[max(delivery.attempts_count, 1) - 1]
    return base + base * digest[0] / 2_560


def _note_failure(endpoint: WebhookEndpoint, answered: int | None, at: datetime) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=at)
    endpoint.refresh_from_db()
    since = endpoint.failing_since or at
    if answered == GONE:
        reason = WebhookEndpoint.Reason.GONE
    elif at - since >= DISABLED_AFTER:
        reason = WebhookEndpoint.Reason.FAILING
    else:
        return
    if endpoints.disable(endpoint, reason=reason, at=at):
        notice = partial(_notice, endpoint, since)
        told = letters.for_each_language(_members(endpoint), notice)
        transaction.on_commit(lambda: _post(told))


def _notice(endpoint: WebhookEndpoint, since: datetime) -> tuple[str, str]:
    """Subject and text, in the language in force."""
    said = _(
        "Nothing has arrived at %(url)s since %(since)s UTC, so Tribute stopped sending there. What is "
        "waiting is kept. When the address answers again, enable it:"
    ) % {"url": endpoint.url, "since": f"{since:%Y-%m-%d %H:%M}"}
    subject = f"[Tribute] {_('A webhook was disabled')}"
    return subject, f"{said}\n\n    POST /v1/webhooks/{endpoint.pk}:enable\n"


def _post(told: list[letters.Letter]) -> None:
    for subject, text, people in told:
        send_mail(subject, text, None, people)


def _members(endpoint: WebhookEndpoint) -> list[User]:
    owner = endpoint.operator or endpoint.creator
    assert owner is not None, "webhook_has_exactly_one_owner"
    return list(owner.members.order_by("pk"))

"""Events that no webhook told: found in the provider's list, and stored as if one had.

A provider repeats a webhook for days and then gives it up; its list keeps the event for longer.
Stored under the same id, so that a webhook that comes later after all is a duplicate. Working
through what is stored is `ledger.webhooks`'.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from ledger import gateway as provider
from ledger import webhooks
from ledger.gateway import Gateway, Refused, TryAgain
from ledger.models import EventListing, Payee, Payout, ProviderEvent
from ledger.payees import NOBODY

__all__ = ["Report", "fetch", "report"]

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)
"""How far back the provider's list goes."""
GRACE = timedelta(minutes=10)
"""How long a webhook may take before its event is looked for."""
OVERLAP = timedelta(hours=6)
"""Read again each time, since the list may fill in late."""
WINDOW = timedelta(days=1)
"""How much of our own list is read before how far we came is noted."""
ACCOUNT_PERIOD = timedelta(hours=6)
"""How often a payee's list is read, as far as there is time for all."""
MOST_SEEDED = 1_000
LATE = timedelta(days=7)
"""A list not read for this long is shown: there is time left to mend what keeps it from it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was fetched of late, and how well the lists are read.

    fetched: how many events by type. listed_until: how far our own list was read. accounts: of
    how many payees lists are read; late: how many of them were not for `LATE`; troubled: how many
    the provider would not show.
    """

    fetched: tuple[tuple[str, int], ...]
    listed_until: datetime | None
    accounts: int
    late: int
    troubled: int

    @property
    def total(self) -> int:
        """How many events no webhook told."""
        return sum(count for _, count in self.fetched)


def fetch(*, gateway: Gateway, at: datetime, accounts: int) -> int:
    """Store what the lists have and we do not; returns how many events that were.

    Reads our own list and those of up to ``accounts`` payees, whose were not read for longest.
    Ends early when the provider turns us away: the next run goes on. Raises NotConfigured.
    """
    _seed(gateway)
    lists = EventListing.objects.filter(gateway=gateway.name)
    due = Q(listed_at=None) | Q(listed_at__lte=at - ACCOUNT_PERIOD)
    payees = _of_payees(lists).filter(due).order_by(F("listed_at").asc(nulls_first=True))
    stored = 0
    try:
        for listing in [*lists.filter(account=""), *payees[:accounts]]:
            stored += _read(listing, gateway=gateway, at=at)
    except TryAgain as trouble:
        log.info("events: %s", trouble)
    return stored


def report(*, at: datetime, period: timedelta = KEPT) -> Report:
    """Count what was fetched in the last ``period``."""
    rows = ProviderEvent.objects.filter(fetched=True, received_at__gt=at - period)
    counted = rows.values_list("type").annotate(count=Count("pk")).order_by("-count", "type")
    lists = _of_payees(EventListing.objects.all())
    behind = Q(listed_until=None) | Q(listed_until__lte=at - LATE)
    figures = lists.aggregate(
        accounts=Count("pk"),
        late=Count("pk", filter=behind),
        troubled=Count("pk", filter=~Q(trouble="")),
    )
    platform = EventListing.objects.filter(account="").order_by("-listed_until").first()
    return Report(
        fetched=tuple((str(kind), int(count)) for kind, count in counted),
        listed_until=platform.listed_until if platform else None,
        **figures,
    )


def _seed(gateway: Gateway) -> None:
    """Note the lists there are: ours, and that of every account we send or sent money to."""
    known = EventListing.objects.filter(gateway=gateway.name).values("account")
    here = Payee.objects.exclude(account__startswith=NOBODY)
    payees = here.filter(gateway=gateway.name).exclude(account__in=known)
    earlier = Payout.objects.filter(gateway=gateway.name).exclude(account__in=known)
    accounts = {
        "",
        *payees.values_list("account", flat=True)[:MOST_SEEDED],
        *earlier.values_list("account", flat=True).distinct()[:MOST_SEEDED],
    }
    EventListing.objects.bulk_create(
        (EventListing(gateway=gateway.name, account=account) for account in sorted(accounts)),
        ignore_conflicts=True,
    )


def _of_payees(lists: QuerySet[EventListing]) -> QuerySet[EventListing]:
    """Those of accounts that somebody is paid to, or was: of who left without, nothing is asked."""
    here = {"gateway": OuterRef("gateway"), "account": OuterRef("account")}
    known = Exists(Payee.objects.filter(**here)) | Exists(Payout.objects.filter(**here))
    return lists.filter(known).exclude(account="")


def _read(listing: EventListing, *, gateway: Gateway, at: datetime) -> int:
    """Read one list to its end, piece by piece; a piece counts as read when all of it was."""
    until, begin = at - GRACE, _begin(listing, at=at)
    stored = 0
    while begin < until:
        end = until if listing.account else min(begin + WINDOW, until)
        try:
            pages = gateway.list_events(account_id=listing.account or None, since=begin, until=end)
            for page in pages:
                stored += _store(page, gateway=gateway, at=at)
        except Refused as refusal:
            _note(listing, at=at, trouble=refusal.code)
            return stored
        _note(listing, at=at, listed_until=end)
        begin = end
    return stored


def _begin(listing: EventListing, *, at: datetime) -> datetime:
    oldest = at - KEPT
    if listing.listed_until is None:
        return oldest
    if listing.listed_until < oldest:
        log.error(
            "events of %s between %s and %s are listed no more: what no webhook told of them"
            " only the reconciliation sees",
            listing.account or "the platform",
            listing.listed_until,
            oldest,
        )
    return max(listing.listed_until - OVERLAP, oldest)


def _store(page: Sequence[provider.ProviderEvent], *, gateway: Gateway, at: datetime) -> int:
    ids = [event.id for event in page]
    rows = ProviderEvent.objects.filter(gateway=gateway.name, event_id__in=ids)
    known = set(rows.values_list("event_id", flat=True))
    return sum(
        webhooks.store(event, gateway=gateway.name, at=at, fetched=True)
        for event in page
        if event.id not in known
    )


def _note(
    listing: EventListing, *, at: datetime, listed_until: datetime | None = None, trouble: str = ""
) -> None:
    """Put on record how a reading ended; how far it came never goes back."""
    rows = EventListing.objects.filter(pk=listing.pk)
    rows.update(listed_at=at, trouble=trouble[:200])
    if listed_until:
        further = Q(listed_until=None) | Q(listed_until__lt=listed_until)
        rows.filter(further).update(listed_until=listed_until)

"""Say what changed about a payee since the last payout: the account, the amount, the person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from django.utils.translation import gettext as _

from ledger.models import Payee, Payout
from ledger.money import Money
from ledger.vocabulary import PayoutStatus

ODD_FACTOR = 3
"""From this many times the median on, or below its inverse, an amount is unusual."""
REMEMBERED = 12
"""So many earlier payouts make the median."""
NEW_FOR = timedelta(days=30)
LOOKED_BACK = timedelta(days=800)
_NEVER_SENT = [
    PayoutStatus.PLANNED.value,
    PayoutStatus.CANCELED.value,
    PayoutStatus.FAILED.value,
]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was; ``grave`` ones are where money goes astray."""

    words: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One payout of a batch beside what its creator was paid before."""

    payout: Payout
    previous: Payout | None
    median: Money | None
    changes: tuple[Change, ...]

    @property
    def needs_attention(self) -> bool:
        """Whether something is to be looked at before paying."""
        return bool(self.changes)


def lines(payouts: Iterable[Payout]) -> list[Line]:
    """Return each payout with what changed. Payouts of one currency, their creators read along."""
    rows = list(payouts)
    if not rows:
        return []
    creators = {row.creator_id for row in rows}
    before = _sent_before(rows)
    payees = Payee.objects.in_bulk(creators)
    return [_line(row, before[row.creator_id], payees.get(row.creator_id)) for row in rows]


def _sent_before(rows: Sequence[Payout]) -> dict[str, list[Payout]]:
    """Return the earlier payouts that went out, by creator, the latest first."""
    drawn_up = min(row.created_at for row in rows)
    earlier = Payout.objects.filter(
        creator__in={row.creator_id for row in rows},
        currency=rows[0].currency,
        created_at__lt=drawn_up,
        created_at__gte=drawn_up - LOOKED_BACK,
    ).exclude(status__in=_NEVER_SENT)
    found: dict[str, list[Payout]] = defaultdict(list)
    for payout in earlier.order_by("-created_at", "-pk"):
        if len(found[payout.creator_id]) < REMEMBERED:
            found[payout.creator_id].append(payout)
    return found


def _line(payout: Payout, before: list[Payout], payee: Payee | None) -> Line:
    middle = median_low([each.amount_micros for each in before]) if before else None
    previous = before[0] if before else None
    return Line(
        payout=payout,
        previous=previous,
        median=None if middle is None else Money(middle, payout.currency),
        changes=(
            *_of_account(payout, previous, payee),
            *_of_amount(payout, middle, len(before)),
            *_of_person(payout, previous),
        ),
    )


def _of_account(payout: Payout, previous: Payout | None, payee: Payee | None) -> Iterable[Change]:
    here = (payout.gateway, payout.account)
    if payee is None or (payee.gateway, payee.account) != here:
        yield Change(_("account changed after this was drawn up; it will be held"), grave=True)
    if previous is None:
        yield Change(_("first payout"))
        if payee and payee.created_at > payout.created_at - NEW_FOR:
            yield Change(_("new payee since %(day)s") % {"day": _day(payee.created_at)})
    elif (previous.gateway, previous.account) != here:
        yield Change(_("other bank details than last time"), grave=True)


def _of_amount(payout: Payout, middle: int | None, count: int) -> Iterable[Change]:
    if not middle:
        return
    if payout.amount_micros >= ODD_FACTOR * middle:
        times = payout.amount_micros // middle
        yield Change(
            _("%(times)s times the last payout") % {"times": times}
            if count == 1
            else _("%(times)s times the median of the last %(count)s")
            % {"times": times, "count": count}
        )
    elif payout.amount_micros * ODD_FACTOR <= middle:
        yield Change(_("much less than usual"))


def _of_person(payout: Payout, previous: Payout | None) -> Iterable[Change]:
    verified: datetime | None = payout.creator.identity_verified_at
    if verified is None:
        yield Change(_("identity not verified"), grave=True)
    elif previous and verified > previous.created_at:
        yield Change(_("identity verified anew on %(day)s") % {"day": _day(verified)})


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"

"""Read what a creator earned: totals from the books, months and reasons from contributions."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import dateformat
from django.utils.translation import gettext as _

from attribution.models import Contribution, Query
from ledger import statements
from ledger.models import Batch, Entry
from ledger.money import Money
from portal import amounts
from portal.charts import Chart, bars
from registry.models import Creator

MONTHS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Month:
    """What contributions of one month brought."""

    begins: datetime
    label: str
    amount: Money

    @property
    def period(self) -> str:
        """The month as statements name it: ``YYYY-MM``."""
        return f"{self.begins:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Part:
    """One work's part of one query."""

    title: str
    work_id: str
    words: int
    share_ppm: int
    amount: Money
    withheld: str


@dataclass(frozen=True, slots=True)
class Earning:
    """What one query brought a creator, and why."""

    query: Query
    amount: Money
    parts: list[Part]
    entry_id: int | None
    batch_seq: int | None

    @property
    def more(self) -> int:
        """How many works beside the first."""
        return len(self.parts) - 1


def totals(creator: Creator) -> list[statements.Earnings]:
    """Return the totals of every currency in which the creator ever had money."""
    return [
        statements.earnings(creator, currency=currency)
        for currency in statements.currencies_of(creator)
    ]


def months(creator: Creator, currency: str, *, at: datetime) -> list[Month]:
    """Return what the last six months brought, the present one last; empty months are zero."""
    begins = _last_months(at)
    rows = (
        Contribution.objects.filter(
            creator=creator, query__currency=currency, query__settled_at__gte=begins[0]
        )
        .annotate(month=TruncMonth("query__settled_at"))
        .values_list("month")
        .annotate(micros=Sum("micros"))
    )
    earned = {(month.year, month.month): micros for month, micros in rows}
    return [
        Month(m, dateformat.format(m, _("M Y")), Money(earned.get((m.year, m.month), 0), currency))
        for m in begins
    ]


def chart(of_months: list[Month]) -> Chart:
    """Lay the months out as bars, each labelled with its amount."""
    return bars(
        [
            (
                dateformat.format(m.begins, _("M")),
                m.amount.micros,
                amounts.to_minor_unit(m.amount.micros, m.amount.currency)
                if m.amount.micros
                else "",
            )
            for m in of_months
        ]
    )


def queries(creator: Creator) -> QuerySet[Query]:
    """Return the settled queries to which the creator's works contributed."""
    return Query.objects.paying(creator).select_related("model__operator")


def explained(creator: Creator, page: list[Query]) -> list[Earning]:
    """Return the reasons for a page of queries, in a fixed number of steps."""
    parts: dict[str, list[Part]] = defaultdict(list)
    by_id = {query.pk: query for query in page}
    own = Contribution.objects.filter(query__in=page, creator=creator)
    for row in own.select_related("work").order_by("-micros", "pk"):
        query = by_id[row.query_id]
        assert row.work is not None, "contribution_names_work_and_creator_or_neither"
        parts[query.pk].append(
            Part(
                title=row.work.title,
                work_id=row.work.pk,
                words=row.words,
                share_ppm=row.weight * 1_000_000 // (query.weight or 1),
                amount=Money(row.micros, query.currency),
                withheld=row.withheld,
            )
        )
    entries = {e.key: e for e in Entry.objects.filter(key__in=[q.entry_key for q in page])}
    sequences = dict(
        Batch.objects.filter(batch_id__in={e.batch_id for e in entries.values()}).values_list(
            "batch_id", "seq"
        )
    )
    found = []
    for query in page:
        entry = entries.get(query.entry_key) if query.entry_key else None
        micros = sum(part.amount.micros for part in parts[query.pk])
        found.append(
            Earning(
                query=query,
                amount=Money(micros, query.currency),
                parts=parts[query.pk],
                entry_id=entry.pk if entry else None,
                batch_seq=sequences.get(entry.batch_id) if entry else None,
            )
        )
    return found


def _last_months(at: datetime) -> list[datetime]:
    first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [first]
    while len(found) < MONTHS_SHOWN:
        year, month = found[0].year, found[0].month
        found.insert(
            0,
            found[0].replace(
                year=year - 1 if month == 1 else year, month=12 if month == 1 else month - 1
            ),
        )
    return found

"""Name the months for which there may be a statement of account."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import dateformat
from django.utils.translation import gettext as _

from ledger import statements
from registry.models import Creator, Operator


@dataclass(frozen=True, slots=True)
class Period:
    """One month: ``YYYY-MM``, and its name."""

    period: str
    label: str


def periods(owner: Creator | Operator, *, at: datetime) -> list[Period]:
    """Return every month from the owner's first movement to the present one, the latest first."""
    first = statements.first_month(owner)
    month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [_named(month)]
    while first and first < month:
        month = _before(month)
        found.append(_named(month))
    return found


def _before(month: datetime) -> datetime:
    if month.month == 1:
        return month.replace(year=month.year - 1, month=12)
    return month.replace(month=month.month - 1)


def _named(month: datetime) -> Period:
    return Period(f"{month:%Y-%m}", dateformat.format(month, _("F Y")))

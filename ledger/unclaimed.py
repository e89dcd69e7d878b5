"""Money whose rightsholder is not known, or was erased: kept by the platform until claimed.

It is credited to ``platform:unclaimed`` with the work, or the creator that was erased, as its
subject (`ledger.set_asides.record`). Whether a claim is true is the registry's to say.
"""

from datetime import datetime, timedelta

from ledger import set_asides
from ledger.accounts import AccountKind
from ledger.money import Money
from registry.models import Creator

__all__ = ["claim"]


def claim(subject: str, *, by: Creator, holding: timedelta, at: datetime) -> list[Money]:
    """Give the rightsholder all that waits for a work or creator. See `set_asides.release`."""
    return set_asides.release(AccountKind.UNCLAIMED, subject, to={by.pk: 1}, holding=holding, at=at)

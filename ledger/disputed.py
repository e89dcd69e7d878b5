"""Money of works that are contested: set aside with the claimant, released to who is right.

While two creators claim a work, what it earns is credited to CREATOR_DISPUTED accounts, with the
work as its subject (`ledger.set_asides.record`). Who is right is the registry's to say.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ledger import set_asides
from ledger.accounts import AccountKind
from ledger.money import Money

__all__ = ["release"]


def release(
    work_id: str, *, to: Mapping[str, int], holding: timedelta, at: datetime
) -> list[Money]:
    """Give what was set aside for a work to the creators it belongs to. See `set_asides.release`.

    to: weights by creator's id; one creator, or co-owners by their shares.
    """
    return set_asides.release(AccountKind.CREATOR_DISPUTED, work_id, to=to, holding=holding, at=at)

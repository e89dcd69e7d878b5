"""Own the words for what keeps somebody here, and where it is brought to an end."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from attribution.departures import Blocker
from ledger.money import Money
from portal.wording import Words

WHY: dict[str, Words] = {
    "operator": _("You are the only member of this operator: hand it over, or have it closed"),
    "dispute": _("A dispute about a work of yours is open"),
    "payout": _("A payout is on its way"),
    "debt": _("A payer took money back, and this much is owed"),
    "disputed": _("Money waits until it is decided whose it is"),
    "reserved": _("Money is held for something that is not settled yet"),
    "money": _("Money is left: be paid first, or leave it behind"),
}
"""By the words of ``attribution.departures`` and ``ledger.leaving``."""

_PAGES = {
    "dispute": "portal:disputes",
    "disputed": "portal:disputes",
    "payout": "portal:payouts",
    "money": "portal:payouts",
    "debt": "portal:payouts",
    "reserved": "portal:payouts",
    "operator": "portal:operator",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One blocker for people: why, the id or name of it, how much, and where it ends."""

    why: Words
    subject: str
    money: Money | None
    url: str


def obstacle(blocker: Blocker) -> Obstacle:
    """Say what a blocker is."""
    kind, subject, money = blocker
    return Obstacle(WHY[kind], subject, money, reverse(_PAGES[kind]))

"""The desks of payout admins: pages that belong together, with their ways between them."""

from django.urls import reverse
from django.utils.translation import gettext as _

Way = tuple[str, str]
"""The address of a page and what it is called."""


def money() -> list[Way]:
    """Return the pages about payouts and the books."""
    return [
        (reverse("portal:payout-batches"), _("Batches")),
        (reverse("portal:stuck"), _("Waiting")),
        (reverse("portal:reconciliations"), _("Reconciliation")),
        (reverse("portal:proposals"), _("Proposals")),
        (reverse("portal:set-asides"), _("Set aside")),
        (reverse("portal:debts"), _("Debts")),
        (reverse("portal:audit"), _("Audit")),
        (reverse("portal:journal"), _("Journal")),
    ]


def attribution() -> list[Way]:
    """Return the pages about who earns what, and by whose reports."""
    return [
        (reverse("portal:usage-flags"), _("Usage flags")),
        (reverse("portal:held-by-cap"), _("Held by a cap")),
        (reverse("portal:related-parties"), _("Related parties")),
        (reverse("portal:shadow-runs"), _("Shadow runs")),
    ]


def around(here: str) -> list[Way]:
    """Return the desk at which the page ``here`` lies: that of money for all others."""
    others = attribution()
    return others if any(here.startswith(url) for url, _label in others) else money()

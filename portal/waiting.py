"""Read what waits for a person, each with the page or the button that undoes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import payouts
from ledger.line_decisions import BY_ADMIN
from ledger.models import Payout, PayoutBatch, ProviderEvent, TopUp
from ledger.money import Money
from ledger.observing import DOUBLED
from ledger.sending import OWES
from ledger.stuck import TRANSFER_DIFFERS, Stuck
from ledger.vocabulary import BANK, BatchStatus, PayoutStatus
from portal import deeds, line_deeds, states
from portal.line_deeds import LineDeed
from portal.wording import Words
from registry.models import User

_LOOKED_UP = gettext_lazy("It is looked up every minute: see whether the provider answers.")
_PAYOUTS: dict[str, Words] = {
    PayoutStatus.RESERVED: gettext_lazy("Look at what its batch waits for."),
    PayoutStatus.SENDING: _LOOKED_UP,
    PayoutStatus.UNKNOWN: _LOOKED_UP,
    PayoutStatus.HELD: gettext_lazy("The payee completes the account, or the line is taken out."),
    PayoutStatus.BANK_FAILED: gettext_lazy(
        "The payee corrects the bank account; else the transfer is taken back."
    ),
}
_TROUBLES: dict[str, Words] = {
    BY_ADMIN: gettext_lazy("Release it, or take it out of the batch."),
    DOUBLED: gettext_lazy(
        "Take the transfers that are too many back at the provider, and ask it then. If that cannot "
        "be done, somebody who did not draw the batch up lets the platform bear them."
    ),
    OWES: gettext_lazy(
        "The payee settles with the provider; the account is asked again every hour. Else take the "
        "line out."
    ),
    TRANSFER_DIFFERS: gettext_lazy(
        "Take the other transfer back at the provider; then somebody who did not draw the batch "
        "up settles it."
    ),
}
_BATCHES: dict[str, Words] = {
    "funds": gettext_lazy("Top the provider’s balance up; sending goes on by itself."),
    "lines_changed": gettext_lazy(
        "Find out who changed the lines. Once they are as approved, let it go on; else call it off."
    ),
    BatchStatus.DRAFT: gettext_lazy("Submit it or throw it away; until then none is drawn up."),
    BatchStatus.SUBMITTED: gettext_lazy("A second admin approves it, or somebody calls it off."),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits. ``url`` leads to it; ``deeds`` can be done here, with a reason."""

    stuck: Stuck
    kind: Words
    name: str
    url: str
    money: Money | None
    state: Words
    trouble: Words
    action: Words
    deeds: tuple[LineDeed, ...] = ()


def waiting(admin: User, *, at: datetime, hours: int) -> list[Waiting]:
    """Return what has waited for longer than so many hours, the oldest first."""
    found = payouts.stuck(at=at, older_than=timedelta(hours=hours))
    ids: dict[str, list[str]] = {}
    for each in found:
        ids.setdefault(each.kind, []).append(each.id)
    lines = Payout.objects.select_related("creator__payee", "batch").in_bulk(ids.get("payout", []))
    batches = PayoutBatch.objects.in_bulk(ids.get("batch", []))
    topups = TopUp.objects.select_related("operator").in_bulk(ids.get("topup", []))
    events = ProviderEvent.objects.defer("payload").in_bulk(ids.get("event", []))
    return [
        _payout(each, lines[each.id], admin)
        if each.kind == "payout"
        else _batch(each, batches[each.id])
        if each.kind == "batch"
        else _topup(each, topups[each.id])
        if each.kind == "topup"
        else _event(each, events[each.id])
        for each in found
    ]


def _payout(stuck: Stuck, payout: Payout, admin: User) -> Waiting:
    action = _TROUBLES.get(payout.trouble) or _PAYOUTS.get(payout.status, "")
    if payout.gateway == BANK and payout.status == PayoutStatus.SENDING:
        action = _("Tell the bank’s answer.")
    elif payout.gateway == BANK and payout.status == PayoutStatus.RESERVED:
        action = _("Issue the payment file on the batch’s page.")
    return Waiting(
        stuck=stuck,
        kind=_("Payout"),
        name=payout.creator.display_name,
        url=reverse("portal:payout-line", args=[payout.pk]),
        money=payout.amount,
        state=states.PAYOUTS[PayoutStatus(payout.status)].word,
        trouble=deeds.trouble(payout.trouble),
        action=action,
        deeds=tuple(line_deeds.offered(payout, admin)),
    )


def _batch(stuck: Stuck, batch: PayoutBatch) -> Waiting:
    return Waiting(
        stuck=stuck,
        kind=_("Batch"),
        name=f"{batch.currency} {batch.prepared_at:%Y-%m-%d}",
        url=reverse("portal:payout-batch", args=[batch.pk]),
        money=None,
        state=states.BATCHES[BatchStatus(batch.status)].word,
        trouble=deeds.trouble(batch.waits_for),
        action=_BATCHES.get(batch.waits_for or batch.status, ""),
    )


def _topup(stuck: Stuck, topup: TopUp) -> Waiting:
    return Waiting(
        stuck=stuck,
        kind=_("Top-up"),
        name=topup.operator.name,
        url="",
        money=topup.amount,
        state=_("Not paid yet"),
        trouble="",
        action=_("Ask the provider whether it was paid; if not, nothing is owed."),
    )


def _event(stuck: Stuck, event: ProviderEvent) -> Waiting:
    return Waiting(
        stuck=stuck,
        kind=_("Provider’s message"),
        name=event.type,
        url="",
        money=None,
        state=_("Given up"),
        trouble=event.trouble,
        action=_("Remove what stood in its way, then have it worked through again."),
    )

"""Take a payout back from its payee: one admin proposes it, another confirms, the provider is asked.

The money is the creator's available balance again once the provider says that it came back.
"""

from datetime import datetime

from django.db import transaction

from ledger import journal, observing, payout_steps, proposals
from ledger.errors import WrongState
from ledger.gateway import Gateway, Refused
from ledger.models import Payout, PayoutEvent, Proposal
from ledger.money import minor_unit_micros
from ledger.payout_steps import SENT
from ledger.proposals import Lines
from ledger.vocabulary import Deed, ProposalStatus, Proposed
from registry.models import User

__all__ = ["carry_out", "lines", "propose"]

_ASKED, _REFUSED = "asked the provider to take it back", "the provider refused to take it back"


def lines(payout: Payout) -> Lines:
    """What would be asked for: all of the transfer that is not back yet.

    Raises WrongState when nothing is left to reverse.
    """
    if payout.status not in SENT or payout.reversed_micros == payout.amount_micros:
        raise WrongState(
            f"{payout.pk} by {payout.gateway} is {payout.status}: there is nothing to take back"
        )
    return {
        "payout": payout.pk,
        "creator": payout.creator_id,
        "gateway": payout.gateway,
        "transfer": payout.transfer_id,
        "currency": payout.currency,
        "micros": payout.amount_micros - payout.reversed_micros,
        "back_before": payout.reversed_micros,
        "refused_before": payout.events.filter(reason=_REFUSED).count(),
    }


def propose(  # noqa: PLR0913 - a proposal is said in full, each part by name
    payout: Payout,
    admin: User,
    *,
    gateway: Gateway,
    reason: str,
    at: datetime,
    dry_run: bool = False,
) -> Proposal:
    """Propose to ask for a transfer back; a dry run keeps nothing.

    Raises WrongState when nothing is left to reverse or another provider has it, OwnMatter, and
    what `proposals.propose` raises.
    """
    journal.require_admin(admin)
    if payout.gateway != gateway.name:
        raise WrongState(f"{payout.pk} is not at {gateway.name}")
    proposals.require_stranger(admin, [payout.creator_id])
    return proposals.propose(
        Proposed.TAKE_BACK,
        payout.pk,
        admin,
        lines=lines(payout),
        reason=reason,
        at=at,
        dry_run=dry_run,
    )


def carry_out(
    proposal: Proposal, admin: User, *, gateway: Gateway, factor: str, at: datetime
) -> Payout:
    """Ask the provider to reverse exactly what was proposed, as the second admin.

    After OutcomeUnknown, say it again or wait for the webhook: it is one request, under one key. A
    refusal because the money came back before, unheard, is none; after any other it takes a new
    proposal. Raises OwnMatter, what `lines` and `proposals.confirm` raise, and what the gateway
    raises.
    """
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(proposal.subject)
        proposals.require_stranger(admin, [payout.creator_id])
        if payout.gateway != gateway.name:
            raise WrongState(f"{payout.pk} is not at {gateway.name}")
        asked = lines(payout)
        if proposal.status == ProposalStatus.CONFIRMED:
            _require_same(proposal, admin, asked, factor=factor)
        else:
            proposal = proposals.confirm(proposal, admin, lines=asked, factor=factor, at=at)
        left, refused = payout.amount_micros - payout.reversed_micros, asked["refused_before"]
        _note(payout, _ASKED, admin, at=at)
        journal.record(
            admin,
            Deed.TAKEN_BACK,
            payout=payout,
            proposal=proposal,
            reason=proposal.reason,
            at=at,
            micros=left,
            factor=factor,
        )
    try:
        gateway.reverse_transfer(
            key=f"payout:{payout.pk}:reverse:{payout.reversed_micros}:{refused}",
            transfer_id=payout.transfer_id,
            amount_minor=left // minor_unit_micros(payout.currency),
        )
    except Refused:
        with transaction.atomic(durable=True):
            _note(payout_steps.locked(payout.pk), _REFUSED, admin, at=at)
        seen = _seen(payout, gateway=gateway, at=at)
        if seen.reversed_micros == payout.reversed_micros:
            raise
        return seen
    return _seen(payout, gateway=gateway, at=at)


def _require_same(proposal: Proposal, admin: User, asked: Lines, *, factor: str) -> None:
    """Let a confirmed proposal be said again while nothing has come of it."""
    proposals.require_another(proposal, admin, factor=factor)
    if proposals.digest(asked) != proposal.digest:
        raise WrongState(f"{proposal.pk} was asked for, and answered")


def _seen(payout: Payout, *, gateway: Gateway, at: datetime) -> Payout:
    """Apply what the provider has of a payout by now."""
    found = gateway.find_transfers(group=payout.group)
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(payout.pk)
        observing.apply_transfers(payout, found, at=at)
    return payout


def _note(payout: Payout, reason: str, admin: User, *, at: datetime) -> None:
    PayoutEvent.objects.create(
        payout=payout,
        from_status=payout.status,
        to_status=payout.status,
        reason=reason,
        by=admin,
        at=at,
    )

"""Book what a comparison found missing to the platform; one proposes it, another confirms.

For what no later event will explain. What the figures are is `ledger.reconciliation`'s to say.
"""

from datetime import datetime

from django.db import connection, transaction

from ledger import journal, proposals
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.errors import WrongState
from ledger.models import Proposal, Reconciliation
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.proposals import Lines
from ledger.reconciliation import clearing
from ledger.vocabulary import Deed, Proposed
from registry.models import User

__all__ = ["carry_out", "lines", "propose", "subject"]


def subject(row: Reconciliation) -> str:
    """How a comparison is called in proposals and in the journal."""
    return f"{row.currency} {row.pk}"


def lines(row: Reconciliation) -> Lines:
    """What would be booked: from the platform's fee account to the clearing account, or back.

    Raises WrongState unless it is its currency's newest comparison, the books still say the same,
    and the provider's own list and balance agree.
    """
    newest = Reconciliation.objects.filter(currency=row.currency).latest("compared_at", "pk")
    missing = row.provider_micros - row.ledger_micros
    same = row.ledger_micros == -clearing().get(row.currency, 0)
    if newest.pk != row.pk or not same or not missing:
        raise WrongState(f"comparison {row.pk} is not what the books say now: compare again")
    if row.provider_micros != row.balance_micros:
        raise WrongState("the provider's list and balance differ from one another")
    return {
        "comparison": row.pk,
        "currency": row.currency,
        "micros": missing,
        "from": f"platform:provider-clearing:{row.currency}",
        "to": f"platform:fee:{row.currency}",
    }


def propose(
    row: Reconciliation, admin: User, *, reason: str, at: datetime, dry_run: bool = False
) -> Proposal:
    """Propose to book a difference; a dry run keeps nothing. Raises what `lines` and `proposals.propose` raise."""
    journal.require_admin(admin)
    return proposals.propose(
        Proposed.ADJUST,
        subject(row),
        admin,
        lines=lines(row),
        reason=reason,
        at=at,
        dry_run=dry_run,
    )


def carry_out(proposal: Proposal, admin: User, *, factor: str, at: datetime) -> int:
    """Book exactly what was proposed, as the second admin. Returns the entry's id.

    Raises what `lines` and `proposals.confirm` raise.
    """
    row = Reconciliation.objects.get(pk=int(proposal.subject.rpartition(" ")[2]))
    fee: AccountKey = (AccountKind.PLATFORM_FEE, None, row.currency)
    at_provider: AccountKey = (AccountKind.PROVIDER_CLEARING, None, row.currency)
    # Opened before the lane is held: who opens an account may wait for the lane.
    ids = account_ids([at_provider, fee])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        proposal = proposals.confirm(proposal, admin, lines=lines(row), factor=factor, at=at)
        missing = row.provider_micros - row.ledger_micros
        draft = Draft(
            key=key_for(f"reconciliation:{row.pk}:adjusted"),
            kind=EntryKind.ADJUSTMENT,
            currency=row.currency,
            legs=((ids[at_provider], -missing), (ids[fee], missing)),
            effective_at=at,
        )
        entry = post([draft], at=at).entry_ids[draft.key]
        journal.record(
            admin,
            Deed.ADJUSTED,
            proposal=proposal,
            subject=proposal.subject,
            reason=proposal.reason,
            at=at,
            micros=missing,
            entry=entry,
            factor=factor,
        )
    return entry

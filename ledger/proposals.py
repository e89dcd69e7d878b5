"""What takes two admins: one proposes exact lines, another confirms exactly these.

Owns the two persons, the digest and the record. What the lines mean, whether they still hold and
what is done then is said by whoever calls: `ledger.adjusting`, `ledger.taking_back`,
`ledger.aside_decisions`, and above.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from ledger import journal
from ledger.errors import (
    FactorMissing,
    LinesChanged,
    MakerIsChecker,
    OwnMatter,
    ProposalOpen,
    WrongState,
)
from ledger.models import Proposal
from ledger.vocabulary import Deed, ProposalStatus, Proposed
from registry.models import ClaimConflict, Creator, User

__all__ = [
    "Lines",
    "confirm",
    "digest",
    "parties",
    "propose",
    "require_another",
    "require_stranger",
    "withdraw",
]

Lines = Mapping[str, object]
"""What a proposal is for: JSON, whole numbers and words only."""


def propose(  # noqa: PLR0913 - a proposal is said in full, each part by name
    deed: Proposed,
    subject: str,
    admin: User,
    *,
    lines: Lines,
    reason: str,
    at: datetime,
    dry_run: bool = False,
) -> Proposal:
    """Put a proposal on record; on a dry run only return what it would be, without an id.

    Raises ProposalOpen, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    if Proposal.objects.filter(subject=subject, status=ProposalStatus.OPEN).exists():
        raise ProposalOpen(f"a proposal about {subject} waits already")
    written = _written(lines)
    proposal = Proposal(
        deed=deed.value,
        subject=subject,
        reason=why,
        lines=written,
        lines_digest=hashlib.sha256(written.encode()).digest(),
        proposed_by=admin,
        proposed_at=at,
    )
    if dry_run:
        proposal.pk = None  # type: ignore[assignment]  # it is not kept, so it has no name
        return proposal
    try:
        with transaction.atomic():
            proposal.save(force_insert=True)
            journal.record(
                admin,
                Deed.PROPOSED,
                proposal=proposal,
                subject=subject,
                reason=why,
                at=at,
                type=deed.value,
                digest=proposal.digest,
            )
    except IntegrityError as error:
        raise ProposalOpen(f"a proposal about {subject} waits already") from error
    return proposal


def confirm(
    proposal: Proposal, admin: User, *, lines: Lines | None, factor: str, at: datetime
) -> Proposal:
    """Mark a proposal as confirmed, in the transaction that does what it says.

    lines: what it would be for if it were proposed now; None when there is nothing to do any more.
    factor: how the admin has just proved to be there. Raises MakerIsChecker, LinesChanged,
    WrongState, FactorMissing, NotPayoutAdmin.
    """
    row = _locked(proposal)
    require_another(row, admin, factor=factor)
    if lines is None or _written(lines) != row.lines:
        raise LinesChanged(f"{row.pk} was proposed for something else than what would be done now")
    row.status, row.factor = ProposalStatus.CONFIRMED.value, factor[:20]
    row.decided_by, row.decided_at = admin, at
    row.save(update_fields=["status", "factor", "decided_by", "decided_at"])
    return row


def withdraw(proposal: Proposal, admin: User, *, reason: str, at: datetime) -> Proposal:
    """Let a proposal come to nothing; any admin may. Raises WrongState, ReasonMissing."""
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        row = _locked(proposal)
        row.status, row.answer = ProposalStatus.WITHDRAWN.value, why
        row.decided_by, row.decided_at = admin, at
        row.save(update_fields=["status", "answer", "decided_by", "decided_at"])
        journal.record(
            admin,
            Deed.PROPOSAL_WITHDRAWN,
            proposal=row,
            subject=row.subject,
            reason=why,
            at=at,
            type=row.deed,
        )
    return row


def require_another(proposal: Proposal, admin: User, *, factor: str) -> None:
    """Raise MakerIsChecker for who proposed it; FactorMissing, NotPayoutAdmin."""
    journal.require_admin(admin)
    if admin.pk == proposal.proposed_by_id:
        raise MakerIsChecker(f"{admin.pk} proposed {proposal.pk}")
    if not factor:
        raise FactorMissing("show a second factor first")


def require_stranger(admin: User, creators: Iterable[str]) -> None:
    """Let nobody decide about what is, or may become, the own creator's. Raises OwnMatter."""
    if mine := Creator.objects.filter(pk__in=set(creators), members=admin).first():
        raise OwnMatter(f"{admin.pk} belongs to {mine.pk}")


def parties(subject: str) -> set[str]:
    """Whom a work or creator concerns: itself, its owners, and those whose works contest it."""
    if subject.startswith("cre_"):
        return {subject}
    conflicts = ClaimConflict.objects.filter(Q(work=subject) | Q(other=subject))
    works = {subject, *(side for pair in conflicts.values_list("work", "other") for side in pair)}
    rows = Creator.objects.filter(shares__work__in=works)
    return set(rows.values_list("pk", flat=True))


def digest(lines: Lines) -> str:
    """The digest that a proposal of these lines would have."""
    return hashlib.sha256(_written(lines).encode()).hexdigest()


def _written(lines: Lines) -> str:
    """One text for the same lines: names in order, no blanks, no letters beyond ASCII."""
    return json.dumps(lines, sort_keys=True, separators=(",", ":"))


def _locked(proposal: Proposal) -> Proposal:
    row = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if not row.is_open:
        raise WrongState(f"{row.pk} is {row.status}, not open")
    return row

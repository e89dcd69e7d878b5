"""Decide about money that passed a model's cap: release it to the creators, or redirect it.

Owns what waits for which work, the evidence, and the decision with its reason: one admin proposes
it, another confirms. ``attribution.caps``
says what is held; the money itself is moved by the ledger, all that waits for a work at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from attribution import escrow
from attribution.eligibility import Escrow
from attribution.errors import EarningsClaimed, NothingHeld, OwnMatter
from attribution.models import CapReview, Contribution
from ledger import aside_decisions, journal, proposals, set_asides
from ledger.accounts import AccountKind
from ledger.models import Entry, Proposal, SetAside
from ledger.money import Money
from ledger.vocabulary import Proposed
from registry.models import Creator, User, Work

Decision = CapReview.Decision
DEEDS = {
    Decision.RELEASED: Proposed.RELEASE_CAPPED,
    Decision.REDIRECTED: Proposed.REDIRECT_CAPPED,
}
"""How each decision is proposed."""
_MAX_REASON = 400
WORKS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Held:
    """What waits for one work, in ``queries`` queries since a first one."""

    work: Work
    amount: Money
    queries: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """What a work earned from one operator's model on one UTC day beyond the model's ``cap``."""

    day: datetime
    operator: str
    model: str
    cap: Money | None
    held: Money
    queries: int


def held() -> list[Held]:
    """Return what waits, the largest amount first, up to 200 works and currencies."""
    rows = list(
        _waiting()
        .values("subject", "currency")
        .annotate(micros=Sum("amount_micros"), queries=Count("entry_id"), since=Min("set_aside_at"))
        .order_by("-micros", "subject")[:WORKS_AT_ONCE]
    )
    works = Work.objects.in_bulk({row["subject"] for row in rows})
    return [
        Held(
            works[row["subject"]],
            Money(row["micros"], row["currency"]),
            row["queries"],
            row["since"],
        )
        for row in rows
    ]


def evidence(work: Work) -> list[Day]:
    """Return, by day and model, what of the work's earnings is held."""
    rows = (
        _held_of(work)
        .annotate(day=TruncDate("query__settled_at"), cap=F("query__model__work_cap_micros"))
        .values_list(
            "day",
            "query__operator__name",
            "query__model__name",
            "query__model__version",
            "cap",
            "query__currency",
        )
        .annotate(micros=Sum("micros"), queries=Count("query", distinct=True))
        .order_by("-day", "query__operator__name")
    )
    return [
        Day(
            day,
            operator,
            f"{name} {version}",
            None if cap is None else Money(cap, currency),
            Money(micros, currency),
            queries,
        )
        for day, operator, name, version, cap, currency, micros, queries in rows
    ]


def lines(
    work: Work, decision: Decision, *, at: datetime, through: int | None = None
) -> proposals.Lines:
    """What a decision would move: all that waits for a work, and to whom.

    Released, it goes to the creators who earned it; after a claim was decided against them, to
    those who were found right. Redirected, it goes to the pool. through: nothing recorded under a
    higher id. Raises NothingHeld, and EarningsClaimed while it is open whose the work is.
    """
    earned = _earned_by(work, through=through)
    to: Mapping[str, int] = {}
    if decision == Decision.RELEASED:
        to = escrow.entitled(work.pk, earned)
        if escrow.bound({work.pk}, at=at) or not to:
            raise EarningsClaimed(f"whose {work.pk} is, is not decided for good")
    found = aside_decisions.lines(work.pk, kind=AccountKind.UNCLAIMED, through=through)
    return {**found, "to": decision.value, "weights": dict(to)}


def propose(  # noqa: PLR0913 - a proposal is said in full, each part by name
    work: Work,
    admin: User,
    decision: Decision,
    *,
    reason: str,
    at: datetime,
    dry_run: bool = False,
) -> Proposal:
    """Propose to release or redirect all that waits for a work now; a dry run keeps nothing.

    Raises OwnMatter, what `lines` raises, and what `ledger.proposals.propose` raises.
    """
    journal.require_admin(admin)
    _require_stranger(work, admin)
    return proposals.propose(
        DEEDS[decision],
        work.pk,
        admin,
        lines=lines(work, decision, at=at),
        reason=reason[:_MAX_REASON],
        at=at,
        dry_run=dry_run,
    )


@transaction.atomic
def carry_out(
    proposal: Proposal, admin: User, *, factor: str, holding: timedelta, at: datetime
) -> list[Money]:
    """Move exactly what was proposed, as the second admin; one amount a currency.

    What has waited for ``holding`` is available at once, the rest pending. Raises OwnMatter, what
    `lines` raises, and what `ledger.proposals.confirm` raises.
    """
    work = Work.objects.get(pk=proposal.subject)
    _require_stranger(work, admin)
    told = proposal.told
    decision, through = Decision(told["to"]), int(told["through"])
    aside_decisions.lock(work.pk, through=through)
    now = lines(work, decision, at=at, through=through)
    proposal = proposals.confirm(proposal, admin, lines=now, factor=factor, at=at)
    if decision == Decision.RELEASED:
        moved = set_asides.release(
            AccountKind.UNCLAIMED,
            work.pk,
            to=told["weights"],
            holding=holding,
            at=at,
            through=through,
        )
    else:
        moved = set_asides.redirect(
            AccountKind.UNCLAIMED, work.pk, to=AccountKind.POOL, at=at, through=through
        )
    aside_decisions.record(proposal, admin, moved, factor=factor, at=at)
    review = CapReview(work=work, reviewed_by=admin, reason=proposal.reason, reviewed_at=at)
    _record(review, moved, decision=decision)
    return moved


def _require_stranger(work: Work, admin: User) -> None:
    """Let nobody decide about what one's own works earned, or a work that contests them."""
    if Creator.objects.filter(pk__in=proposals.parties(work.pk), members=admin).exists():
        raise OwnMatter(f"{admin.pk} has a part in {work.pk}")


def _record(said: CapReview, moved: list[Money], *, decision: Decision) -> None:
    """Keep the decision for each currency. Raises NothingHeld when another came first."""
    if not moved:
        raise NothingHeld(f"nothing waits for {said.work_id} any more")
    for amount in moved:
        CapReview.objects.create(
            work_id=said.work_id,
            decision=decision,
            amount_micros=amount.micros,
            currency=amount.currency,
            reason=said.reason,
            reviewed_by_id=said.reviewed_by_id,
            reviewed_at=said.reviewed_at,
        )


def _waiting() -> QuerySet[SetAside]:
    """Return what waits for works, not for creators who are unknown or were erased."""
    return SetAside.objects.filter(
        released_at=None, account__kind=AccountKind.UNCLAIMED, subject__startswith="wrk_"
    )


def _held_of(work: Work, *, through: int | None = None) -> QuerySet[Contribution]:
    rows = _waiting().filter(subject=work.pk)
    if through is not None:
        rows = rows.filter(pk__lte=through)
    entries = rows.values_list("entry_id", flat=True)
    keys = Entry.objects.filter(pk__in=list(entries)).values_list("key", flat=True)
    return Contribution.objects.filter(
        Q(work=work, escrow=Escrow.CAP), query__entry_key__in=list(keys)
    )


def _earned_by(work: Work, *, through: int | None) -> Mapping[str, int]:
    """Return what waits for each creator of a work, in micros. Raises NothingHeld."""
    rows = _held_of(work, through=through).values_list("creator_id").annotate(micros=Sum("micros"))
    found = {str(creator): micros for creator, micros in rows.order_by("creator_id") if micros}
    if not found:
        raise NothingHeld(f"nothing waits for {work.pk}")
    return found

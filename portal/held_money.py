"""Read money that was set apart: whose it may be, why it waits, and since when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from attribution.models import Contribution
from ledger.models import SetAside
from ledger.money import Money
from ledger.vocabulary import AccountKind
from portal.wording import Words
from registry.models import ClaimConflict, Creator, Work

WHY: dict[str, Words] = {
    "claim": _("two creators claim the work"),
    "cap": _("it earned more in a day than its model’s limit lets pass unseen"),
    "unclaimed": _("nobody known made it, or its creator has left"),
    "": _("whose it is, is contested"),
}


@dataclass(frozen=True, slots=True)
class Claimant:
    """A creator for whom part of it lies apart."""

    creator: Creator
    money: Money


@dataclass(frozen=True, slots=True)
class Held:
    """What waits for one work or creator in one currency."""

    subject: str
    kind: AccountKind
    title: str
    work: Work | None
    money: Money
    parts: int
    since: datetime
    claimants: tuple[Claimant, ...]
    reasons: tuple[Words, ...]
    open_claims: int

    @property
    def disputed(self) -> bool:
        """Whether it lies with creators, and not with the platform."""
        return self.kind == AccountKind.CREATOR_DISPUTED


def waiting(subject: str = "") -> list[Held]:
    """Return what is set apart, the largest first; of one subject if one is named."""
    rows = SetAside.objects.filter(released_at=None)
    return _held(rows.filter(subject=subject) if subject else rows)


def of_creator(creator: Creator) -> list[Held]:
    """Return what is set apart for one creator."""
    return _held(SetAside.objects.filter(released_at=None, account__creator=creator))


def _held(rows: QuerySet[SetAside]) -> list[Held]:
    grouped = (
        rows.values("subject", "currency", "account__kind", "account__creator")
        .annotate(micros=Sum("amount_micros"), parts=Count("pk"), since=Min("set_aside_at"))
        .order_by("subject")
    )
    heaps: dict[tuple[str, str, int], list[dict[str, object]]] = defaultdict(list)
    for row in grouped:
        heaps[row["subject"], row["currency"], row["account__kind"]].append(dict(row))
    subjects = {key[0] for key in heaps}
    works = Work.objects.in_bulk([s for s in subjects if s.startswith("wrk_")])
    owners = {row["account__creator"] for heap in heaps.values() for row in heap}
    left = {s for s in subjects if s.startswith("cre_")}
    people = Creator.objects.in_bulk({*left, *(str(owner) for owner in owners if owner)})
    reasons, claims = _reasons(works), _open_claims(works)
    found = [
        _one(subject, code, AccountKind(kind), heap, works, people, reasons, claims)
        for (subject, code, kind), heap in heaps.items()
    ]
    return sorted(found, key=lambda held: -held.money.micros)


def _one(  # noqa: PLR0913, PLR0917 - what was read for all, applied to one
    subject: str,
    code: str,
    kind: AccountKind,
    heap: list[dict[str, object]],
    works: dict[str, Work],
    people: dict[str, Creator],
    reasons: dict[str, list[str]],
    claims: dict[str, int],
) -> Held:
    work, leaver = works.get(subject), people.get(subject)
    claimants = [
        Claimant(people[str(row["account__creator"])], Money(_whole(row["micros"]), code))
        for row in heap
        if row["account__creator"]
    ]
    words = ["unclaimed"] if kind == AccountKind.UNCLAIMED else reasons.get(subject) or [""]
    since = [row["since"] for row in heap]
    return Held(
        subject=subject,
        kind=kind,
        title=work.title if work else leaver.handle if leaver else subject,
        work=work,
        money=Money(sum(_whole(row["micros"]) for row in heap), code),
        parts=sum(_whole(row["parts"]) for row in heap),
        since=min(at for at in since if isinstance(at, datetime)),
        claimants=tuple(sorted(claimants, key=lambda each: -each.money.micros)),
        reasons=tuple(WHY[word] for word in words),
        open_claims=claims.get(subject, 0),
    )


def _whole(value: object) -> int:
    assert isinstance(value, int), "a sum of whole numbers"
    return value


def _reasons(works: Iterable[str]) -> dict[str, list[str]]:
    """Return why money of each work was kept apart, by what the settlement wrote down."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = Contribution.objects.filter(work__in=list(works)).exclude(escrow="")
    for work, reason in rows.values_list("work_id", "escrow").distinct().order_by("escrow"):
        found[str(work)].append(reason)
    return found


def _open_claims(works: Iterable[str]) -> dict[str, int]:
    """Count the claims about each work that nobody has decided."""
    found: dict[str, int] = defaultdict(int)
    ids = list(works)
    rows = ClaimConflict.objects.filter(Q(work__in=ids) | Q(other__in=ids), resolved_at=None)
    for pair in rows.values_list("work_id", "other_id"):
        for work in pair:
            found[work] += 1
    return found

"""Act seven: who got what and why, and whether each promise was kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from attribution import explanation
from attribution import invariants as attribution_invariants
from attribution.models import Contribution, Query
from ledger import invariants as ledger_invariants
from ledger.models import Account, Payout, TopUp
from ledger.money import Money
from ledger.vocabulary import AccountKind, PayoutStatus
from registry.models import Creator, ManifestRow, Operator
from server.demo import verifying
from server.demo.narration import say, table
from server.demo.usage import CURRENCY
from tribute.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise and what was found."""

    text: str
    kept: bool
    found: str


def who_got_what() -> None:
    """Print each creator's works, uses, earnings and payouts."""
    rows = [("creator", "works", "uses", "earned", "paid out", "still here")]
    for creator in Creator.objects.order_by("handle"):
        contributions = Contribution.objects.filter(creator=creator)
        totals = contributions.aggregate(earned=Sum("micros"), uses=Count("query", distinct=True))
        rows.append(
            (
                creator.display_name,
                str(creator.shares.count()),
                str(totals["uses"]),
                str(_money(totals["earned"] or 0)),
                str(_money(_paid(creator))),
                str(_money(_held(creator))),
            )
        )
    table(rows, right=frozenset({1, 2, 3, 4, 5}))


def why(operator: Operator) -> None:
    """Explain the query that paid the most works."""
    query = (
        Query.objects.of(operator)
        .filter(state=Query.State.SETTLED)
        .annotate(works=Count("contributions", filter=Q(contributions__work__isnull=False)))
        .order_by("-works", "id")
        .first()
    )
    if query is None:
        return
    told = explanation.explain(query)
    say(f"Why? Query {told.query_id}, fee {told.fee}: {told.rule}")
    rows = [
        (
            f"  {row.title}",
            row.creator,
            f"{row.words} words",
            f"{row.share_ppm / 10_000:.2f} %",
            str(row.amount),
            row.reason,
        )
        for row in told.rows
    ]
    rows += [
        (
            "  (waived, or found nowhere)",
            "pool",
            "",
            f"{told.remainder_share_ppm / 10_000:.2f} %",
            str(told.remainder),
            "",
        ),
        ("  (platform fee)", "", "", "", str(told.platform_fee), ""),
    ]
    table(rows, right=frozenset({2, 3, 4}))


def promises(operator: Operator) -> list[Promise]:
    """Check each promise on what really stands in the database, and print it."""
    found = list(_promises(operator))
    for promise in found:
        say(f"{'✓' if promise.kept else '✗ BROKEN:'} {promise.text} ({promise.found})")
    return found


def _promises(operator: Operator) -> Iterator[Promise]:
    findings = [*ledger_invariants.findings(), *attribution_invariants.findings()]
    yield Promise(
        "The books are sound: every invariant holds, recomputed from the raw rows",
        not findings,
        "; ".join(map(str, findings[:3])) or "audit clean",
    )
    paid_in = TopUp.objects.filter(operator=operator).aggregate(s=Sum("settled_micros"))["s"] or 0
    held, sent, fees = _all_held(), _all_paid(), _provider_fees()
    yield Promise(
        "Money is conserved: paid in = still held + paid out + the provider's fees",
        paid_in == held + sent + fees,
        f"{_money(paid_in)} = {_money(held)} + {_money(sent)} + {_money(fees)}",
    )
    rows = ManifestRow.objects.filter(manifest__operator=operator)
    not_allowed = rows.exclude(decision=Decision.ALLOW.value).count()
    yield Promise(
        "No work was trained on that was not allowed at ingestion",
        rows.exists() and not_allowed == 0,
        f"{rows.count()} manifest rows, {not_allowed} not allowed",
    )
    allowed = rows.filter(decision=Decision.ALLOW.value).values("work_id")
    strays = Contribution.objects.filter(micros__gt=0, work__isnull=False).exclude(
        work_id__in=allowed
    )
    yield Promise(
        "No denied or unregistered work was paid",
        not strays.exists(),
        f"{Contribution.objects.filter(micros__gt=0).count()} contributions, {strays.count()} astray",
    )
    waiting = Query.objects.of(operator).exclude(evidence=None).count()
    yield Promise(
        "No output was kept: evidence is deleted once a query is settled",
        waiting == 0,
        f"{Query.objects.of(operator).count()} queries, {waiting} with evidence",
    )
    twice = Payout.objects.values("batch", "creator").annotate(n=Count("id")).filter(n__gt=1)
    alone = Payout.objects.filter(Q(batch__approved_by=None) & Q(status=PayoutStatus.PAID))
    yield Promise(
        "Nobody was paid twice, and nothing was paid by one person alone",
        not twice.exists() and not alone.exists(),
        f"{Payout.objects.filter(status=PayoutStatus.PAID).count()} payouts",
    )
    kept, found = verifying.log_verifies(operator)
    yield Promise("Every statement is in the public log, as a stranger can verify", kept, found)


def _money(micros: int) -> Money:
    return Money(micros, CURRENCY)


def _paid(creator: Creator) -> int:
    paid = Payout.objects.filter(creator=creator, status=PayoutStatus.PAID)
    return paid.aggregate(s=Sum("amount_micros"))["s"] or 0


def _held(creator: Creator) -> int:
    accounts = Account.objects.filter(creator=creator)
    return accounts.aggregate(s=Sum("balance__balance_micros"))["s"] or 0


def _provider_fees() -> int:
    """What the provider kept of payments, as its list said when the books were compared."""
    costs = Account.objects.filter(kind=AccountKind.PROCESSOR_FEE)
    return -(costs.aggregate(s=Sum("balance__balance_micros"))["s"] or 0)


def _all_held() -> int:
    """Everything on accounts but the provider's clearing: what is owed, less the fees already borne."""
    owed = Account.objects.exclude(kind=AccountKind.PROVIDER_CLEARING)
    return owed.aggregate(s=Sum("balance__balance_micros"))["s"] or 0


def _all_paid() -> int:
    paid = Payout.objects.filter(status=PayoutStatus.PAID)
    return paid.aggregate(s=Sum("amount_micros"))["s"] or 0

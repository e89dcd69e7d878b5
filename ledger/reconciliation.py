"""Our books against the provider's list of what moved our balance there.

The provider's fees and the platform's own withdrawals are known only from that list, so they are
booked here. Then three figures must agree in each currency: our clearing account, the sum of
the list, and the balance the provider reports. A difference blocks the next batch of payouts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Sum

from ledger import journal
from ledger.accounts import AccountKind, account_ids
from ledger.gateway import BalanceTransaction, Gateway
from ledger.models import Balance, ProviderTransaction, Reconciliation
from ledger.money import from_minor
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import Deed
from registry.models import User

__all__ = ["clearing", "compare_again", "reconcile"]

OVERLAP = timedelta(days=2)
"""Read again each time, since the provider's list may fill in late."""
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_OWN_MONEY = ("payout", "topup")
_PLAIN_FEES = ("stripe_fee",)


def reconcile(*, gateway: Gateway, at: datetime) -> list[Reconciliation]:
    """Read the provider's list, book fees and withdrawals, compare; one row a currency.

    Empty when money moved while we read: then the next run compares. Raises what the gateway
    raises; what was read until then is kept.
    """
    before, booked = clearing(), Counter[str]()
    for page in _pages(gateway, since=_since(gateway)):
        with transaction.atomic():
            _record(page, gateway=gateway, at=at)
            booked.update(_book(page, gateway=gateway, at=at))
    reported = {
        row.currency: from_minor(row.available_minor + row.pending_minor, row.currency).micros
        for row in gateway.balance()
    }
    after = clearing()
    if any(after[code] - before.get(code, 0) != booked[code] for code in after):
        return []
    return _compare(gateway, after, reported, at=at)


def compare_again(admin: User, *, gateway: Gateway, at: datetime) -> list[Reconciliation]:
    """`reconcile` because an admin asks for it, on record."""
    journal.require_admin(admin)
    found = reconcile(gateway=gateway, at=at)
    differing = sum(not row.agrees for row in found)
    journal.record(admin, Deed.RECONCILED, at=at, compared=len(found), differing=differing)
    return found


def clearing() -> dict[str, int]:
    """What our books say of the provider's accounts, credit-positive: negative when it has money."""
    rows = Balance.objects.filter(account__kind=AccountKind.PROVIDER_CLEARING)
    return dict(rows.values_list("currency", "balance_micros"))


def _since(gateway: Gateway) -> datetime:
    """Where to go on: not after the last comparison, since only a whole reading is compared.

    The list comes newest first, so that a reading that broke off lacks what is older.
    """
    of_gateway = {"gateway": gateway.name}
    latest = ProviderTransaction.objects.filter(**of_gateway).aggregate(at=Max("happened_at"))["at"]
    compared = Reconciliation.objects.filter(**of_gateway).aggregate(at=Max("compared_at"))["at"]
    return min(latest, compared) - OVERLAP if latest and compared else _BEGINNING


def _pages(gateway: Gateway, *, since: datetime) -> Iterator[Sequence[BalanceTransaction]]:
    cursor: str | None = None
    while True:
        page = gateway.balance_transactions(since=since, cursor=cursor)
        yield page.items
        cursor = page.cursor
        if cursor is None:
            return


def _record(items: Sequence[BalanceTransaction], *, gateway: Gateway, at: datetime) -> None:
    ProviderTransaction.objects.bulk_create(
        (
            ProviderTransaction(
                gateway=gateway.name,
                transaction_id=item.id,
                kind=item.kind,
                amount_micros=from_minor(item.amount_minor, item.currency).micros,
                fee_micros=from_minor(item.fee_minor, item.currency).micros,
                currency=item.currency,
                source_id=item.source_id or "",
                happened_at=item.created_at,
                available_at=item.available_at,
                recorded_at=at,
            )
            for item in items
        ),
        ignore_conflicts=True,
    )


def _book(items: Sequence[BalanceTransaction], *, gateway: Gateway, at: datetime) -> dict[str, int]:
    """Book what only the list tells, once each; returns the clearing accounts' change."""
    rows = ProviderTransaction.objects.filter(gateway=gateway.name)
    listed = rows.filter(transaction_id__in=[item.id for item in items])
    drafts = [draft for row in listed.order_by("pk") for draft in _drafts(row)]
    known = post(drafts, at=at).duplicates
    changed = Counter[str]()
    for draft in drafts:
        if draft.key not in known:
            changed[draft.currency] += draft.legs[1][1]
    return changed


def _drafts(row: ProviderTransaction) -> Iterator[Draft]:
    """A fee is a cost of ours; a withdrawal or deposit is the platform's own money."""
    fee = row.fee_micros - (row.amount_micros if row.kind in _PLAIN_FEES else 0)
    if fee:
        yield _draft(row, "fee", EntryKind.PROCESSOR_FEE, AccountKind.PROCESSOR_FEE, fee)
    if row.kind.startswith(_OWN_MONEY) and row.amount_micros:
        own = AccountKind.PLATFORM_FEE
        yield _draft(row, "own", EntryKind.WITHDRAWAL, own, -row.amount_micros)


def _draft(
    row: ProviderTransaction, word: str, kind: EntryKind, account: AccountKind, micros: int
) -> Draft:
    paid_by, clearing = (
        (account, None, row.currency),
        (AccountKind.PROVIDER_CLEARING, None, row.currency),
    )
    ids = account_ids([paid_by, clearing])
    return Draft(
        key=key_for(f"provider:{row.gateway}:{row.transaction_id}:{word}"),
        kind=kind,
        currency=row.currency,
        legs=((ids[paid_by], -micros), (ids[clearing], micros)),
        effective_at=row.happened_at,
    )


def _compare(
    gateway: Gateway, clearing: dict[str, int], reported: dict[str, int], *, at: datetime
) -> list[Reconciliation]:
    rows = ProviderTransaction.objects.filter(gateway=gateway.name).values("currency")
    totals = rows.annotate(micros=Sum(F("amount_micros") - F("fee_micros")))
    listed = {row["currency"]: row["micros"] for row in totals}
    compared = [
        Reconciliation(
            gateway=gateway.name,
            currency=currency,
            ledger_micros=-clearing.get(currency, 0),
            provider_micros=listed.get(currency, 0),
            balance_micros=reported.get(currency, 0),
            compared_at=at,
        )
        for currency in sorted({*clearing, *reported, *listed})
    ]
    return Reconciliation.objects.bulk_create(compared)

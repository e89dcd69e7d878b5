"""Act six: creators give the provider their papers, two admins pay, the provider reports back."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from ledger import gateway_choice, payees, payouts, reconciliation
from ledger.gateway import Gateway
from ledger.maturity import mature
from ledger.models import Account, Payee, Payout, PayoutBatch
from ledger.vocabulary import AccountKind, BatchStatus, PayoutStatus
from registry.models import Creator, User
from server.demo import approval
from server.demo.keyring import Keyring
from server.demo.narration import say, table
from server.demo.usage import CURRENCY, press, wait_until


def onboard_earners(*, gateway: Gateway, at: datetime) -> None:
    """Let every creator who earned something finish the provider's onboarding."""
    earners = Creator.objects.filter(
        pk__in=Account.objects.filter(
            kind__in=[AccountKind.CREATOR_PENDING, AccountKind.CREATOR_AVAILABLE],
            balance__balance_micros__gt=0,
        ).values("creator_id")
    ).order_by("handle")
    for creator in earners:
        payee = payees.of(creator)
        if payee is None or not payee.can_receive:
            url = payees.onboard(
                creator,
                email=f"{creator.handle}@demo.example",
                country="DE",
                gateway=gateway,
                return_url=f"{settings.PUBLIC_URL}/payouts/",
                refresh_url=f"{settings.PUBLIC_URL}/payouts/",
                at=at,
            )
            press(url)
    waiting = Payee.objects.filter(creator__in=earners, can_receive=False)
    wait_until(lambda: not waiting.exists(), "the provider's word on the payees")
    names = ", ".join(creator.display_name for creator in earners)
    say(f"{names} finished onboarding; the provider said so by webhook.")


def pay(maker: User, checker: User, keyring: Keyring, *, at: datetime) -> PayoutBatch:
    """Prepare, submit and approve one batch by two people; the worker sends it.

    The second signs in to the portal with an authenticator's code, as approving asks for.
    """
    batch = PayoutBatch.objects.order_by("prepared_at").first()
    if batch is None:
        mature(at=at, holding=timedelta(days=settings.HOLDING_DAYS))
        batch = payouts.prepare(maker, currency=CURRENCY, at=at)
    if batch.status == BatchStatus.DRAFT:
        batch = payouts.submit(batch, maker, at=at)
        say(f"{maker.name} prepared and submitted {batch.pk}; its lines are frozen and hashed.")
    if batch.status == BatchStatus.SUBMITTED:
        _compare(checker)
        approval.approve(batch, checker, keyring)
        say(f"{checker.name} signed in with a one-time code and approved exactly those lines.")
    final = [PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELED]
    open_payouts = Payout.objects.filter(batch=batch).exclude(status__in=final)
    wait_until(lambda: not open_payouts.exists(), "the payouts to be sent and paid")
    batch.refresh_from_db()
    table(
        [
            (payout.creator.display_name, str(payout.amount), payout.status)
            for payout in Payout.objects.filter(batch=batch).select_related("creator")
        ],
        right=frozenset({1}),
    )
    return batch


def _compare(admin: User) -> None:
    """Compare the books with the provider, as approving asks for; again while money moves."""
    gateway = gateway_choice.configured()
    wait_until(
        lambda: bool(reconciliation.compare_again(admin, gateway=gateway, at=timezone.now())),
        "the books to be compared with the provider",
    )
    say(f"{admin.name} compared the books with the provider's list.")

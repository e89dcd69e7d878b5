"""The whole history of a small world, in any order, doubled, late, killed amid: the same books."""

import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import gateway_choice, invariants, payouts, reconciliation, webhooks
from ledger.gateway_paper import PaperGateway
from ledger.gateway_stripe import StripeGateway
from ledger.models import Balance, Payee, Payout, PayoutEvent, ProviderEvent, TopUp
from registry.models import Creator, Operator, User
from tests.factories import NOON
from tests.ledger.cast import earn_available
from tests.ledger.event_history import TOPUPS, hear, provider, told

KILLS, SEED = 4, 20_260_601
SECRET = "whsec_platform"
Books = dict[str, Any]


def books() -> Books:
    """Everything that history decides: balances, top-ups, payees, and where each payout is."""
    return {
        "balances": {
            row.account.code: row.balance_micros
            for row in Balance.objects.select_related("account")
            if row.balance_micros
        },
        "topups": list(TopUp.objects.order_by("pk").values_list("status", "settled_micros")),
        "returned": sorted(
            (topup.pk, sum(topup.returns.values_list("amount_micros", flat=True)))
            for topup in TopUp.objects.all()
        ),
        "payees": list(Payee.objects.order_by("pk").values_list("can_receive", flat=True)),
        "payouts": list(
            Payout.objects.order_by("creator__handle").values_list(
                "status", "reversed_micros", "transfer_id"
            )
        ),
        "findings": invariants.findings(),
    }


@pytest.fixture
def world(acme: Operator, ada: Creator, ben: Creator, mia: User, noah: User) -> None:
    """Four pages, one of them paid; two creators with payouts sent. The rest is still to be heard."""
    for number in range(1, TOPUPS + 1):
        TopUp.objects.create(
            operator=acme,
            amount_micros=50_000_000,
            currency="EUR",
            gateway="paper",
            session_id=f"cs_paper_{number}",
            created_at=NOON,
        )
    gateway = provider(heard_only=True)
    for number, creator in enumerate((ada, ben), start=1):
        Payee.objects.create(
            creator=creator,
            gateway="paper",
            account=f"acct_paper_{number}",
            country="DE",
            can_receive=True,
            created_at=NOON,
            refreshed_at=NOON,
        )
    hear(gateway, gateway.events)
    earn_available(ada, acme, 3_004_999)
    earn_available(ben, acme, 2_000_000)
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    payouts.approve(batch, noah, at=NOON)
    for creator in (ada, ben):  # one after the other, so that transfers count as in `provider`
        Payout.objects.filter(creator=creator).update(try_after=None)
    payouts.send_due(gateway=_in_order(gateway), at=NOON, limit=9)


def _in_order(gateway: PaperGateway) -> PaperGateway:
    """Send Ada's first, whatever the order of ids."""
    for payout in Payout.objects.order_by("creator__handle"):
        gateway.transfer(
            key=payout.transfer_key,
            payee_account=payout.account,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            group=payout.group,
            metadata={"payout": payout.pk, "batch": payout.batch_id},
        )
    return gateway


@pytest.fixture
def expected(world: None) -> Books:
    """The books after everything came once, in order."""
    with transaction.atomic():
        gateway = provider()
        hear(gateway, told(gateway))
        found = books()
        transaction.set_rollback(True)
    return found


@pytest.mark.timeout(600)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_with_any_doubles_ends_with_the_same_books(
    expected: Books, data: st.DataObject
) -> None:
    assert expected["findings"] == []
    assert [status for status, *_ in expected["payouts"]] == ["paid", "reversed"]
    gateway = provider()
    events = told(gateway)
    doubled = data.draw(st.lists(st.sampled_from(events), max_size=len(events)), label="doubled")
    order = data.draw(st.permutations([*events, *doubled]), label="order")
    with transaction.atomic():
        hear(gateway, order)
        found = books()
        (row,) = reconciliation.reconcile(gateway=gateway, at=NOON)
        row.refresh_from_db()
        agrees = row.agrees
        transaction.set_rollback(True)
    assert found == expected
    assert agrees


@pytest.mark.usefixtures("world")
def test_what_was_applied_once_is_applied_by_nothing_that_comes_later() -> None:
    gateway = provider()
    hear(gateway, told(gateway))
    expected, steps = books(), PayoutEvent.objects.count()
    again = [event for event in told(gateway) for _ in range(2)]
    for number, event in enumerate(again):
        # Under other ids, as a provider that forgot that it had told them.
        fresh = type(event)(
            f"evt_again_{number}",
            event.type,
            event.object_id,
            event.account_id,
            event.created_at,
            event.livemode,
            event.payload,
        )
        webhooks.store(fresh, gateway=gateway.name, at=NOON)
    webhooks.process_stored(gateway=gateway, at=NOON, limit=1_000)
    assert not ProviderEvent.objects.filter(processed_at=None).exists()
    assert (books(), PayoutEvent.objects.count()) == (expected, steps)


@pytest.mark.timeout(600)
def test_killed_amid_the_history_it_ends_with_the_same_books(
    committed_db: None, expected: Books
) -> None:
    chance = random.Random(SEED)
    process = started(0)
    try:
        for number in range(1, KILLS + 1):
            time.sleep(chance.uniform(1.5, 3.5))  # beyond its start, amid its work
            process.send_signal(signal.SIGKILL)
            assert process.wait() in {-signal.SIGKILL, 0}
            process = started(number)
        assert process.wait(timeout=200) == 0
    finally:
        process.kill()
        process.wait()
    assert books() == expected


def started(seed: int) -> "subprocess.Popen[bytes]":
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.event_history", str(seed)],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "server.settings"},
    )


# What comes over the wire ----------------------------------------------------------------------


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    gateway = StripeGateway(
        "sk_test_x",
        base_url="http://127.0.0.1:9",
        platform_webhook_secret=SECRET,
        connect_webhook_secret="whsec_connect",
    )
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


def posted(body: bytes, *, secret: str = SECRET, age_s: int = 0) -> int:
    sent = int(time.time()) - age_s
    signed = hmac.new(secret.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    answer = Client(raise_request_exception=False).post(
        "/webhooks/stripe",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": f"t={sent},v1={signed}"},
    )
    return answer.status_code


def event(**changed: Any) -> bytes:
    body = {
        "id": "evt_1",
        "object": "event",
        "created": int(time.time()) - 30 * 24 * 3_600,
        "data": {"object": {"id": "tr_1", "transfer_group": "payout:pay_x"}},
        "livemode": False,
        "type": "transfer.created",
    }
    return json.dumps({**body, **changed}).encode()


@pytest.mark.usefixtures("stripe", "db")
def test_late_events_are_taken_and_forged_replayed_and_huge_ones_are_not() -> None:
    assert posted(event(), secret="whsec_forged") == 400
    assert posted(event(), age_s=301) == 400
    huge = event(data={"object": {"id": "tr_1", "x": "x" * 1_000_000}})
    assert posted(huge) == posted(huge, secret="whsec_forged") == 413
    assert posted(event(livemode=True)) == 400
    assert not ProviderEvent.objects.exists()
    assert posted(event()) == 200, "a month late, signed now"
    assert posted(event()) == 200
    assert ProviderEvent.objects.count() == 1


shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.usefixtures("stripe", "db")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["id", "object", "created", "data", "livemode", "type", "account"]),
    value=shapes,
    cut=st.integers(0, 400),
)
def test_a_signed_body_of_any_shape_is_stored_or_refused_and_never_our_fault(
    name: str, value: object, cut: int
) -> None:
    whole = event(**{name: value})
    for body in (whole, whole[:cut], whole[cut:]):
        before = ProviderEvent.objects.count()
        status = posted(body)
        assert status in {200, 400}
        assert ProviderEvent.objects.count() - before in ({0, 1} if status == 200 else {0})

"""No batch is approved on a comparison with the provider that is too old."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import payouts, reconciliation
from ledger.errors import ComparisonStale
from ledger.gateway_paper import PaperGateway
from ledger.models import PayoutBatch
from registry.models import User
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "sound")]

HOUR = timedelta(hours=1)


@pytest.fixture
def batch(mia: User, settings: Any) -> PayoutBatch:
    settings.RECONCILIATION_MAXIMUM_HOURS = 48
    drawn_up = payouts.prepare(mia, currency="EUR", at=NOON)
    return payouts.submit(drawn_up, mia, at=NOON)


def test_a_batch_waits_for_a_comparison_of_late(
    batch: PayoutBatch, noah: User, gateway: PaperGateway
) -> None:
    with pytest.raises(ComparisonStale, match="never: run the reconciliation"):
        payouts.approve(batch, noah, at=NOON)
    reconciliation.reconcile(gateway=gateway, at=NOON)
    with pytest.raises(ComparisonStale, match="2026-06-01 12:00"):
        payouts.approve(batch, noah, at=NOON + 49 * HOUR)
    batch.refresh_from_db()
    assert batch.status == "submitted"
    payouts.approve(batch, noah, at=NOON + 48 * HOUR)


def test_zero_hours_ask_for_none(batch: PayoutBatch, noah: User, settings: Any) -> None:
    settings.RECONCILIATION_MAXIMUM_HOURS = 0
    assert payouts.approve(batch, noah, at=NOON + 9_999 * HOUR).status == "approved"


def test_the_page_offers_to_compare_and_leads_back(
    batch: PayoutBatch,
    noah: User,
    gateway: PaperGateway,
    client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ledger.gateway_choice.configured", lambda: gateway)
    client.force_login(noah)
    path, offered = f"/payout-batches/{batch.pk}/", "nothing can be approved on that"
    page = client.get(path).content.decode()
    assert offered in page
    assert f'name="batch" value="{batch.pk}"' in page
    answer = client.post("/reconciliations/compare", {"batch": batch.pk})
    assert answer.url == path
    assert offered not in client.get(path).content.decode()
    assert client.post("/reconciliations/compare").url == "/reconciliations/"
    for nobodys in ("bat_0", "nonsense", "pay_01hzzzzzzzzzzzzzzzzzzzzzzz"):
        assert client.post("/reconciliations/compare", {"batch": nobodys}).status_code == 404

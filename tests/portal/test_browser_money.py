"""Money's paths in a real browser: two people pay, a bank answers, a creator follows."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ledger import gateway_choice, maturity
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, Payee, Payout, PayoutBatch
from server.demo import one_time_codes
from tests.factories import PASSWORD
from tests.ledger.cast import send
from tests.portal import money_world
from tests.portal.conftest import FAR, World, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def gateway(world: World, monkeypatch: pytest.MonkeyPatch) -> PaperGateway:
    """The provider, with the operator's money; Ada's and Ben's earnings have matured."""
    gateway = PaperGateway()
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    money_world.pay_in(world.acme, 100, gateway=gateway)
    maturity.mature(at=FAR, holding=timedelta(days=30))
    return gateway


def draw_up(page: "Page") -> str:
    """Draw a batch up and submit it; returns its address."""
    page.get_by_role("button", name="See who is due").click()
    page.get_by_role("button", name="Draw up this batch").click()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_role("main")).to_contain_text("somebody else has to approve it")
    assert page.get_by_role("button", name="Approve").count() == 0
    return page.url


def set_a_factor_up(page: "Page") -> str:
    """Set an authenticator app up from the page that asks for one; returns its secret."""
    page.get_by_role("link", name="Set it up").click()
    page.goto("/accounts/2fa/totp/activate/")
    if page.locator("input[name=password]").count():
        page.fill("input[name=password]", PASSWORD)
        page.locator("main form button[type=submit]").first.click()
    secret = page.locator("#authenticator_secret").input_value()
    page.fill("input[name=code]", one_time_codes.code(secret, at=time.time()))
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("main")).not_to_contain_text("Enter")
    return secret


def approve(page: "Page", address: str, secret: str) -> None:
    page.goto(address)
    assert page.get_by_role("button", name="Approve").count() == 0
    page.get_by_role("link", name="Confirm that it is you").click()
    page.fill("input[name=code]", one_time_codes.code(secret, at=time.time()))
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("main")).to_contain_text("You confirmed that it is you")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("main")).to_contain_text("approved by Quinn")


def test_two_admins_pay_with_a_second_factor_and_follow_it_live(
    page: "Page", world: World, gateway: PaperGateway
) -> None:
    money_world.can_be_paid(world.ada, world.ben, gateway=gateway)
    sign_in(page, "pia@example.org")
    address = draw_up(page)

    sign_in(page, "quinn@example.org")
    page.goto(address)
    expect(page.get_by_role("main")).to_contain_text("you cannot approve")
    approve(page, address, set_a_factor_up(page))

    batch = PayoutBatch.objects.get()
    assert (batch.status, batch.approved_by and batch.approved_by.name) == ("approved", "Quinn")
    assert AdminAction.objects.get(deed="approved").facts["factor"] == "totp"
    follow = page.locator("#follow")
    expect(follow).to_contain_text("Approved, waiting to be sent")
    assert send(gateway, at=timezone.now()) == 2
    expect(follow).to_contain_text("At the payment provider", timeout=12_000)
    expect(follow).not_to_contain_text("this follows by itself")

    page.get_by_role("link", name="Ada").first.click()
    expect(page.get_by_role("main")).to_contain_text("The Chariot")
    expect(page.get_by_role("main")).to_contain_text("first payout")


def test_a_bank_pays_one_and_refuses_another(
    page: "Page", world: World, gateway: PaperGateway, settings: Any
) -> None:
    money_world.banked(settings)
    money_world.by_bank(world.ben, money_world.OTHER_IBAN)
    sign_in(page, "ada@example.org")
    page.goto("/payouts/")
    page.get_by_role("link", name="Or be paid straight to your bank account").click()
    page.fill("input[name=holder]", "Ada Lovelace")
    page.fill("input[name=iban]", "DE89 3704 0044 0532 0130 00")
    page.get_by_role("button", name="Be paid to this account").click()
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("main")).to_contain_text("DE ···· ···· 3000")
    assert Payee.objects.get(creator=world.ada).account == money_world.IBAN
    assert "370400440532" not in page.content()

    batch = money_world.approved()
    sign_in(page, "quinn@example.org")
    page.goto(f"/payout-batches/{batch.pk}/")
    page.get_by_role("button", name="Issue the payment file for 2 payouts").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the payment file").click()
    assert b"DE89370400440532013000" in download.value.path().read_bytes()

    ada = page.get_by_role("row").filter(has=page.get_by_role("link", name="Ada"))
    ben = page.get_by_role("row").filter(has=page.get_by_role("link", name="Ben"))
    ada.get_by_label("paid", exact=True).check()
    ben.get_by_label("refused", exact=True).check()
    ben.get_by_role("textbox").fill("account closed")
    page.get_by_role("button", name="Keep these answers").click()
    expect(page.get_by_role("main")).to_contain_text("account closed")

    assert Payout.objects.get(creator=world.ada).status == "paid"
    assert Payout.objects.get(creator=world.ben).status == "failed"
    sign_in(page, "ben@example.org")
    page.goto(f"/payouts/{Payout.objects.get(creator=world.ben).pk}/")
    expect(page.get_by_role("main")).to_contain_text("Your bank said: account closed")

"""Two people walk their paths in a real browser: Ada sees and says, Pia and Quinn pay."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from ledger.models import PayoutBatch
from registry.models import Statement
from tests.factories import PASSWORD
from tests.portal.conftest import World
from tribute.vocabulary import Decision, Purpose

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def page(
    committed_db: None,
    live_server: LiveServer,
    browser: "Browser",
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator["Page"]:
    """A fresh visitor; the test ends with not one complaint in the browser's console."""
    # Playwright keeps an event loop in this thread; the test's own queries are not asynchronous.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def sign_in(page: "Page", email: str) -> None:
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Account")).to_be_visible()


def test_ada_sees_what_she_earned_and_why_and_stops_training(page: "Page", world: World) -> None:
    sign_in(page, "ada@example.org")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada")

    page.get_by_role("link", name="Earnings").click()
    page.get_by_text("Why?").first.click()
    expect(page.get_by_text("The Chariot").first).to_be_visible()
    page.get_by_role("link", name="The whole reckoning").click()
    expect(page.get_by_role("main")).to_contain_text("The Chariot")
    expect(page.get_by_role("main")).to_contain_text("Entry")

    page.goto(f"/works/{world.chariot.pk}/mine/")
    page.locator("details.word > summary").first.click()
    page.locator('input[name="train-ai"][value="deny"]').check()
    page.get_by_role("button", name="Save what I allow").click()
    expect(page.get_by_role("main")).to_contain_text("In force since")

    said = Statement.objects.filter(work=world.chariot).latest("sequence")
    assert (said.purpose, said.decision) == (Purpose.TRAIN_AI, Decision.DENY)
    page.goto(f"/look-up/?q=https://nowhere.example/{world.chariot.pk}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_two_admins_pay_what_one_alone_cannot(
    page: "Page", world: World, money_is_ready: None
) -> None:
    sign_in(page, "pia@example.org")
    page.get_by_role("button", name="See who is due").click()
    page.get_by_role("button", name="Draw up this batch").click()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_role("main")).to_contain_text("somebody else has to approve it")
    assert page.get_by_role("button", name="Approve").count() == 0
    address = page.url

    sign_in(page, "quinn@example.org")
    page.goto(address)
    page.get_by_role("button", name="Approve").click()
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Payouts of")

    batch = PayoutBatch.objects.get()
    assert batch.status == "approved"
    assert batch.approved_by is not None
    assert batch.approved_by.email == "quinn@example.org"
    expect(page.get_by_role("main")).to_contain_text("approved by Quinn")

"""Ada walks her path in a real browser: she sees what she earned, and says what she allows."""

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from registry.models import Statement
from tests.portal.conftest import World, sign_in
from tribute.vocabulary import Decision, Purpose

if TYPE_CHECKING:
    from playwright.sync_api import Page


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

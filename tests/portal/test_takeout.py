"""People gather their data on a page, and take it when they have shown that it is them."""

import io
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

from django.test import Client
from django.utils import timezone

from portal import tasks
from registry import exports
from registry.models import DataExport, DataExportPart, User
from registry.tasks import forget_exports
from tests.factories import PASSWORD, make_creator, make_user, make_work
from tests.portal.conftest import World, confirmed, sign_in, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/account/data/"


def gathered(name: str) -> DataExport:
    """What a person asked for, made."""
    signed_in(name).post(PAGE)
    assert tasks.make_exports() > 0
    user = User.objects.get(email=f"{name}@example.org")
    export = exports.of(user).first()
    assert export is not None
    return export


def reauthenticated(name: str) -> Client:
    client = signed_in(name)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_it_is_asked_for_followed_and_taken(world: World) -> None:
    ada = signed_in("ada")
    assert "Nothing gathered yet" in ada.get(PAGE).content.decode()
    ada.post(PAGE)
    assert "waits its turn" in ada.get(PAGE).content.decode()
    tasks.make_exports()
    export = DataExport.objects.get()
    page = ada.get(PAGE).content.decode()
    assert "kept until" in page
    assert "Confirm that it is you" in page

    answer = reauthenticated("ada").get(f"{PAGE}{export.pk}.zip")

    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    content = answer.getvalue()
    assert len(content) == int(answer["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert "The Chariot" in archive.read("ada/works.csv").decode()
        assert "ada@example.org" in archive.read("person.json").decode()


def test_who_is_only_signed_in_is_asked_first(world: World) -> None:
    export = gathered("ada")

    answer = signed_in("ada").get(f"{PAGE}{export.pk}.zip")

    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")


def test_who_has_a_second_factor_shows_it(world: World) -> None:
    export = gathered("ada")

    assert confirmed("ada").get(f"{PAGE}{export.pk}.zip").status_code == 200
    only_a_password = reauthenticated("ada").get(f"{PAGE}{export.pk}.zip")
    assert only_a_password["Location"].startswith("/accounts/2fa/reauthenticate/?next=")


def test_mallory_takes_nothing_of_adas(world: World) -> None:
    export = gathered("ada")

    mallory = reauthenticated("mallory")
    assert mallory.get(f"{PAGE}{export.pk}.zip").status_code == 404
    assert export.pk not in mallory.get(PAGE).content.decode()
    assert Client().get(f"{PAGE}{export.pk}.zip").status_code == 302


def test_what_a_creators_program_asked_for_its_members_take(world: World) -> None:
    export = exports.request(world.ada, at=timezone.now())
    tasks.make_exports()

    assert reauthenticated("ada").get(f"{PAGE}{export.pk}.zip").status_code == 200
    assert reauthenticated("ben").get(f"{PAGE}{export.pk}.zip").status_code == 404


def test_it_goes_when_its_time_is_over(world: World) -> None:
    export = gathered("ada")
    long_ago = timezone.now() - timedelta(days=8)
    DataExport.objects.update(
        requested_at=long_ago, ready_at=long_ago, expires_at=timezone.now() - timedelta(seconds=1)
    )
    ada = reauthenticated("ada")

    assert "removed" in ada.get(PAGE).content.decode()
    assert ada.get(f"{PAGE}{export.pk}.zip").status_code == 404
    assert forget_exports() == 1
    assert not DataExportPart.objects.exists()


def test_a_browser_gathers_and_downloads(page: "Page") -> None:
    from playwright.sync_api import expect

    make_work(make_creator("ada", user=make_user("ada@example.org")), title="The Orchard")
    sign_in(page, "ada@example.org")
    page.goto("/account/")
    page.get_by_role("link", name="Gather or download my data").click()
    page.get_by_role("button", name="Gather my data").click()
    expect(page.locator("#progress")).to_contain_text("waits its turn")
    tasks.make_exports()
    expect(page.locator("#progress")).to_contain_text("kept until", timeout=12_000)
    page.goto("/account/data/")
    if page.get_by_role("link", name="Confirm that it is you").count():
        page.get_by_role("link", name="Confirm that it is you").click()
        page.fill("input[name=password]", PASSWORD)
        page.locator("main form button[type=submit]").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "The Orchard" in archive.read("ada/works.csv").decode()

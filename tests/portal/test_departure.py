"""Leaving: seen in numbers first, asked for by a person who is here, and called off in time."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.utils import timezone

from attribution import departures
from portal import departure_mails, tasks, ways_in
from registry.models import Creator, Erasure, User
from tests.factories import PASSWORD, make_creator, make_user, make_work
from tests.portal.conftest import World, confirmed, enrol, sign_in, signed_in

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Page

PAGE = "/account/leave/"


def reauthenticated(name: str) -> "Client":
    """A browser in which a person without a second factor has just signed in again."""
    client = signed_in(name)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302
    return client


def due() -> None:
    """Let time pass."""
    at = timezone.now() - timedelta(days=1)
    Erasure.objects.update(requested_at=at, due_at=at)


def test_the_page_says_what_it_comes_to(world: World) -> None:
    page = signed_in("ada").get(PAGE).content.decode()

    assert "Titles and addresses of works" in page
    assert "What stays, without your name" in page
    assert "EUR" in page
    assert "Confirm that it is you" in page


def test_it_takes_a_password_of_who_has_nothing_more(world: World) -> None:
    ada = signed_in("ada")
    answer = ada.post(PAGE, {"refusals": "keep", "leaves_money": "on"})
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not Erasure.objects.exists()

    answer = reauthenticated("ada").post(PAGE, {"refusals": "keep", "leaves_money": "on"})
    assert answer.status_code == 200
    erasure = Erasure.objects.get()
    assert erasure.due_at - erasure.requested_at == timedelta(days=14)
    (code,) = [word for word in answer.content.decode().split("<") if 'class="secret"' in word]
    assert len(code.partition(">")[2]) == 32
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.org"]
    assert code.partition(">")[2] in sent.body


def test_it_takes_the_second_factor_of_who_has_one(world: World) -> None:
    enrol("ada")
    asked = {"refusals": "keep", "leaves_money": "on"}
    answer = reauthenticated("ada").post(PAGE, asked)
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/?next=")

    Authenticator.objects.all().delete()
    assert confirmed("ada").post(PAGE, asked).status_code == 200
    assert Erasure.objects.count() == 1


def test_money_is_paid_first_or_left_behind_in_so_many_words(world: World) -> None:
    answer = reauthenticated("ada").post(PAGE, {"refusals": "keep"})

    assert answer.status_code == 422
    assert "Money is left" in answer.content.decode()
    assert not Erasure.objects.exists()


def test_what_stands_in_the_way_is_named_with_the_way_to_it(world: World) -> None:
    page = signed_in("olga").get(PAGE).content.decode()

    assert "only member of this operator" in page
    assert "acme" in page
    assert "Erase everything about me" not in page


def test_it_can_be_called_off(world: World) -> None:
    ada = reauthenticated("ada")
    ada.post(PAGE, {"refusals": "withdraw", "leaves_money": "on"})
    assert "call it off" in ada.get("/account/").content.decode()

    answer = ada.post(f"{PAGE}stay", follow=True)

    assert "Called off" in answer.content.decode()
    due()
    assert tasks.erase_those_who_leave() == 0
    assert Creator.objects.get(pk=world.ada.pk).erased_at is None


@pytest.mark.parametrize(
    ("language", "last"), [("en", "You have been erased"), ("zh-hans", "您的信息已被抹除")]
)
def test_the_timetable_erases_and_tells_in_the_persons_language(
    world: World, language: str, last: str
) -> None:
    ada = reauthenticated("ada")
    ada.cookies["django_language"] = language
    ada.post(PAGE, {"refusals": "keep", "leaves_money": "on"})
    due()

    assert tasks.erase_those_who_leave() == 1

    assert [sent.subject for sent in mail.outbox][-1] == f"[Tribute] {last}"
    assert mail.outbox[-1].to == ["ada@example.org"]
    assert ada.get("/account/").status_code == 302
    assert not User.objects.filter(email="ada@example.org").exists()
    assert signed_in("ben").get("/earnings/").status_code == 200


def test_one_creator_can_go_alone_and_only_ones_own(world: World) -> None:
    user = User.objects.get(email="ada@example.org")
    second = make_creator("countess", user=user)
    ada = reauthenticated("ada")
    assert "Or erase one creator alone" in ada.get(PAGE).content.decode()
    assert ada.get(f"{PAGE}?creator={world.ben.pk}").status_code == 404
    assert ada.post(PAGE, {"refusals": "keep", "creator": world.ben.pk}).status_code == 404

    assert ada.post(PAGE, {"refusals": "keep", "creator": second.pk}).status_code == 200
    due()
    tasks.erase_those_who_leave()
    second.refresh_from_db()
    assert second.erased_at is not None
    assert ada.get("/account/").status_code == 200


def test_reminders_are_mailed_before(world: World) -> None:
    ada = reauthenticated("ada")
    ada.post(PAGE, {"refusals": "keep", "leaves_money": "on"})
    soon = timezone.now() + timedelta(days=12)

    assert departures.remind(tell=departure_mails.tell, at=soon) == 1
    assert "will be erased soon" in mail.outbox[-1].subject
    assert "/account/leave/" in mail.outbox[-1].body


def test_money_left_behind_is_claimed_on_the_page(world: World) -> None:
    ada = reauthenticated("ada")
    page = ada.post(PAGE, {"refusals": "keep", "leaves_money": "on"}).content.decode()
    code = page.partition('class="secret">')[2].partition("<")[0]
    due()
    tasks.erase_those_who_leave()
    make_creator("augusta", user=make_user("augusta@example.org"))
    augusta = signed_in("augusta")

    wrong = augusta.post("/payouts/claim", {"code": "0" * 32}, follow=True)
    assert "Nothing waits under this code" in wrong.content.decode()
    right = augusta.post("/payouts/claim", {"code": f" {code.upper()} "}, follow=True)
    assert "It is yours again" in right.content.decode()
    again = augusta.post("/payouts/claim", {"code": code}, follow=True)
    assert "Nothing waits" in again.content.decode()


def test_every_session_ends_also_one_that_was_never_used(world: World) -> None:
    ada, ben = signed_in("ada"), signed_in("ben")
    ways_in.remove(User.objects.get(email="ada@example.org"))

    assert ada.get("/account/").status_code == 302
    assert ben.get("/account/").status_code == 200


def test_a_browser_leaves_by_password_and_comes_back(page: "Page", settings: Any) -> None:
    from playwright.sync_api import expect

    ada = make_creator("ada", user=make_user("ada@example.org", name="Ada"))
    make_work(ada, title="The Orchard")
    sign_in(page, "ada@example.org")
    page.goto("/account/")
    page.get_by_role("link", name="See what leaving comes to").click()
    expect(page.get_by_role("main")).to_contain_text("What goes")
    if page.get_by_role("link", name="Confirm that it is you").count():
        page.get_by_role("link", name="Confirm that it is you").click()
        page.fill("input[name=password]", PASSWORD)
        page.locator("main form button[type=submit]").first.click()
    page.get_by_label("Stays refused").check()
    page.get_by_role("button", name="Erase me and the titles of 1 work").click()
    expect(page.get_by_role("status").last).to_contain_text("this is carried out")
    page.get_by_role("button", name="Call it off and stay").click()
    expect(page.get_by_role("main")).to_contain_text("What stays, without your name")
    assert Erasure.objects.get().canceled_at is not None

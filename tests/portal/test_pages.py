"""Every page, as its own visitor: whole, labelled, and nothing that a strict policy would stop."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_user
from tests.portal.conftest import World, signed_in
from tests.portal.reading import read

PAGES = [
    ("", "/"),
    ("", "/look-up/"),
    ("", "/look-up/?q=https://ada.example/1"),
    ("", "/accounts/login/"),
    ("", "/accounts/signup/"),
    ("", "/accounts/password/reset/"),
    ("", "/works/{chariot}"),
    ("", "/transparency/"),
    ("ada", "/overview/"),
    ("ada", "/works/"),
    ("ada", "/works/?q=chariot&medium=text&sort=title"),
    ("ada", "/works/new/"),
    ("ada", "/works/{chariot}/mine/"),
    ("ada", "/consent/"),
    ("ada", "/terms/"),
    ("ada", "/sites/"),
    ("ada", "/sites/{site}/"),
    ("ada", "/signers/"),
    ("ada", "/signers/{signer}/"),
    ("ada", "/disputes/"),
    ("ada", "/earnings/"),
    ("ada", "/earnings/queries/{query}/"),
    ("ada", "/earnings/statements/2026-06/"),
    ("ada", "/payouts/"),
    ("ada", "/account/"),
    ("ada", "/account/leave/"),
    ("ada", "/account/data/"),
    ("ada", "/account/keys/"),
    ("quinn", "/account/desk-keys/"),
    ("ada", "/welcome/"),
    ("ada", "/accounts/email/"),
    ("ada", "/accounts/password/change/"),
    ("ada", "/accounts/2fa/"),
    ("ada", "/accounts/sessions/"),
    ("olga", "/operator/"),
    ("olga", "/operator/checks/"),
    ("olga", "/operator/checks/ask/"),
    ("olga", "/operator/licences/"),
    ("olga", "/operator/licences/{chariot}/"),
    ("olga", "/operator/keys/"),
    ("olga", "/operator/models/"),
    ("olga", "/operator/models/{model}/"),
    ("olga", "/operator/revocations/"),
    ("olga", "/operator/balance/"),
    ("olga", "/operator/statements/2026-06/"),
    ("olga", "/operator/usage/"),
    ("olga", "/operator/usage/?state=settled&q=gen"),
    ("olga", "/operator/usage/{query}/"),
    ("quinn", "/payout-batches/"),
    ("quinn", "/payout-batches/?currency=EUR"),
    ("quinn", "/waiting/"),
    ("quinn", "/waiting/?hours=many"),
    ("quinn", "/reconciliations/"),
    ("quinn", "/reconciliations/?show=differing"),
    ("quinn", "/proposals/"),
    ("quinn", "/proposals/?show=all"),
    ("quinn", "/set-asides/"),
    ("quinn", "/debts/"),
    ("quinn", "/journal/"),
    ("quinn", "/journal/?deed=approved&by=pia@example.org"),
    ("quinn", "/audit/"),
]


def address(path: str, world: World) -> str:
    return path.format(
        chariot=world.chariot.pk,
        site=world.site.pk,
        signer=world.signer.pk,
        query=world.query.pk,
        model=world.model.pk,
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("who", sorted({who for who, _ in PAGES}))
def test_pages_are_whole(who: str, language: str, world: World) -> None:
    client = signed_in(who) if who else Client()
    client.cookies["django_language"] = language

    found = {
        path: list(troubles(client.get(address(path, world)), language))
        for visitor, path in PAGES
        if visitor == who
    }

    assert found == {path: [] for path in found}


def troubles(answer: Any, language: str) -> Iterator[object]:
    """Yield what is wrong with a page."""
    if answer.status_code != 200:
        yield answer.status_code
    page = read(answer.content.decode())
    if page.headings.count("h1") != 1 or page.lang != language:
        yield page.headings, page.lang
    if not page.title.strip().endswith("Tribute") or len(page.title.strip()) <= len("· Tribute"):
        yield f"title: {page.title!r}"
    yield from page.inline
    yield from page.unlabelled
    if len(page.ids) != len(set(page.ids)) or not set(page.described) <= set(page.ids):
        yield f"ids: {page.ids}, described by {page.described}"
    yield from (f for f in page.forms if f["method"] == "post" and not f["token"])
    policy = answer["Content-Security-Policy"]
    if "default-src 'self'" not in policy or "unsafe" in policy:
        yield policy


def test_a_stranger_is_asked_to_log_in(world: World) -> None:
    answers = {path: Client().get(address(path, world)) for who, path in PAGES if who}

    assert {a.status_code for a in answers.values()} == {302}
    assert all(a["Location"].startswith("/accounts/login/") for a in answers.values())


def test_links_of_the_overviews_lead_somewhere(world: World) -> None:
    for who, start in (("ada", "/overview/"), ("olga", "/operator/"), ("quinn", "/audit/")):
        client = signed_in(who)
        links = read(client.get(start).content.decode()).links
        for link in {each for each in links if each.startswith("/") and not each.startswith("/v1")}:
            assert client.get(link).status_code == 200, link


def test_a_page_that_is_not_there_says_so_kindly(world: World) -> None:
    answer = signed_in("ada").get("/no-such-page/")

    page = read(answer.content.decode())
    assert answer.status_code == 404
    assert page.headings == ["h1"]
    assert page.inline == []


def test_the_theme_is_remembered_and_goes_nowhere_else(client: Client, db: None) -> None:
    answer = client.post("/theme", {"theme": "dark", "next": "https://evil.example/"})

    assert answer["Location"] == "/"
    assert 'data-theme="dark"' in client.get("/").content.decode()


def test_an_unknown_theme_is_not_remembered(client: Client, db: None) -> None:
    client.post("/theme", {"theme": "neon", "next": "/look-up/"})

    assert "data-theme" not in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["/works/", "/consent/", "/sites/", "/earnings/"])
def test_empty_pages_teach_the_next_step(path: str, world: World) -> None:
    answer = signed_in("mallory").get(path)

    assert 'class="empty"' in answer.content.decode()


def test_a_person_without_a_role_is_asked_what_brings_them(db: None) -> None:
    make_user("nora@example.org")

    for path in ("/overview/", "/works/", "/operator/"):
        assert signed_in("nora").get(path)["Location"] == "/welcome/"


def test_joining_makes_a_creator_and_a_taken_name_is_said_beside_its_field(world: World) -> None:
    client = signed_in("olga")

    taken = client.post("/welcome/join", {"handle": "ada", "display_name": "Olga"})
    free = client.post("/welcome/join", {"handle": "olga", "display_name": "Olga"})

    assert taken.status_code == 422
    page: Any = taken.context["creator_form"]
    assert list(page.errors) == ["handle"]
    assert free["Location"] == "/overview/"

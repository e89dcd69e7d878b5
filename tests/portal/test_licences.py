"""Licences on pages: what a work is offered for, accepted by an operator, and listed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry import consent, licensing
from registry.models import Grant, Terms
from tests.factories import NOON, deny
from tests.portal.conftest import World, signed_in
from tests.portal.reading import read
from tribute.vocabulary import Decision, Purpose


@pytest.fixture
def terms(world: World) -> Terms:
    """Ben licenses The Tyger for use in answers."""
    terms = licensing.offer(
        world.ben,
        price_micros=20_000_000,
        currency="EUR",
        uri="https://ben.example/terms",
        attribution_required=True,
        at=NOON,
    )
    consent.state(
        world.ben,
        world.tyger,
        purpose=Purpose.AI_INPUT,
        decision=Decision.LICENSE,
        terms=terms,
        at=NOON,
    )
    return terms


def path_of(world: World) -> str:
    return f"/operator/licences/{world.tyger.pk}/"


def chosen(world: World, terms: Terms, **more: str) -> dict[str, str]:
    return {"subject": world.tyger.pk, "terms": terms.pk, "purpose": "ai-input", **more}


def test_terms_are_shown_accepted_and_listed(world: World, terms: Terms) -> None:
    olga = signed_in("olga")
    public = olga.get(f"/works/{world.tyger.pk}").content.decode()
    assert path_of(world) in public
    page = olga.get(path_of(world)).content.decode()
    read(page)
    for said in ("The Tyger", "20.00", "https://ben.example/terms", "must be named", "Acme"):
        assert said in page

    answer = olga.post(path_of(world), chosen(world, terms), follow=True)

    listed = answer.content.decode()
    read(listed)
    assert answer.redirect_chain == [("/operator/licences/", 302)]
    assert "Accepted." in listed
    assert "The Tyger" in listed
    grant = Grant.objects.get()
    assert (grant.operator, grant.terms, grant.work) == (world.acme, terms, world.tyger)
    assert grant.effective_until is None
    after = olga.get(path_of(world)).content.decode()
    assert ("in force since" in after, "Accept these terms" in after) == (True, False)


def test_a_licence_may_have_an_end(world: World, terms: Terms) -> None:
    day = timezone.now().date() + timedelta(days=30)
    signed_in("olga").post(path_of(world), chosen(world, terms, until=day.isoformat()))

    until = Grant.objects.get().effective_until
    assert until is not None
    assert (until.date(), until.hour) == (day, 23)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"until": "2020-01-01"}, "This day is over already."),
        ({"until": "soon"}, "Enter a valid date."),
        ({"purpose": "train-ai"}, "no longer offered"),
        ({"terms": "trm_nonsense"}, "no longer offered"),
    ],
)
def test_what_cannot_be_accepted_is_said(
    world: World, terms: Terms, changed: dict[str, str], said: str
) -> None:
    answer = signed_in("olga").post(path_of(world), chosen(world, terms) | changed)

    assert answer.status_code == 422
    read(answer.content.decode())
    assert said in answer.content.decode()
    assert not Grant.objects.exists()


def test_terms_withdrawn_meanwhile_are_not_accepted(world: World, terms: Terms) -> None:
    olga = signed_in("olga")
    olga.get(path_of(world))
    deny(world.tyger, purpose=Purpose.AI_INPUT, at=timezone.now())

    answer = olga.post(path_of(world), chosen(world, terms))

    assert answer.status_code == 422
    assert "no longer offered" in answer.content.decode()
    assert not Grant.objects.exists()


def test_without_terms_the_page_says_so_and_strangers_see_no_way(world: World) -> None:
    page = signed_in("olga").get(path_of(world)).content.decode()
    read(page)
    assert "No terms are offered for this work" in page
    assert signed_in("ada").get(path_of(world))["Location"] == "/welcome/"
    assert "No licence accepted" in signed_in("olga").get("/operator/licences/").content.decode()


def test_licences_are_nobody_elses(world: World, terms: Terms) -> None:
    signed_in("olga").post(path_of(world), chosen(world, terms))

    assert "The Tyger" not in signed_in("mallory").get("/operator/licences/").content.decode()
    assert path_of(world) not in signed_in("ada").get(f"/works/{world.tyger.pk}").content.decode()

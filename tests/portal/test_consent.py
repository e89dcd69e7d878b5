"""Saying what is allowed: in a sentence, and for many works with a look before."""

from django.utils import timezone

from portal import sayings
from registry import consent, licensing
from registry.models import Statement
from tests.factories import NOON, deny, make_work
from tests.portal.conftest import World, signed_in
from tribute.vocabulary import Purpose


def said(world: World) -> list[tuple[str, str, bool]]:
    rows = Statement.objects.filter(claimant=world.ada).order_by("recorded_at", "sequence")
    return [(s.purpose, s.decision, s.paid) for s in rows]


def test_saving_records_only_the_words_that_changed(world: World) -> None:
    answers = {Purpose.TRAIN_AI: "paid", Purpose.AI_INPUT: "deny", Purpose.SEARCH: "unknown"}

    answer = signed_in("ada").post(f"/works/{world.chariot.pk}/consent", answers, follow=True)

    assert said(world) == [("train-ai", "allow", True), ("ai-input", "deny", False)]
    assert "1 word changed" in answer.content.decode()


def test_saving_the_same_again_changes_nothing(world: World) -> None:
    answer = signed_in("ada").post(
        f"/works/{world.chariot.pk}/consent", {Purpose.TRAIN_AI: "paid"}, follow=True
    )

    assert said(world) == [("train-ai", "allow", True)]
    assert "Nothing changed" in answer.content.decode()


def test_a_licence_needs_terms_and_uses_the_newest(world: World) -> None:
    ada = signed_in("ada")
    path = f"/works/{world.chariot.pk}/consent"

    without = ada.post(path, {Purpose.SEARCH: "license"}, follow=True)
    assert "Write your terms first" in without.content.decode()

    licensing.offer(world.ada, uri="https://ada.example/licence", at=NOON)
    ada.post(path, {Purpose.SEARCH: "license"})
    assert said(world)[-1] == ("search", "license", False)


def test_offering_terms_keeps_the_price_in_micros(world: World) -> None:
    given = {
        "price": "12.50",
        "currency": "EUR",
        "attribution_required": "on",
        "uri": "https://ada.example/licence",
    }

    signed_in("ada").post("/terms/", given)

    terms = world.ada.terms.get()
    assert (terms.price_micros, terms.currency) == (12_500_000, "EUR")


def test_a_default_counts_for_works_nothing_was_said_about(world: World) -> None:
    work = make_work(world.ada)

    signed_in("ada").post("/consent/default", {Purpose.DATA_MINING: "deny"})

    statement = Statement.objects.get(creator=world.ada)
    standing = consent.standing([work.pk], Purpose.DATA_MINING, at=statement.recorded_at)
    assert standing[work.pk].decision == "deny"


def test_works_count_by_what_their_site_says_where_nothing_is_said_about_them(
    world: World,
) -> None:
    make_work(world.ada, url="https://ada.example/poem")
    make_work(world.ada, url="https://elsewhere.example/poem")
    deny(world.site)
    now = timezone.now()

    assert sayings.counts(world.ada, Purpose.TRAIN_AI, at=now) == {
        "paid": 1,
        "deny": 1,
        "unknown": 1,
    }


def test_a_preview_saves_nothing_and_names_the_deed(world: World) -> None:
    asked = {"work": [world.chariot.pk], "purpose": Purpose.TRAIN_AI, "choice": "deny"}

    answer = signed_in("ada").post("/consent/preview", asked)

    assert "Stop training on 1 work" in answer.content.decode()
    assert said(world) == [("train-ai", "allow", True)]


def test_saying_it_together_changes_each_ticked_work(world: World) -> None:
    other = make_work(world.ada)
    asked = {
        "work": [world.chariot.pk, other.pk],
        "purpose": Purpose.TRAIN_AI,
        "choice": "deny",
    }

    signed_in("ada").post("/consent/save", asked)

    assert said(world)[1:] == [("train-ai", "deny", False), ("train-ai", "deny", False)]


def test_nothing_ticked_is_said_beside_the_form(world: World) -> None:
    answer = signed_in("ada").post(
        "/consent/preview", {"purpose": Purpose.TRAIN_AI, "choice": "deny"}
    )

    assert answer.status_code == 422
    assert "Tick one work at least." in answer.content.decode()


def test_a_yes_that_does_not_count_yet_is_said_to_be_so(world: World) -> None:
    mallory = signed_in("mallory")
    world_of_hers = make_work(world.ben.__class__.objects.get(handle="mallory"))
    type(world.ada).objects.filter(handle="mallory").update(identity_verified_at=None)

    mallory.post(f"/works/{world_of_hers.pk}/consent", {Purpose.SEARCH: "allow"})

    page = mallory.get(f"/works/{world_of_hers.pk}/mine/").content.decode()
    assert "Not all of this is what companies are told yet." in page


def test_works_are_counted_by_what_is_said_about_them(world: World) -> None:
    ada = signed_in("ada")
    make_work(world.ada)
    spoken = make_work(world.ada)
    ada.post(f"/works/{spoken.pk}/consent", {Purpose.TRAIN_AI: "allow"})

    before = ada.get("/overview/").context["says"]
    ada.post("/consent/default", {Purpose.TRAIN_AI: "deny"})
    after = ada.get("/overview/").context["says"]

    assert before == [("allow", True, 1), ("allow", False, 1), ("unknown", False, 1)]
    assert after == [("deny", False, 1), ("allow", True, 1), ("allow", False, 1)]


def test_ids_that_are_none_are_no_works(world: World) -> None:
    asked = {"work": ["nonsense"], "purpose": Purpose.TRAIN_AI, "choice": "deny"}

    assert signed_in("ada").post("/consent/save", asked).status_code == 422

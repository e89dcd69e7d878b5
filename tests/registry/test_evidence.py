"""Whose word counts: a deny from anybody at once, an allow only from who has shown a right to it."""

import hashlib
from datetime import datetime

import pytest

from registry import checks, collections, consent, creators, disputes, works
from registry.checks import CheckItem
from registry.fetching import Fetched
from registry.models import ClaimConflict, Collection, Creator, Operator
from tests.factories import (
    DAY,
    NOON,
    allow,
    deny,
    make_creator,
    make_operator,
    make_work,
)
from tribute.vocabulary import Decision, IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

POEM = "O my luve is like a red red rose that is newly sprung in June and so on it goes " * 12
URL = "https://ada.example/poems/rose"


@pytest.fixture
def acme() -> Operator:
    return make_operator("acme")


def decision(acme: Operator, *, url: str | None = None, text: str | None = None) -> str:
    """What Acme is told about an address or a text, later than all else."""
    item = CheckItem(url=url, sha256=None if text is None else sha256(text))
    check = checks.check(acme, [item], [Purpose.TRAIN_AI], at=NOON + 99 * DAY)
    return str(check.results[0]["decisions"]["train-ai"]["decision"])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def proven_site(creator: Creator, domain: str, *, at: datetime = NOON + DAY) -> Collection:
    """A domain whose control the creator has shown."""
    claimed = collections.claim(creator, kind=IdentifierKind.DOMAIN, value=domain, at=at)
    body = collections.challenge(claimed).body.encode()
    return collections.verify(
        claimed, fetch=lambda url: Fetched(url, 200, {}, body, "192.0.2.1"), at=at
    )


def test_an_unproven_deny_counts_and_an_unproven_allow_does_not(acme: Operator) -> None:
    ada = make_creator("ada", verified=False)
    work = make_work(ada, url=URL)

    allow(work)
    assert decision(acme, url=URL) == "unknown"
    deny(work, at=NOON + DAY)
    assert decision(acme, url=URL) == "deny"


def test_verifying_the_identity_makes_the_allow_count(acme: Operator) -> None:
    ada = make_creator("ada", verified=False)
    allow(make_work(ada, url=URL))

    creators.verify_identity(ada, at=NOON + DAY)

    assert decision(acme, url=URL) == "allow"


def test_proving_control_makes_the_allow_of_what_lies_there_count(acme: Operator) -> None:
    ada = make_creator("ada", verified=False)
    allow(make_work(ada, url=URL, text=POEM))

    proven_site(ada, "ada.example")

    assert decision(acme, url=URL) == "allow"
    assert decision(acme, text=POEM) == "allow"


def test_control_of_ones_own_site_proves_nothing_elsewhere(acme: Operator) -> None:
    mallory = make_creator("mallory", verified=False)
    own = (IdentifierKind.URL, "https://mallory.example/page")
    foreign = (IdentifierKind.URL, URL)
    allow(make_work(mallory, identifiers=[own, foreign]))

    proven_site(mallory, "mallory.example")

    assert decision(acme, url=own[1]) == "allow"
    assert decision(acme, url=URL) == "unknown"


def test_a_verified_identity_does_not_beat_who_controls_the_place(acme: Operator) -> None:
    site = proven_site(make_creator("ada"), "ada.example")
    deny(site)

    allow(make_work(make_creator("mallory"), url=URL))

    assert decision(acme, url=URL) == "deny"


def test_a_collection_speaks_for_what_lies_below_until_a_work_does(acme: Operator) -> None:
    ada = make_creator("ada")
    site = proven_site(ada, "ada.example")
    allow(site)
    deny(make_work(ada, url=URL))

    assert decision(acme, url="https://deep.ada.example/any/where?x=1") == "allow"
    assert decision(acme, url=URL) == "deny"
    assert decision(acme, url="https://notada.example/") == "unknown"


def test_a_creators_default_speaks_last(acme: Operator) -> None:
    ada = make_creator("ada")
    deny(ada)
    silent = make_work(ada, url="https://ada.example/silent")
    allow(make_work(ada, url=URL))

    assert decision(acme, url=URL) == "allow"
    assert decision(acme, url="https://ada.example/silent") == "deny"
    assert consent.standing([silent.pk], Purpose.TRAIN_AI, at=NOON)[silent.pk].decision == "deny"


def test_a_default_reaches_works_registered_later(acme: Operator) -> None:
    ada = make_creator("ada")
    deny(ada)

    make_work(ada, url=URL, at=NOON + DAY)

    assert decision(acme, url=URL) == "deny"


def test_a_co_owner_has_a_say_once_the_share_is_confirmed(acme: Operator) -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada, url=URL, shares={ada.pk: 700_000, ben.pk: 300_000})
    allow(work)
    deny(ben)
    assert decision(acme, url=URL) == "allow"

    works.confirm_share(work, ben, at=NOON + DAY)
    assert decision(acme, url=URL) == "allow"
    deny(work, by=ben, at=NOON + DAY)
    assert decision(acme, url=URL) == "deny"


def test_one_owners_general_yes_stands_until_another_says_no(acme: Operator) -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada, url=URL, shares={ada.pk: 700_000, ben.pk: 300_000})
    allow(ben)
    assert decision(acme, url=URL) == "unknown"

    works.confirm_share(work, ben, at=NOON + DAY)
    assert decision(acme, url=URL) == "allow"
    deny(ada, at=NOON + DAY)
    assert decision(acme, url=URL) == "deny"


def test_while_a_claim_is_disputed_the_strictest_word_holds(acme: Operator) -> None:
    ada, mallory = make_creator("ada"), make_creator("mallory")
    allow(make_work(ada, text=POEM, url=URL))
    assert decision(acme, text=POEM) == "allow"

    copy = make_work(mallory, text=POEM.replace("June", "July", 1), at=NOON + DAY)
    conflict = ClaimConflict.objects.get(work=copy)
    assert (conflict.kind, 0 < conflict.distance_ppm < 300_000) == ("near", True)
    deny(copy, at=NOON + DAY)

    assert decision(acme, text=POEM) == "deny"
    assert decision(acme, url=URL) == "deny"


def test_a_copy_cannot_loosen_what_the_other_forbids(acme: Operator) -> None:
    ada, mallory = make_creator("ada"), make_creator("mallory")
    deny(make_work(ada, text=POEM))

    allow(make_work(mallory, text=POEM, at=NOON + DAY), at=NOON + DAY)

    assert decision(acme, text=POEM) == "deny"
    assert ClaimConflict.objects.get().kind == "exact"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (ClaimConflict.Outcome.OTHER_UPHELD, "allow"),
        (ClaimConflict.Outcome.WORK_UPHELD, "deny"),
        (ClaimConflict.Outcome.DISTINCT, "deny"),
    ],
)
def test_a_decided_dispute_ends_the_losers_say(
    acme: Operator, outcome: ClaimConflict.Outcome, expected: str
) -> None:
    allow(make_work(make_creator("ada"), text=POEM))
    deny(make_work(make_creator("mallory"), text=POEM, at=NOON + DAY), at=NOON + DAY)
    assert decision(acme, text=POEM) == "deny"

    disputes.resolve(ClaimConflict.objects.get(), outcome=outcome, at=NOON + 2 * DAY)

    assert decision(acme, text=POEM) == expected


def test_works_of_the_same_creator_do_not_conflict() -> None:
    ada = make_creator("ada")
    make_work(ada, text=POEM)

    make_work(ada, text=POEM.replace("June", "July", 1))

    assert not ClaimConflict.objects.exists()


def test_a_later_statement_counts_from_its_instant_only(acme: Operator) -> None:
    ada = make_creator("ada")
    work = make_work(ada, url=URL)
    allow(work)
    deny(work, effective_from=NOON + 5 * DAY)

    def at(days: int) -> str:
        asked = checks.check(acme, [CheckItem(url=URL)], [Purpose.TRAIN_AI], at=NOON + days * DAY)
        return str(asked.results[0]["decisions"]["train-ai"]["decision"])

    assert [at(0), at(4), at(5), at(6)] == ["allow", "allow", "deny", "deny"]


def test_unknown_takes_back_what_was_said(acme: Operator) -> None:
    ada = make_creator("ada")
    work = make_work(ada, url=URL)
    allow(work)

    consent.state(ada, work, purpose=Purpose.TRAIN_AI, decision=Decision.UNKNOWN, at=NOON + DAY)

    assert decision(acme, url=URL) == "unknown"

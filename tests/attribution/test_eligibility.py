"""Who earns by a work, who does not, and that what is remembered of it never outlives a change."""

import hashlib
from collections.abc import Callable
from typing import cast

import pytest

from attribution import eligibility, rights_changes, rosters
from attribution.indexing import index_works
from attribution.models import Contribution, GenerativeModel
from attribution.worker import settle_due
from ledger import leaving
from ledger.models import SetAside
from registry import claims, consent, disputes, works
from registry.models import ClaimConflict, Creator, Manifest, Operator, Statement, Work
from tests.attribution.world import (
    CHARIOT,
    EIGHT_OF_TYGER,
    GENERATED,
    INGESTED,
    MEDLEY,
    TWELVE_OF_CHARIOT,
    TYGER,
    ask,
    fund,
    make_model,
)
from tests.factories import DAY, NOON, allow, deny, erase, make_creator, make_operator, make_work
from tests.journal import Journal
from tribute.vocabulary import Decision, IdentifierKind, Purpose

pytestmark = pytest.mark.usefixtures("sound")


def settle(limit: int = 100) -> int:
    return settle_due(at=GENERATED, limit=limit)


def test_a_work_outside_the_manifest_earns_nothing(
    acme: Operator, chariot: Work, tyger: Work, journal: Journal
) -> None:
    fund(acme)
    ask(make_model(acme, [chariot]), MEDLEY)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        platform:pool             0.004500 EUR
    """
    )


def test_a_work_denied_at_ingestion_earns_nothing(
    acme: Operator, chariot: Work, ben: Creator, journal: Journal
) -> None:
    denied = make_work(ben, text=TYGER)
    deny(denied)
    fund(acme)
    ask(make_model(acme, [chariot, denied]), MEDLEY)
    allow(denied, at=GENERATED)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        platform:pool             0.004500 EUR
    """
    )


def test_a_work_withdrawn_after_ingestion_still_earns(
    writer: GenerativeModel, tyger: Work, journal: Journal
) -> None:
    deny(tyger, at=INGESTED + DAY)
    ask(writer, EIGHT_OF_TYGER)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ben:pending       0.009000 EUR
    """
    )


@pytest.mark.parametrize("word", [allow, deny])
def test_registering_a_near_copy_holds_nothing_of_the_originals(
    writer: GenerativeModel, journal: Journal, word: Callable[..., Statement]
) -> None:
    mallory = make_creator("mallory", verified=False, at=INGESTED + DAY)
    word(make_work(mallory, text=CHARIOT, at=INGESTED + DAY), at=INGESTED + DAY)
    index_works(limit=10, at=GENERATED)
    ask(writer, TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.009000 EUR
    """
    )


@pytest.mark.parametrize("word", [allow, deny])
def test_a_proven_rival_who_stands_by_the_claim_sets_apart_what_was_agreed_and_no_more(
    writer: GenerativeModel, journal: Journal, word: Callable[..., Statement]
) -> None:
    mallory = make_creator("mallory", at=INGESTED + DAY)
    word(make_work(mallory, text=CHARIOT, at=INGESTED + DAY), at=INGESTED + DAY)
    claims.stand_by(ClaimConflict.objects.get(), mallory, at=GENERATED)
    index_works(limit=10, at=GENERATED)
    ask(writer, TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:disputed      0.009000 EUR
    """
    )


def test_a_waived_share_follows_the_models_policy(
    acme: Operator, chariot: Work, ben: Creator, journal: Journal
) -> None:
    free = make_work(ben, text=TYGER)
    allow(free, paid=False)
    fund(acme)
    query = ask(make_model(acme, [chariot, free]))
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        platform:pool             0.004500 EUR
    """
    )
    row = Contribution.objects.get(query=query, work=free)
    assert (row.creator_id, row.words, row.micros, row.withheld) == (ben.pk, 8, 0, "waived")


def test_a_creator_who_wants_no_money_gets_none(
    writer: GenerativeModel, ada: Creator, journal: Journal
) -> None:
    Creator.objects.filter(pk=ada.pk).update(wants_payment=False)
    query = ask(writer, TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:pool             0.009000 EUR
    """
    )
    assert query.contributions.get(creator=ada).withheld == "no_payment"


def test_the_part_of_who_has_left_waits_unclaimed(
    acme: Operator, ada: Creator, ben: Creator, journal: Journal
) -> None:
    halves = {ben.pk: 500_000, ada.pk: 500_000}
    shared = make_work(ben, text=CHARIOT, shares=halves)
    works.confirm_share(shared, ada, at=NOON)
    allow(shared)
    fund(acme)
    model = make_model(acme, [shared])
    erase(ada, at=GENERATED)
    ask(model, TWELVE_OF_CHARIOT)
    journal()

    settle()
    assert leaving.sweep(at=GENERATED) == 1
    assert leaving.sweep(at=GENERATED) == 0

    gone = Creator.objects.get(pk=ada.pk).handle
    assert [" ".join(line.split()) for line in journal().splitlines() if line.strip()] == [
        "operator:acme:reserved -0.010000 EUR",
        "platform:fee 0.001000 EUR",
        f"creator:{gone}:pending 0.004500 EUR",
        "creator:ben:pending 0.004500 EUR",
        f"creator:{gone}:pending -0.004500 EUR",
        "platform:unclaimed 0.004500 EUR",
    ]
    assert SetAside.objects.get().subject == ada.pk


def test_an_operators_own_works_earn_nothing(journal: Journal) -> None:
    acme = make_operator("acme")
    house_poet = make_creator("house-poet", user=acme.members.get())
    work = make_work(house_poet, text=TYGER)
    allow(work)
    fund(acme)
    query = ask(make_model(acme, [work]), EIGHT_OF_TYGER)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:pool             0.009000 EUR
    """
    )
    assert query.contributions.get(creator=house_poet).withheld == "own_work"


def test_copies_of_a_work_gain_nothing(acme: Operator, ben: Creator, journal: Journal) -> None:
    mallory = make_creator("mallory")
    copies = [make_work(mallory, text=f"{CHARIOT} copy {number}") for number in range(5)]
    shared = make_work(ben, text=f"{TYGER} {TWELVE_OF_CHARIOT}")
    for work in (*copies, shared):
        allow(work)
    fund(acme)
    ask(make_model(acme, [*copies, shared]), TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:mallory:pending   0.004500 EUR
        creator:ben:pending       0.004500 EUR
    """
    )


@pytest.fixture
def paid(acme: Operator, writer: GenerativeModel) -> Callable[[], dict[str, str]]:
    """Settles one more answer and says why each owner of the works got nothing, or ''."""

    def settle_one() -> dict[str, str]:
        query = ask(writer)
        settle()
        rows = query.contributions.exclude(work=None).select_related("creator")
        return {row.creator.handle: row.withheld or row.escrow for row in rows if row.creator}

    return settle_one


def test_what_is_remembered_of_a_work_ends_with_the_next_word_about_it(
    paid: Callable[[], dict[str, str]], chariot: Work, ada: Creator, ben: Creator, acme: Operator
) -> None:
    assert paid() == {"ada": "", "ben": ""}

    allow(chariot, paid=False, at=INGESTED + DAY)
    assert paid() == {"ada": "waived", "ben": ""}

    allow(chariot, at=INGESTED + 2 * DAY)
    Creator.objects.filter(pk=ben.pk).update(wants_payment=False)
    assert paid() == {"ada": "", "ben": "no_payment"}

    Creator.objects.filter(pk=ben.pk).update(wants_payment=True)
    acme.members.add(ada.members.get())
    assert paid() == {"ada": "own_work", "ben": ""}


def test_a_default_of_the_creator_is_heard_of_too(
    acme: Operator, ada: Creator, ben: Creator
) -> None:
    silent = make_work(ada, text=CHARIOT)
    allow(ada, paid=False)
    fund(acme)
    model = make_model(acme, [silent])
    asked = [ask(model, TWELVE_OF_CHARIOT)]
    settle()

    allow(ada, at=INGESTED + DAY)
    asked.append(ask(model, TWELVE_OF_CHARIOT))
    settle()

    assert [query.contributions.get(creator=ada).withheld for query in asked] == ["waived", ""]


def test_what_was_announced_begins_at_its_instant_though_nothing_new_is_said(
    acme: Operator, chariot: Work, ada: Creator
) -> None:
    consent.state(
        ada,
        chariot,
        purpose=Purpose.TRAIN_AI,
        decision=Decision.ALLOW,
        effective_from=GENERATED + DAY,
        at=INGESTED,
    )
    model = make_model(acme, [chariot])
    roster = rosters.of_manifest(cast("Manifest", model.manifest))

    reasons = [
        eligibility.owners([chariot.pk], roster=roster, operator=acme, at=at)[chariot.pk][
            0
        ].withheld
        for at in (GENERATED, GENERATED + DAY, GENERATED)
    ]

    assert reasons == ["", "waived", ""]


def test_a_claim_that_is_opened_and_decided_is_heard_of(
    paid: Callable[[], dict[str, str]], chariot: Work, ada: Creator, ben: Creator
) -> None:
    assert paid()["ada"] == ""
    mallory = make_creator("mallory", at=INGESTED + DAY)
    copy = make_work(mallory, text=CHARIOT, at=INGESTED + DAY)
    index_works(limit=10, at=GENERATED)
    assert paid()["ada"] == ""

    conflict = ClaimConflict.objects.get(work=copy, other=chariot)
    claims.stand_by(conflict, mallory, at=GENERATED)
    assert paid()["ada"] == "claim"
    disputes.resolve(conflict, outcome=ClaimConflict.Outcome.OTHER_UPHELD, at=GENERATED)

    assert paid()["ada"] == ""


def test_a_forgotten_change_makes_a_listener_forget_everything(
    chariot: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = rights_changes.Listener()
    assert listener.news().everything
    assert not listener.news().everything

    monkeypatch.setattr(rights_changes, "MOST_CHANGES", 0)
    allow(chariot)
    assert listener.news().everything
    monkeypatch.setattr(rights_changes, "LONGEST_SILENCE_SECONDS", -1.0)
    assert listener.news().everything


def test_many_new_works_bring_a_bounded_number_of_others(
    acme: Operator, ada: Creator, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(8)]
    works = [make_work(ada, identifiers=[(IdentifierKind.SHA256, code)]) for code in codes]
    for work in works:
        allow(work, at=INGESTED)
    roster = rosters.of_manifest(cast("Manifest", make_model(acme, works).manifest))
    monkeypatch.setattr(eligibility, "MANY_NEW", 2)
    monkeypatch.setattr(eligibility, "MOST_OTHERS", 3)

    def asked(*some: Work) -> int:
        wanted = [work.pk for work in some]
        found = eligibility.owners(wanted, roster=roster, operator=acme, at=GENERATED)
        assert {owner.creator for owned in found.values() for owner in owned} == {ada.pk}
        return sum(work.pk in eligibility._memory.rights for work in works)

    assert asked(works[7]) == 1
    assert 1 + 2 < asked(works[6], works[5]) <= 1 + 2 + 3
    assert asked(*works) == 8

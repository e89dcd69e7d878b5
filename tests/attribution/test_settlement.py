"""Who is paid what, in whole stories, read from the journal."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from attribution import queries, settlement
from attribution.indexing import index_works
from attribution.methods import uniform
from attribution.models import Contribution, GenerativeModel, Query, RoundingCarry
from attribution.worker import settle_due
from ledger.money import Money
from registry import claims
from registry.models import (
    ClaimConflict,
    Creator,
    Manifest,
    Operator,
    Statement,
    Work,
    WorkFeatures,
)
from tests.attribution.world import (
    CHARIOT,
    EIGHT_OF_TYGER,
    FOUR_OF_NOBODY,
    GENERATED,
    INGESTED,
    MEDLEY,
    TWELVE_OF_CHARIOT,
    TYGER,
    ask,
    fund,
    make_model,
    report,
)
from tests.factories import DAY, allow, deny, make_creator, make_operator, make_work
from tests.journal import Journal

pytestmark = pytest.mark.usefixtures("sound")


def settle(limit: int = 100) -> int:
    return settle_due(at=GENERATED, limit=limit)


def test_a_fee_is_shared_by_the_words_found(writer: GenerativeModel, journal: Journal) -> None:
    query = ask(writer)
    journal()

    assert settle() == 1

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        creator:ben:pending       0.003000 EUR
        platform:pool             0.001500 EUR
    """
    )
    query.refresh_from_db()
    assert (query.state, query.method, query.words) == ("settled", "verbatim", 24)
    assert list(
        query.contributions.order_by("id").values_list(
            "work__title", "creator__handle", "words", "micros"
        )
    ) == [("The Chariot", "ada", 12, 4_500), ("The Tyger", "ben", 8, 3_000), (None, None, 0, 1_500)]


def test_co_owners_share_what_their_work_earns(
    acme: Operator, ada: Creator, ben: Creator, journal: Journal
) -> None:
    work = make_work(ada, text=CHARIOT, shares={ada.pk: 700_000, ben.pk: 300_000})
    allow(work)
    fund(acme)
    ask(make_model(acme, [work]), TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.006300 EUR
        creator:ben:pending       0.002700 EUR
    """
    )


def test_a_word_found_in_two_texts_is_shared(
    acme: Operator, ada: Creator, ben: Creator, journal: Journal
) -> None:
    quoting = f"{TYGER} As another poet said: {TWELVE_OF_CHARIOT}"
    works = [make_work(ada, text=CHARIOT), make_work(ben, text=quoting)]
    for work in works:
        allow(work)
    fund(acme)
    ask(make_model(acme, works), TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        creator:ben:pending       0.004500 EUR
    """
    )


def test_an_answer_of_ones_own_words_pays_the_pool(
    writer: GenerativeModel, journal: Journal
) -> None:
    ask(writer, "The machine wrote every single word of this sentence by itself.")
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:pool             0.009000 EUR
    """
    )


def test_an_empty_answer_pays_the_pool(writer: GenerativeModel, journal: Journal) -> None:
    ask(writer, "")
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:pool             0.009000 EUR
    """
    )


def test_the_policy_may_keep_the_remainder_apart(
    acme: Operator, chariot: Work, journal: Journal
) -> None:
    fund(acme)
    model = make_model(acme, [chariot], unattributed_policy="unattributed")
    ask(model, f"{EIGHT_OF_TYGER} {FOUR_OF_NOBODY}")
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:unattributed     0.009000 EUR
    """
    )


def test_a_fee_may_be_a_share_of_the_price(acme: Operator, chariot: Work, journal: Journal) -> None:
    fund(acme)
    model = make_model(acme, [chariot], fee_micros=None, price_share_ppm=50_000)
    ask(model, TWELVE_OF_CHARIOT, price=Money(400_000, "EUR"))
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.020000 EUR
        platform:fee              0.002000 EUR
        creator:ada:pending       0.018000 EUR
    """
    )


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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        platform:pool             0.009000 EUR
    """
    )
    assert query.contributions.get(creator=ada).withheld == "no_payment"


def test_an_erased_creator_earns_nothing_more(
    writer: GenerativeModel, ada: Creator, journal: Journal
) -> None:
    Creator.objects.filter(pk=ada.pk).update(erased_at=GENERATED, commitment_key=None)
    query = ask(writer, TWELVE_OF_CHARIOT)

    settle()

    assert query.contributions.get(creator=ada).withheld == "erased"


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
        operator:acme:prepaid    -0.010000 EUR
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
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:mallory:pending   0.004500 EUR
        creator:ben:pending       0.004500 EUR
    """
    )


def test_a_query_without_funds_is_refused_for_good(
    acme: Operator, chariot: Work, journal: Journal
) -> None:
    fund(acme, 15_000)
    model = make_model(acme, [chariot])
    first, second = ask(model, TWELVE_OF_CHARIOT), ask(model, TWELVE_OF_CHARIOT)
    journal()

    settle()
    fund(acme, 1_000_000)
    settle()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("settled", "refused")
    assert (second.reason, second.evidence) == ("insufficient_funds", None)
    assert not second.contributions.exists()


def test_uniform_pays_every_work_of_the_manifest_alike(
    acme: Operator, chariot: Work, tyger: Work, journal: Journal
) -> None:
    fund(acme)
    query = ask(make_model(acme, [chariot, tyger], method="uniform"), None)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.004500 EUR
        creator:ben:pending       0.004500 EUR
    """
    )
    query.refresh_from_db()
    assert (query.method, query.words) == ("uniform", None)


def test_tiny_fees_are_fair_in_the_long_run(acme: Operator, chariot: Work, tyger: Work) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], fee_micros=1)
    output = f"{TWELVE_OF_CHARIOT} {EIGHT_OF_TYGER}"
    queries.receive(acme, [report(model, output) for _ in range(41)], at=GENERATED)

    while settle(limit=7):
        continue

    earned = Contribution.objects.values_list("creator__handle").annotate(Sum("micros"))
    assert dict(earned) == {"ada": 25, "ben": 16}
    carried = RoundingCarry.objects.values_list("creator__handle", "parts")
    assert dict(carried) == {"ada": -400_000_000_000, "ben": 400_000_000_000}


def test_unreadable_evidence_is_parked_and_holds_nobody_up(
    writer: GenerativeModel, settings: Any
) -> None:
    lost = ask(writer)
    settings.EVIDENCE_KEYS = ["another secret of at least 32 characters"]
    fine = ask(writer)

    assert settle() == 2

    lost.refresh_from_db()
    fine.refresh_from_db()
    assert (lost.state, lost.reason) == ("parked", "evidence_unreadable")
    assert lost.evidence is not None
    assert fine.state == "settled"


def test_a_batch_of_nothing_but_unreadable_evidence_is_parked(
    writer: GenerativeModel, settings: Any, journal: Journal
) -> None:
    lost = ask(writer)
    settings.EVIDENCE_KEYS = ["another secret of at least 32 characters"]
    journal()

    assert settle() == 1

    lost.refresh_from_db()
    assert (lost.state, journal()) == ("parked", "")


def test_a_rotated_key_still_opens_what_it_sealed(writer: GenerativeModel, settings: Any) -> None:
    query = ask(writer)
    settings.EVIDENCE_KEYS = ["a newer secret of at least 32 characters", *settings.EVIDENCE_KEYS]

    settle()

    query.refresh_from_db()
    assert (query.state, query.evidence, query.evidence_key_id) == ("settled", None, "")


def test_queries_wait_until_the_manifest_is_matched(acme: Operator, chariot: Work) -> None:
    fund(acme)
    model = make_model(acme, [chariot])
    Manifest.objects.update(status="matching")
    query = ask(model)

    assert settle() == 0
    Manifest.objects.update(status="ready")
    assert settle() == 1

    query.refresh_from_db()
    assert query.state == "settled"


def test_queries_wait_until_the_texts_are_indexed(writer: GenerativeModel, chariot: Work) -> None:
    ask(writer)
    WorkFeatures.objects.filter(work=chariot).update(indexed_at=None)

    assert settle() == 0


def test_settling_three_takes_as_many_statements_as_settling_one(writer: GenerativeModel) -> None:
    statements = []
    for count in (1, 1, 3):
        for _ in range(count):
            ask(writer)
        with CaptureQueriesContext(connection) as captured:
            settle(limit=count)
        statements.append(len(captured))

    assert statements[1] == statements[2] < 40


def test_contributions_and_settled_queries_cannot_be_changed(writer: GenerativeModel) -> None:
    query = ask(writer)
    settle()

    for change in (
        lambda: Contribution.objects.update(micros=1),
        lambda: Contribution.objects.all().delete(),
        lambda: Query.objects.filter(pk=query.pk).update(fee_micros=1),
        lambda: Query.objects.filter(pk=query.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_uniform_counts_copies_once_and_draws_a_window_when_works_are_many(
    acme: Operator, chariot: Work, tyger: Work, ada: Creator, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = make_work(ada, text=f"{CHARIOT} once more")
    allow(copy)
    fund(acme)
    model = make_model(acme, [chariot, tyger, copy], method="uniform")
    whole = ask(model, None)
    settle()
    monkeypatch.setattr(uniform, "window", partial(uniform.window, size=2))
    asked = [ask(model, None) for _ in range(12)]
    settle()

    paid = dict(whole.contributions.values_list("work", "micros"))
    assert paid == {chariot.pk: 4_500, tyger.pk: 4_500}
    windows = {
        frozenset(query.contributions.values_list("work", flat=True))
        for query in Query.objects.filter(pk__in=[each.pk for each in asked])
    }
    assert windows == {
        frozenset({chariot.pk, tyger.pk}),
        frozenset({tyger.pk}),
        frozenset({chariot.pk}),
    }


def test_a_query_with_more_payees_than_an_entry_has_legs_is_parked(
    writer: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "MOST_PAYEES", 1)
    many, one = ask(writer), ask(writer, TWELVE_OF_CHARIOT)

    settle()

    many.refresh_from_db()
    one.refresh_from_db()
    assert (many.state, many.reason, one.state) == ("parked", "too_many_payees", "settled")


def test_nothing_due_settles_nothing(writer: GenerativeModel) -> None:
    assert settle() == 0


def test_queries_of_several_models_and_operators_settle_in_one_batch(
    writer: GenerativeModel, chariot: Work, journal: Journal
) -> None:
    bolt = make_operator("bolt")
    fund(bolt)
    theirs = make_model(bolt, [chariot], fee_micros=1_000)
    ask(writer, TWELVE_OF_CHARIOT)
    ask(theirs, TWELVE_OF_CHARIOT)
    journal()

    settle()

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ada:pending       0.009000 EUR

        operator:bolt:prepaid    -0.001000 EUR
        platform:fee              0.000100 EUR
        creator:ada:pending       0.000900 EUR
    """
    )

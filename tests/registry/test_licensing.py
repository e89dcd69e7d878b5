"""Licences: terms are named, offered by who may, and accepted as they stand."""

from typing import Any

import pytest

from registry import checks, consent, licensing, works
from registry.checks import CheckItem
from registry.errors import (
    InvalidTerms,
    NotRightsholder,
    PaidNeedsUse,
    TermsNotOffered,
    TermsRequired,
)
from registry.models import Operator, Statement, Terms, Work
from tests.factories import DAY, NOON, deny, make_creator, make_operator, make_work
from tribute.vocabulary import Decision, Purpose

pytestmark = pytest.mark.django_db

URL = "https://ada.example/1"


def license_work(work: Work) -> Terms:
    """License a work for training, on fresh terms."""
    terms = licensing.offer(work.registered_by, uri="https://ada.example/terms", at=NOON)
    consent.state(
        work.registered_by,
        work,
        purpose=Purpose.TRAIN_AI,
        decision=Decision.LICENSE,
        paid=True,
        terms=terms,
        at=NOON,
    )
    return terms


def told(operator: Operator) -> dict[str, object]:
    asked = checks.check(operator, [CheckItem(url=URL)], [Purpose.TRAIN_AI], at=NOON + 9 * DAY)
    answer: dict[str, object] = asked.results[0]["decisions"]["train-ai"]
    return answer


def test_a_grant_allows_its_operator_and_nobody_else() -> None:
    work = make_work(make_creator("ada"), url=URL)
    acme, other = make_operator("acme"), make_operator("other")
    grant = licensing.accept(acme, license_work(work), work, purpose=Purpose.TRAIN_AI, at=NOON)

    assert told(acme)["decision"] == "allow"
    assert told(acme)["statements"] == [grant.pk]
    assert told(other)["decision"] == "license"


@pytest.mark.parametrize(
    "asked",
    [
        {"price_micros": 5, "uri": "https://ada.example/"},
        {"currency": "EUR", "uri": "https://ada.example/"},
        {},
    ],
)
def test_terms_that_say_nothing_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(InvalidTerms):
        licensing.offer(make_creator("ada"), at=NOON, **asked)  # type: ignore[arg-type]


def test_a_license_names_its_own_terms_and_a_deny_none() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada)
    bens = licensing.offer(ben, uri="https://ben.example/", at=NOON)

    for decision, terms in ((Decision.LICENSE, None), (Decision.LICENSE, bens)):
        with pytest.raises(TermsRequired):
            consent.state(
                ada, work, purpose=Purpose.SEARCH, decision=decision, terms=terms, at=NOON
            )
    with pytest.raises(PaidNeedsUse):
        consent.state(ada, work, purpose=Purpose.SEARCH, decision=Decision.DENY, paid=True, at=NOON)
    with pytest.raises(NotRightsholder):
        consent.state(ben, work, purpose=Purpose.SEARCH, decision=Decision.DENY, at=NOON)
    assert not Statement.objects.exists()


def test_an_announced_deny_ends_the_offer_when_it_begins() -> None:
    work, acme = make_work(make_creator("ada"), url=URL), make_operator("acme")
    terms = license_work(work)
    deny(work, at=NOON, effective_from=NOON + DAY)

    with pytest.raises(TermsNotOffered):
        licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + 2 * DAY)
    assert told(acme)["decision"] == "deny"
    licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON)


def test_an_announced_withdrawal_ends_the_offer_when_it_begins() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url=URL)
    terms = license_work(work)
    consent.state(
        ada, work, purpose=Purpose.TRAIN_AI, decision=Decision.UNKNOWN,
        effective_from=NOON + DAY, at=NOON,
    )  # fmt: skip

    with pytest.raises(TermsNotOffered):
        licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + 2 * DAY)


def test_what_one_owner_denies_no_other_can_grant() -> None:
    ada, ben, acme = make_creator("ada"), make_creator("ben"), make_operator("acme")
    work = make_work(ada, url=URL, shares={ada.pk: 700_000, ben.pk: 300_000})
    works.confirm_share(work, ben, at=NOON)
    terms = license_work(work)
    deny(work, by=ben, at=NOON)

    with pytest.raises(TermsNotOffered):
        licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + DAY)


def test_terms_may_be_accepted_on_a_place_and_on_all_of_a_creators() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    make_work(ada, url=URL)
    terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON)
    consent.state(
        ada, ada, purpose=Purpose.TRAIN_AI, decision=Decision.LICENSE, terms=terms, at=NOON
    )

    licensing.accept(acme, terms, ada, purpose=Purpose.TRAIN_AI, at=NOON)

    assert told(acme)["decision"] == "allow"


def test_a_works_offers_are_what_accept_takes() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url=URL)
    assert licensing.offers(work, at=NOON) == []
    terms = license_work(work)

    [offer] = licensing.offers(work, at=NOON)

    assert offer == licensing.Offer(Purpose.TRAIN_AI, work, terms)
    licensing.accept(acme, offer.terms, offer.subject, purpose=offer.purpose, at=NOON)
    assert told(acme)["decision"] == "allow"
    assert licensing.offers(work, at=NOON) == [offer]


def test_what_a_creator_offers_for_all_her_works_is_offered_for_each() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url=URL)
    terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON)
    consent.state(
        ada, ada, purpose=Purpose.TRAIN_AI, decision=Decision.LICENSE, terms=terms, at=NOON
    )

    [offer] = licensing.offers(work, at=NOON)

    assert offer.subject == ada
    licensing.accept(acme, offer.terms, offer.subject, purpose=offer.purpose, at=NOON)
    assert told(acme)["decision"] == "allow"


def test_a_deny_of_the_work_leaves_no_offer() -> None:
    ada = make_creator("ada")
    work = make_work(ada, url=URL)
    license_work(work)
    deny(work, at=NOON)

    assert licensing.offers(work, at=NOON) == []


def test_an_unproven_claimant_offers_nothing() -> None:
    work = make_work(make_creator("eve", verified=False), url=URL)
    license_work(work)

    assert licensing.offers(work, at=NOON) == []


def test_looking_at_offers_costs_the_same_however_much_a_creator_has(
    django_assert_max_num_queries: Any,
) -> None:
    ada = make_creator("ada")
    for number in range(9):
        make_work(ada, url=f"https://ada.example/other/{number}")
    work = make_work(ada, url=URL)
    terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON)
    consent.state(
        ada, ada, purpose=Purpose.TRAIN_AI, decision=Decision.LICENSE, terms=terms, at=NOON
    )

    with django_assert_max_num_queries(3) as asked:
        [offer] = licensing.offers(work, at=NOON)

    assert offer.subject == ada
    assert [each["sql"] for each in asked if "advisory" in each["sql"]] == []

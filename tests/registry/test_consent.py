"""Statements: who may make them, in which order they stand, and that nothing takes them back."""

import pytest

from registry import consent
from registry.models import Statement
from tests.factories import DAY, NOON, allow, deny, make_creator, make_work
from tribute.vocabulary import Decision, Purpose


@pytest.mark.django_db
def test_state_counts_the_statements_of_a_subject() -> None:
    work = make_work(make_creator("ada"))

    allow(work)
    deny(work, at=NOON + DAY)

    said = [(s.sequence, s.decision) for s in consent.history(work)]
    assert said == [(1, "allow"), (2, "deny")]


@pytest.mark.django_db
def test_standing_follows_the_latest_statement() -> None:
    work = make_work(make_creator("ada"))
    first = allow(work)
    deny(work, at=NOON + DAY)

    before = consent.standing([work.pk], Purpose.TRAIN_AI, at=NOON)
    after = consent.standing([work.pk], Purpose.TRAIN_AI, at=NOON + DAY)

    assert before == {work.pk: consent.Standing(Decision.ALLOW, True, first.pk)}
    assert after[work.pk].decision == Decision.DENY
    assert Statement.objects.count() == 2

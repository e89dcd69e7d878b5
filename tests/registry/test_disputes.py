"""Claim conflicts: who answers, who decides, and what is kept of it."""

import json
from typing import Any

import pytest

from registry import disputes, works
from registry.errors import ConflictClosed, MayNotDecide, NotAParty
from registry.models import ClaimConflict, DisputeEvent, LogOutbox
from tests.factories import DAY, NOON, make_creator, make_user, make_work

pytestmark = pytest.mark.django_db

URL = "https://ada.example/1"
Outcome, Reason = ClaimConflict.Outcome, DisputeEvent.Reason


def dispute() -> ClaimConflict:
    """Ada registered an address, and Mallory a day later."""
    make_work(make_creator("ada"), url=URL)
    make_work(make_creator("mallory"), url=URL, at=NOON + DAY)
    return ClaimConflict.objects.get()


def steps(conflict: ClaimConflict) -> list[tuple[str, ...]]:
    rows = conflict.events.order_by("id").select_related("creator")
    return [
        (step.kind, step.creator.handle if step.creator else "", step.reason or step.outcome)
        for step in rows
    ]


def test_each_step_is_kept_and_the_outcome_goes_into_the_log() -> None:
    conflict = dispute()
    mallory, ada = conflict.work.registered_by, conflict.other.registered_by
    judge = make_user(is_staff=True)

    disputes.answer(conflict, ada, reason=Reason.MADE_IT, at=NOON + 2 * DAY)
    disputes.answer(conflict, mallory, reason=Reason.MADE_IT, at=NOON + 2 * DAY)
    disputes.answer(conflict, mallory, reason=Reason.CONCEDES, at=NOON + 3 * DAY)
    disputes.decide(conflict, by=judge, outcome=Outcome.OTHER_UPHELD, at=NOON + 4 * DAY)

    assert steps(conflict) == [
        ("opened", "", ""),
        ("answered", "ada", "made_it"),
        ("answered", "mallory", "made_it"),
        ("answered", "mallory", "concedes"),
        ("decided", "", "other_upheld"),
    ]
    assert conflict.events.get(kind="decided").decided_by == judge
    sides = conflict.events.filter(kind="answered").order_by("id").values_list("work", flat=True)
    assert list(sides) == [conflict.other_id, conflict.work_id, conflict.work_id]
    leaf = json.loads(bytes(LogOutbox.objects.get().leaf))
    assert leaf == {
        "v": 1,
        "t": "dispute.decided",
        "conflict": conflict.pk,
        "work": conflict.work_id,
        "other": conflict.other_id,
        "outcome": "other_upheld",
        "at": "2026-06-05T12:00:00.000000Z",
    }


def test_saying_the_same_again_changes_nothing() -> None:
    conflict = dispute()
    ada = conflict.other.registered_by

    first, second = (
        disputes.answer(conflict, ada, reason=Reason.MADE_IT, at=NOON + n * DAY) for n in (2, 3)
    )

    assert (first, first.recorded_at) == (second, NOON + 2 * DAY)
    assert conflict.events.filter(kind="answered").count() == 1


def test_only_who_holds_a_confirmed_part_answers() -> None:
    ada, ben, mallory = (make_creator(handle) for handle in ("ada", "ben", "mallory"))
    work = make_work(ada, url=URL, shares={ada.pk: 700_000, ben.pk: 300_000})
    make_work(mallory, url=URL, at=NOON + DAY)
    conflict = ClaimConflict.objects.get()

    for stranger in (ben, make_creator("eve")):
        with pytest.raises(NotAParty):
            disputes.answer(conflict, stranger, reason=Reason.MADE_IT, at=NOON + DAY)
    assert not disputes.concerning(ben).exists()

    works.confirm_share(work, ben, at=NOON + 2 * DAY)
    disputes.answer(conflict, ben, reason=Reason.MADE_IT, at=NOON + 2 * DAY)
    assert list(disputes.concerning(ben)) == [conflict]


def test_a_decided_conflict_is_neither_answered_nor_decided_again() -> None:
    conflict = dispute()
    judge = make_user(is_staff=True)
    disputes.decide(conflict, by=judge, outcome=Outcome.DISTINCT, at=NOON + 2 * DAY)

    with pytest.raises(ConflictClosed):
        disputes.answer(
            conflict, conflict.other.registered_by, reason=Reason.MADE_IT, at=NOON + 3 * DAY
        )
    with pytest.raises(ConflictClosed):
        disputes.decide(conflict, by=judge, outcome=Outcome.WORK_UPHELD, at=NOON + 3 * DAY)
    assert steps(conflict) == [("opened", "", ""), ("decided", "", "distinct")]
    assert LogOutbox.objects.count() == 1


@pytest.mark.parametrize("fields", [{}, {"is_payout_admin": True}, {"is_staff": True}])
def test_nobody_but_uninvolved_staff_decides(fields: dict[str, Any]) -> None:
    conflict = dispute()
    person = make_user(**fields)
    if person.is_staff:
        conflict.other.registered_by.members.add(person)

    with pytest.raises(MayNotDecide):
        disputes.decide(conflict, by=person, outcome=Outcome.OTHER_UPHELD, at=NOON + 2 * DAY)

    conflict.refresh_from_db()
    assert (conflict.resolved_at, LogOutbox.objects.count()) == (None, 0)

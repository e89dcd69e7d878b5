"""Appeals: once, in time, to another person; and against matches by likeness."""

import json
from collections.abc import Sequence
from datetime import datetime

import pytest

from registry import appeals, checks, decision_index, disputes, near_copies
from registry.checks import CheckItem
from registry.errors import (
    ConflictClosed,
    MayNotDecide,
    NotAMatch,
    NotAParty,
    NotAppealable,
    NothingToReview,
    SameReviewer,
)
from registry.models import ClaimConflict, Creator, DisputeEvent, LogOutbox, MatchAppeal, User
from tests.factories import DAY, NOON, deny, make_creator, make_operator, make_user, make_work
from tests.registry.test_disputes import URL, dispute, steps
from tests.registry.test_works import TEXT
from tribute.fingerprints import text_code
from tribute.vocabulary import IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

Outcome, Ground = ClaimConflict.Outcome, DisputeEvent.Ground
DECIDED, APPEALED, REVIEWED = NOON + 2 * DAY, NOON + 3 * DAY, NOON + 4 * DAY


def decided(outcome: ClaimConflict.Outcome) -> tuple[ClaimConflict, Creator, Creator, User]:
    conflict = dispute()
    judge = make_user(is_staff=True)
    disputes.decide(conflict, by=judge, outcome=outcome, at=DECIDED)
    return conflict, conflict.other.registered_by, conflict.work.registered_by, judge


def review(
    conflict: ClaimConflict, outcome: ClaimConflict.Outcome, by: User | None = None
) -> ClaimConflict:
    return appeals.review(conflict, by=by or make_user(is_staff=True), outcome=outcome, at=REVIEWED)


def test_an_appeal_is_on_record_and_another_person_answers_it() -> None:
    conflict, ada, _, _ = decided(Outcome.WORK_UPHELD)

    appeals.appeal(conflict, ada, ground=Ground.NEW_EVIDENCE, at=APPEALED)
    found = review(conflict, Outcome.OTHER_UPHELD)

    assert steps(conflict) == [
        ("opened", "", ""),
        ("decided", "", "work_upheld"),
        ("appealed", "ada", "new_evidence"),
        ("reviewed", "", "other_upheld"),
    ]
    assert (found.outcome, found.first_outcome) == ("other_upheld", "work_upheld")
    assert (found.resolved_at, found.overturned_at) == (DECIDED, REVIEWED)
    leaves = [json.loads(bytes(row.leaf)) for row in LogOutbox.objects.order_by("id")]
    assert [(leaf["outcome"], leaf.get("appeal")) for leaf in leaves] == [
        ("work_upheld", None),
        ("other_upheld", True),
    ]


def test_a_confirmed_outcome_is_in_force_as_before() -> None:
    conflict, ada, _, _ = decided(Outcome.WORK_UPHELD)
    appeals.appeal(conflict, ada, ground=Ground.NOT_HEARD, at=APPEALED)

    found = review(conflict, Outcome.WORK_UPHELD)

    assert (found.outcome, found.first_outcome, found.overturned_at) == ("work_upheld", "", None)
    assert found.reviewed_at == REVIEWED


@pytest.mark.parametrize(
    ("outcome", "who"),
    [
        (Outcome.WORK_UPHELD, ["ada"]),
        (Outcome.OTHER_UPHELD, ["mallory"]),
        (Outcome.DISTINCT, ["ada", "mallory"]),
    ],
)
def test_only_a_side_that_was_not_upheld_appeals(
    outcome: ClaimConflict.Outcome, who: Sequence[str]
) -> None:
    conflict, ada, mallory, _ = decided(outcome)
    conflict.refresh_from_db()
    may = [c.handle for c in (ada, mallory) if appeals.may_appeal(conflict, c, at=APPEALED)]
    assert may == who
    for creator in (ada, mallory):
        if creator.handle not in who:
            with pytest.raises(NotAppealable):
                appeals.appeal(conflict, creator, ground=Ground.NEW_EVIDENCE, at=APPEALED)
    with pytest.raises(NotAParty):
        appeals.appeal(conflict, make_creator("eve"), ground=Ground.NEW_EVIDENCE, at=APPEALED)


def test_an_outcome_is_appealed_once_and_in_time() -> None:
    conflict, ada, mallory, _ = decided(Outcome.DISTINCT)
    with pytest.raises(NotAppealable):
        appeals.appeal(
            conflict, ada, ground=Ground.NEW_EVIDENCE, at=DECIDED + appeals.APPEAL_WITHIN
        )
    appeals.appeal(conflict, ada, ground=Ground.NEW_EVIDENCE, at=APPEALED)
    for creator in (ada, mallory):
        with pytest.raises(NotAppealable):
            appeals.appeal(conflict, creator, ground=Ground.WRONG_ON_FACTS, at=APPEALED)
    review(conflict, Outcome.WORK_UPHELD)
    with pytest.raises(NotAppealable):
        appeals.appeal(conflict, ada, ground=Ground.NEW_EVIDENCE, at=REVIEWED)


def test_an_open_conflict_is_not_appealed() -> None:
    conflict = dispute()
    with pytest.raises(NotAppealable):
        appeals.appeal(conflict, conflict.other.registered_by, ground=Ground.NOT_HEARD, at=APPEALED)


def test_who_decided_does_not_review_and_nobody_reviews_twice() -> None:
    conflict, ada, _, judge = decided(Outcome.WORK_UPHELD)
    with pytest.raises(NothingToReview):
        review(conflict, Outcome.DISTINCT)
    appeals.appeal(conflict, ada, ground=Ground.NOT_HEARD, at=APPEALED)

    with pytest.raises(SameReviewer):
        review(conflict, Outcome.WORK_UPHELD, judge)
    with pytest.raises(MayNotDecide):
        review(conflict, Outcome.WORK_UPHELD, make_user())
    review(conflict, Outcome.DISTINCT)
    with pytest.raises(NothingToReview):
        review(conflict, Outcome.WORK_UPHELD)


def test_an_outcome_is_final_after_its_review_or_when_nobody_appealed() -> None:
    conflict, ada, _, _ = decided(Outcome.WORK_UPHELD)
    conflict.refresh_from_db()
    end = DECIDED + appeals.APPEAL_WITHIN
    assert [appeals.final(conflict, at=at) for at in (APPEALED, end)] == [False, True]
    conflict = appeals.appeal(conflict, ada, ground=Ground.NOT_HEARD, at=APPEALED)
    assert not appeals.final(conflict, at=end)
    assert appeals.final(review(conflict, Outcome.WORK_UPHELD), at=REVIEWED)


def decision_at(at: datetime) -> str:
    operator = make_operator(f"op{at.day}")
    item = CheckItem("1", url=URL)
    now = NOON + 20 * DAY
    found = checks.check(operator, [item], [Purpose.TRAIN_AI], as_of=at, at=now)
    return str(found.results[0]["decisions"]["train-ai"]["decision"])


def test_an_overturned_outcome_held_until_then_and_no_longer() -> None:
    """Mallory's deny falls with her claim, returns with the appeal; each instant keeps its answer."""
    conflict = dispute()
    deny(conflict.work, at=NOON + DAY)
    judge, mallory = make_user(is_staff=True), conflict.work.registered_by
    disputes.decide(conflict, by=judge, outcome=Outcome.OTHER_UPHELD, at=DECIDED)
    appeals.appeal(conflict, mallory, ground=Ground.WRONG_ON_FACTS, at=APPEALED)
    review(conflict, Outcome.WORK_UPHELD)

    answers = [decision_at(at) for at in (NOON + DAY, DECIDED, APPEALED, REVIEWED)]

    assert answers == ["deny", "unknown", "unknown", "deny"]
    assert decision_index.differences(at=REVIEWED) == []


def near_pair() -> tuple[Creator, str]:
    ada = make_creator("ada")
    words = TEXT.split()
    other = text_code(" ".join(w if n % 90 else f"edit{n}" for n, w in enumerate(words)))
    work = make_work(ada, identifiers=[(IdentifierKind.ISCC, text_code(TEXT))])
    deny(work)
    return ada, other


def asked(iscc: str, handle: str) -> str:
    item = CheckItem("1", iscc=iscc)
    found = checks.check(make_operator(handle), [item], [Purpose.TRAIN_AI], at=REVIEWED)
    return str(found.results[0]["decisions"]["train-ai"]["decision"])


def test_a_lifted_match_says_nothing_any_more() -> None:
    ada, iscc = near_pair()
    work = ada.registered_works.get()
    assert asked(iscc, "first") == "deny"
    acme = make_operator("acme")
    reason = MatchAppeal.Reason.BY_CHANCE
    appeal = appeals.appeal_match(acme, iscc=iscc, work=work, reason=reason, at=NOON)
    again = appeals.appeal_match(ada, iscc=iscc, work=work, reason=reason, at=NOON + DAY)
    assert (again.pk, again.operator) == (appeal.pk, acme)
    assert asked(iscc, "second") == "deny"

    appeals.decide_match(appeal, by=make_user(is_staff=True), lifted=True, at=NOON + DAY)

    assert asked(iscc, "third") == "unknown"
    code = near_copies.content_code(text_code(TEXT))
    assert code is not None
    assert near_copies.find(code) == [(work.pk, 0.0)]
    with pytest.raises(ConflictClosed):
        appeals.decide_match(appeal, by=make_user(is_staff=True), lifted=False, at=NOON + DAY)


def test_an_upheld_match_goes_on_denying() -> None:
    ada, iscc = near_pair()
    appeal = appeals.appeal_match(
        make_operator("acme"),
        iscc=iscc,
        work=ada.registered_works.get(),
        reason=MatchAppeal.Reason.BY_CHANCE,
        at=NOON,
    )
    appeals.decide_match(appeal, by=make_user(is_staff=True), lifted=False, at=NOON + DAY)
    assert asked(iscc, "second") == "deny"


def test_a_match_is_decided_by_uninvolved_staff() -> None:
    ada, iscc = near_pair()
    acme = make_operator("acme")
    appeal = appeals.appeal_match(
        acme,
        iscc=iscc,
        work=ada.registered_works.get(),
        reason=MatchAppeal.Reason.BY_CHANCE,
        at=NOON,
    )
    involved = [make_user(), make_user(is_staff=True), make_user(is_staff=True)]
    ada.members.add(involved[1])
    acme.members.add(involved[2])
    for person in involved:
        with pytest.raises(MayNotDecide):
            appeals.decide_match(appeal, by=person, lifted=True, at=NOON)


def test_what_is_not_alike_is_not_appealed() -> None:
    ada, _ = near_pair()
    with pytest.raises(NotAMatch):
        appeals.appeal_match(
            make_operator("acme"),
            iscc=text_code("something else entirely " * 40),
            work=ada.registered_works.get(),
            reason=MatchAppeal.Reason.BY_CHANCE,
            at=NOON,
        )

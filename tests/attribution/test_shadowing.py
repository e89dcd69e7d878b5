"""Another method over past queries: shown first, booked by two, to the micro and once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from attribution import adjusting, invariants, reckoning, retention, shadowing, tasks
from attribution.errors import (
    InvalidRetention,
    NothingKept,
    ProposerAccepts,
    UnknownMethod,
    WrongShadowState,
)
from attribution.models import (
    Adjustment,
    GenerativeModel,
    KeptEvidence,
    Query,
    ShadowResult,
    ShadowRun,
)
from attribution.worker import settle_due
from ledger import maturity
from ledger.models import Entry
from registry.models import Creator, Operator, User, Work
from tests.attribution.test_privacy import CANARY, places_with
from tests.attribution.world import GENERATED, TWELVE_OF_CHARIOT, ask, fund, make_model
from tests.factories import make_user
from tests.journal import Journal
from tribute import features

DAY = timedelta(days=1)
LATER = GENERATED + DAY

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def pia(db: None) -> User:
    return make_user("pia@example.org", is_payout_admin=True)


@pytest.fixture
def quinn(db: None) -> User:
    return make_user("quinn@example.org", is_payout_admin=True)


@pytest.fixture
def model(writer: GenerativeModel) -> GenerativeModel:
    """Acme's model, whose evidence may be kept for thirty days."""
    retention.agree(writer, days=30)
    writer.refresh_from_db()
    return writer


def settled(model: GenerativeModel, output: str = TWELVE_OF_CHARIOT, **said: Any) -> Query:
    query = ask(model, output, **said)
    settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert query.state == Query.State.SETTLED
    return query


def run_of(model: GenerativeModel, admin: User, method: str = "uniform") -> ShadowRun:
    return shadowing.start(
        model,
        admin,
        method=method,
        settled=(GENERATED - DAY, GENERATED + DAY),
        at=LATER,
    )


def ready(model: GenerativeModel, admin: User, method: str = "uniform") -> ShadowRun:
    run = run_of(model, admin, method)
    shadowing.advance_all(limit=100)
    shadowing.advance_all(limit=100)
    run.refresh_from_db()
    assert run.state == ShadowRun.State.READY
    return run


def booked(run: ShadowRun, pia: User, quinn: User) -> None:
    adjusting.propose(run, pia, reason="uniform is fairer here")
    adjusting.accept(run, quinn)
    while adjusting.post_accepted(at=LATER, limit=100):
        pass
    run.refresh_from_db()
    assert run.state == ShadowRun.State.POSTED


def test_nothing_is_kept_without_consent(writer: GenerativeModel, pia: User) -> None:
    settled(writer)

    assert not KeptEvidence.objects.exists()
    with pytest.raises(NothingKept):
        run_of(writer, pia)


def test_kept_evidence_is_unreadable_and_deleted_in_time(model: GenerativeModel) -> None:
    output = f"{TWELVE_OF_CHARIOT} {CANARY}"
    packed = features.reduce(output).to_bytes()
    query = settled(model, output)

    kept = KeptEvidence.objects.get(query=query)
    assert kept.delete_at == GENERATED + 30 * DAY
    assert query.evidence is None
    assert places_with(CANARY.encode(), packed, packed[-64:], packed[-16:]) == []

    assert retention.delete_due(at=GENERATED + 29 * DAY) == 0
    assert retention.delete_due(at=GENERATED + 30 * DAY) == 1


def test_consent_may_be_shortened_and_taken_back(model: GenerativeModel) -> None:
    settled(model)
    retention.agree(model, days=3)
    assert KeptEvidence.objects.get().delete_at == GENERATED + 3 * DAY
    retention.agree(model, days=60)
    assert KeptEvidence.objects.get().delete_at == GENERATED + 3 * DAY

    retention.agree(model, days=None)

    assert not KeptEvidence.objects.exists()
    for days in (0, 401):
        with pytest.raises(InvalidRetention):
            retention.agree(model, days=days)


def test_a_run_shows_what_would_change_and_books_nothing(
    model: GenerativeModel, pia: User, ada: Creator, ben: Creator
) -> None:
    settled(model)
    entries = Entry.objects.count()

    run = ready(model, pia)

    changes = {(each.creator, each.micros, each.queries) for each in shadowing.differences(run)}
    assert changes == {("Ada", -4_500, 1), ("Ben", 4_500, 1)}
    assert dict(shadowing.results(run))["differs"] == 1
    assert Entry.objects.count() == entries
    assert not Adjustment.objects.exists()


def test_the_same_method_changes_nothing(model: GenerativeModel, pia: User) -> None:
    settled(model)

    run = ready(model, pia, "verbatim")

    assert shadowing.differences(run) == []
    assert dict(shadowing.results(run))["same"] == 1


def test_accepted_corrections_are_new_minus_old(
    model: GenerativeModel, pia: User, quinn: User, journal: Journal, ada: Creator
) -> None:
    query = settled(model)
    journal()

    booked(ready(model, pia), pia, quinn)

    assert (
        journal()
        == """
        creator:ada:pending  -0.004500 EUR
        creator:ben:pending   0.004500 EUR
    """
    )
    paid = {who: micros for (_, who), micros in shadowing.paid(query).items()}
    assert sorted(paid.values()) == [4_500, 4_500]
    shown = {each.creator: each.amount.micros for each in reckoning.reckon(query).corrected}
    assert shown == {"Ada": -4_500, "Ben": 4_500}
    (own,) = reckoning.reckon(query, creator=ada).corrected
    assert (own.creator, own.method) == ("Ada", "uniform/1")


def test_money_that_has_matured_is_owed_back(
    model: GenerativeModel, pia: User, quinn: User, journal: Journal
) -> None:
    settled(model)
    maturity.mature(at=GENERATED + 365_000 * DAY, holding=timedelta(0))
    journal()

    booked(ready(model, pia), pia, quinn)

    assert sorted(str(journal()).splitlines()) == sorted(
        [
            f"{'creator:ada:debt':<40}{'-0.004500 EUR':>22}",
            f"{'creator:ben:pending':<40}{'0.004500 EUR':>22}",
        ]
    )


def test_what_goes_beyond_the_debt_cap_is_the_platforms(
    model: GenerativeModel, pia: User, quinn: User, ada: Creator, settings: Any
) -> None:
    settings.CREATOR_DEBT_MAXIMUM_MICROS = 1_000
    settled(model)
    maturity.mature(at=GENERATED + 365_000 * DAY, holding=timedelta(0))

    booked(ready(model, pia), pia, quinn)

    taken = Adjustment.objects.get(creator=ada)
    assert (taken.micros, taken.borne_micros) == (-4_500, 3_500)


def test_the_proposer_does_not_accept(model: GenerativeModel, pia: User, quinn: User) -> None:
    settled(model)
    run = ready(model, pia)
    with pytest.raises(WrongShadowState):
        adjusting.accept(run, quinn)
    adjusting.propose(run, pia, reason="better")

    with pytest.raises(ProposerAccepts):
        adjusting.accept(run, pia)

    with pytest.raises(IntegrityError), transaction.atomic():
        ShadowRun.objects.filter(pk=run.pk).update(state="accepted", accepted_by=pia)
    assert adjusting.post_accepted(at=LATER, limit=10) == 0


def test_a_dismissed_run_changes_nothing(model: GenerativeModel, pia: User, quinn: User) -> None:
    settled(model)
    run = ready(model, pia)
    adjusting.propose(run, pia, reason="better")

    adjusting.dismiss(run, at=LATER)

    with pytest.raises(WrongShadowState):
        adjusting.accept(run, quinn)
    with pytest.raises(WrongShadowState):
        adjusting.dismiss(run, at=LATER)
    assert adjusting.post_accepted(at=LATER, limit=10) == 0
    assert not Adjustment.objects.exists()


def test_a_run_is_resumed_and_posting_again_posts_nothing(
    model: GenerativeModel, pia: User, quinn: User
) -> None:
    for _ in range(3):
        settled(model)
    run = run_of(model, pia)
    assert shadowing.advance(run, limit=2) == 2
    assert shadowing.advance_all(limit=1) == 1
    assert shadowing.advance_all(limit=1) == 0
    run.refresh_from_db()
    adjusting.propose(run, pia, reason="better")
    adjusting.accept(run, quinn)
    before = Entry.objects.count()

    assert [adjusting.post_accepted(at=LATER, limit=2) for _ in range(4)] == [2, 1, 0, 0]

    assert Entry.objects.count() == before + 3
    assert ShadowResult.objects.filter(state="posted").count() == 3


def test_a_second_run_corrects_the_first(model: GenerativeModel, pia: User, quinn: User) -> None:
    query = settled(model)
    first = shadowing.paid(query)
    booked(ready(model, pia), pia, quinn)

    booked(ready(model, pia, "verbatim"), pia, quinn)

    assert shadowing.paid(query) == first
    assert sum(each.micros for each in Adjustment.objects.all()) == 0


def test_changes_found_before_another_correction_are_not_booked(
    model: GenerativeModel, pia: User, quinn: User
) -> None:
    settled(model)
    one, other = ready(model, pia), ready(model, pia)
    booked(one, pia, quinn)

    booked(other, pia, quinn)

    result = ShadowResult.objects.get(run=other)
    assert (result.state, result.reason) == ("skipped", "changed_meanwhile")
    assert Adjustment.objects.values("result").distinct().count() == 1


def test_a_query_whose_money_is_kept_apart_is_skipped(
    acme: Operator, chariot: Work, tyger: Work, pia: User
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], work_cap_micros=1)
    retention.agree(model, days=30)
    settled(model)

    run = ready(model, pia)

    assert ShadowResult.objects.get(run=run).reason == "kept_apart"


def test_evidence_whose_key_is_gone_is_skipped(
    model: GenerativeModel, pia: User, settings: Any
) -> None:
    settled(model)
    settings.EVIDENCE_KEYS = ["another key of thirty-two letters and more"]

    run = ready(model, pia)

    assert ShadowResult.objects.get(run=run).reason == "evidence_unreadable"


def test_a_run_is_of_a_method_that_there_is(model: GenerativeModel, pia: User) -> None:
    settled(model)
    with pytest.raises(UnknownMethod):
        run_of(model, pia, "guess")


def test_the_database_keeps_adjustments_and_the_audit_compares_them(
    model: GenerativeModel, pia: User, quinn: User, ada: Creator
) -> None:
    query = settled(model)
    booked(ready(model, pia), pia, quinn)
    for deed in (Adjustment.objects.all().delete, lambda: Adjustment.objects.update(micros=1)):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    result = ShadowResult.objects.get()
    work = query.contributions.filter(creator=ada).get().work

    with transaction.atomic():
        Adjustment.objects.create(
            result=result, query=query, work=work, creator=None, micros=5
        )  # fmt: skip
        found = [each.invariant for each in invariants.findings()]
        transaction.set_rollback(True)

    assert found == ["adjustments_equal_their_entry"]
    assert ada.adjustments.count() == 1


def test_the_doorbells_ring(model: GenerativeModel, pia: User) -> None:
    settled(model)
    run_of(model, pia)

    assert tasks.run_shadows() == 1
    assert tasks.delete_kept_evidence() == 1

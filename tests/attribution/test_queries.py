"""What a report must say, and what is kept of it."""

from datetime import timedelta
from typing import Any

import pytest

from attribution import queries
from attribution.errors import (
    AttributionError,
    InvalidEvidence,
    InvalidPrice,
    ManifestMissing,
    OccurredInFuture,
    OutputTooLarge,
    QueriesOutOfBounds,
    QueryReused,
)
from attribution.generative_models import FeePolicy, register
from attribution.models import GenerativeModel, Query
from attribution.queries import QueryReport, Received, receive
from attribution.sealing import Sealed, unseal
from ledger.money import Money
from registry.errors import NotFound
from registry.models import Operator, Work
from tests.attribution.world import GENERATED, MEDLEY, fund, make_model, report
from tests.factories import NOON, make_operator
from tribute import features
from tribute.features import Features


def test_receive_keeps_a_query_with_its_fee_and_sealed_features(writer: GenerativeModel) -> None:
    (received,) = receive(writer.operator, [report(writer, external_id="gen-1")], at=GENERATED)

    query = Query.objects.get()
    assert received == Received(query.pk, "gen-1", "received", duplicate=False)
    assert (query.fee, query.state, query.due_at) == (Money(10_000, "EUR"), "received", GENERATED)
    assert query.evidence is not None
    sealed = Sealed(query.evidence_key_id, bytes(query.evidence))
    assert Features.from_bytes(unseal(sealed, beside=query.pk)) == features.reduce(MEDLEY)


def test_the_same_report_again_is_acknowledged_as_a_duplicate(writer: GenerativeModel) -> None:
    said = report(writer)
    (first,) = receive(writer.operator, [said], at=GENERATED)

    (again,) = receive(writer.operator, [said], at=GENERATED + timedelta(days=1))

    assert (again.query_id, again.duplicate) == (first.query_id, True)
    assert Query.objects.count() == 1


def test_a_text_and_its_features_are_the_same_report(writer: GenerativeModel) -> None:
    text = report(writer, external_id="gen-1")
    reduced = report(writer, None, external_id="gen-1", features=features.reduce(MEDLEY))

    answers = receive(writer.operator, [text, reduced], at=GENERATED)

    assert [answer.duplicate for answer in answers] == [False, True]


def test_a_repeat_is_recognised_after_the_key_was_rotated(
    writer: GenerativeModel, settings: Any
) -> None:
    said = report(writer)
    receive(writer.operator, [said], at=GENERATED)
    settings.EVIDENCE_KEYS = ["a newer secret of at least 32 characters", *settings.EVIDENCE_KEYS]

    (again,) = receive(writer.operator, [said], at=GENERATED)

    assert again.duplicate


@pytest.mark.parametrize(
    "other",
    [
        {"output": "something else"},
        {"occurred_at": GENERATED - timedelta(seconds=1)},
        {"price": Money(5, "EUR")},
    ],
)
def test_an_external_id_with_other_content_is_refused_with_its_whole_call(
    writer: GenerativeModel, other: dict[str, Any]
) -> None:
    receive(writer.operator, [report(writer, external_id="gen-1")], at=GENERATED)
    said: dict[str, Any] = {"output": MEDLEY, "occurred_at": GENERATED} | other
    reused = QueryReport(model_id=writer.pk, external_id="gen-1", **said)

    with pytest.raises(QueryReused):
        receive(writer.operator, [report(writer), reused], at=GENERATED)

    assert Query.objects.count() == 1


def test_two_operators_may_use_the_same_external_id(writer: GenerativeModel, chariot: Work) -> None:
    theirs = make_model(make_operator("bolt"), [chariot])

    for model in (writer, theirs):
        receive(model.operator, [report(model, external_id="gen-1")], at=GENERATED)

    assert Query.objects.filter(external_id="gen-1").count() == 2


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_call_reports_1_to_1000_queries(writer: GenerativeModel, count: int) -> None:
    with pytest.raises(QueriesOutOfBounds):
        receive(writer.operator, [report(writer, "")] * count, at=GENERATED)


def test_a_model_of_somebody_else_is_as_unknown_as_none(writer: GenerativeModel) -> None:
    mallory = make_operator("mallory")

    for model_id in (writer.pk, "mdl_00000000000000000000000000", "nonsense"):
        said = QueryReport(model_id, "gen-1", GENERATED, output="")
        with pytest.raises(NotFound, match=f"there is no model '{model_id}' here"):
            receive(mallory, [said], at=GENERATED)


def test_a_model_without_a_manifest_takes_no_queries(acme: Operator) -> None:
    model = register(acme, name="Bare", version="1", fee=FeePolicy("EUR", 1), at=NOON)

    with pytest.raises(ManifestMissing):
        receive(acme, [report(model)], at=GENERATED)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"occurred_at": GENERATED + timedelta(minutes=6)}, OccurredInFuture),
        ({"output": "x" * 65_537}, OutputTooLarge),
        ({"output": "ü" * 32_769}, OutputTooLarge),
        ({"output": "㍿" * 21_000}, OutputTooLarge),
        ({"output": "lone \ud800 surrogate"}, InvalidEvidence),
        ({"output": None}, InvalidEvidence),
        ({"features": features.reduce(MEDLEY)}, InvalidEvidence),
        ({"output": None, "features": features.reduce(MEDLEY, ngram_size=4)}, InvalidEvidence),
        ({"price": Money(0, "EUR")}, InvalidPrice),
        ({"price": Money(-1, "EUR")}, InvalidPrice),
        ({"price": Money(10, "USD")}, InvalidPrice),
    ],
)
def test_what_a_report_must_not_say(
    writer: GenerativeModel, said: dict[str, Any], refusal: type[AttributionError]
) -> None:
    rest: dict[str, Any] = {"output": MEDLEY, "occurred_at": GENERATED} | said
    bad = QueryReport(model_id=writer.pk, external_id="bad", **rest)

    with pytest.raises(refusal):
        receive(writer.operator, [report(writer), bad], at=GENERATED)

    assert not Query.objects.exists()


def test_features_of_too_many_words_are_refused(writer: GenerativeModel) -> None:
    long = Features(65_537, (7,) * 65_532)

    with pytest.raises(OutputTooLarge):
        receive(writer.operator, [report(writer, None, features=long)], at=GENERATED)


@pytest.mark.parametrize(("price", "fee"), [(Money(400_000, "EUR"), 20_000), (Money(39, "EUR"), 1)])
def test_a_share_of_the_price_is_rounded_down(
    acme: Operator, chariot: Work, price: Money, fee: int
) -> None:
    model = make_model(acme, [chariot], fee_micros=None, price_share_ppm=50_000)

    receive(acme, [report(model, price=price)], at=GENERATED)

    assert Query.objects.get().fee_micros == fee


@pytest.mark.parametrize("price", [None, Money(19, "EUR"), Money(2**63 - 1, "EUR")])
def test_a_share_needs_a_price_that_owes_something_sensible(
    acme: Operator, chariot: Work, price: Money | None
) -> None:
    model = make_model(acme, [chariot], fee_micros=None, price_share_ppm=50_000)

    with pytest.raises(InvalidPrice):
        receive(acme, [report(model, price=price)], at=GENERATED)


def test_a_model_that_reads_no_output_is_given_none(acme: Operator, chariot: Work) -> None:
    model = make_model(acme, [chariot], method="uniform")

    with pytest.raises(InvalidEvidence):
        receive(acme, [report(model, MEDLEY)], at=GENERATED)


def test_a_report_prints_nothing_of_its_output(writer: GenerativeModel) -> None:
    said = report(writer, "a secret sentence", features=features.reduce("a secret sentence"))

    assert "secret" not in repr(said)
    assert "hashes" not in repr(said)


def test_receiving_takes_the_same_number_of_statements_for_1_and_100(
    writer: GenerativeModel, django_assert_num_queries: Any
) -> None:
    queries.receive(writer.operator, [report(writer)], at=GENERATED)  # opens Acme's accounts
    fund(writer.operator, 10_000_000)
    for count in (1, 100):
        with django_assert_num_queries(11):
            queries.receive(writer.operator, [report(writer) for _ in range(count)], at=GENERATED)

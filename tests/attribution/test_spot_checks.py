"""Reported scores are set beside the registry's own evidence, for each model."""

from rest_framework.test import APIClient

from attribution import spot_checks
from attribution.explanation import explain
from attribution.models import GenerativeModel, Query
from attribution.spot_checks import SpotCheck
from attribution.waiting import ReportedScores
from attribution.worker import settle_due
from registry.models import Operator, Work
from tests.attribution.world import EIGHT_OF_TYGER, GENERATED, ask, fund, make_model
from tests.factories import api_client
from tribute.scores import Origin, QueryScores


def reported(model: GenerativeModel, work: Work, output: str | None = EIGHT_OF_TYGER) -> Query:
    """A settled query whose scores name one work alone."""
    assert model.manifest is not None
    row = model.manifest.rows.filter(work=work).order_by("row_number")[0].row_number
    scores = ReportedScores(Origin(model.manifest.pk, "trak 0.3"), QueryScores("-", (row,), (1.0,)))
    query = ask(model, output, scores=scores)
    settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    return query


def shown(operator: Operator, model: GenerativeModel) -> object:
    client: APIClient = api_client(operator)
    return client.get(f"/v1/models/{model.pk}").json()["spot_check"]


def test_scores_for_another_work_than_is_repeated_are_flagged(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")

    honest = reported(model, tyger)
    wrong = [reported(model, chariot) for _ in range(5)]

    assert (honest.parameters["divergence_ppm"], honest.parameters["diverges"]) == (0, False)
    assert all(query.parameters["diverges"] for query in wrong)
    assert "asks for a closer look" in explain(wrong[0]).rule
    assert "closer look" not in explain(honest).rule
    assert shown(acme, model) == {
        "queries": 6,
        "mean_ppm": 833_333,
        "worst_ppm": 1_000_000,
        "diverging": 5,
        "tolerance_ppm": 500_000,
        "flagged": True,
    }


def test_few_queries_flag_no_model(acme: Operator, chariot: Work, tyger: Work) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")

    for _ in range(4):
        reported(model, chariot)

    found = spot_checks.of_model(model)
    assert isinstance(found, SpotCheck)
    assert (found.queries, found.diverging, found.flagged) == (4, 4, False)


def test_without_an_output_there_is_nothing_to_compare(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")
    reported(model, chariot, None)

    assert shown(acme, model) is None

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import Operator, Work
from tests.attribution.world import make_model
from tests.factories import api_client


@pytest.mark.django_db
def test_anybody_sees_which_declared_models_learned_from_a_work(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    make_model(acme, [chariot])

    found = {
        work.pk: api_client().get("/v1/lookup", {"sha256": work.sha256.hex()}).json()["models"]
        for work in (chariot, tyger)
        if work.sha256
    }

    assert found == {
        chariot.pk: [
            {
                "model": "Writer 1",
                "operator": "Acme",
                "decision": "allow",
                "matched_by": "work",
                "distance": None,
            }
        ],
        tyger.pk: [],
    }


@pytest.mark.django_db
def test_what_nobody_registered_has_taught_no_model(acme: Operator, chariot: Work) -> None:
    make_model(acme, [chariot])

    answer = api_client().get("/v1/lookup", {"url": "https://nobody.example/"}).json()

    assert (answer["registered"], answer["models"]) == (False, [])


@pytest.mark.django_db
def test_look_up_asks_as_often_for_three_models_as_for_one(acme: Operator, chariot: Work) -> None:
    asked = []
    for version in ("1", "2", "3"):
        make_model(acme, [chariot], version=version)
        with CaptureQueriesContext(connection) as queries:
            found = api_client().get("/v1/lookup", {"sha256": bytes(chariot.sha256 or b"").hex()})
        asked.append((len(found.json()["models"]), len(queries)))

    assert [models for models, _ in asked] == [1, 2, 3]
    assert len({queries for _, queries in asked}) == 1

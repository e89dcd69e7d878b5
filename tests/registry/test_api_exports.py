"""A creator's program asks for an export and follows it; the archive is for a person to take."""

import pytest

from attribution import takeout
from portal import ways_in
from registry.models import DataExport
from tests.factories import DAY, NOON, api_client, make_creator, make_operator, make_work

pytestmark = pytest.mark.django_db


def test_an_export_is_asked_for_and_followed() -> None:
    ada = make_creator("ada")
    make_work(ada)
    client = api_client(ada)

    asked = client.post("/v1/exports")
    assert (asked.status_code, asked.data["status"]) == (202, "waiting")
    assert client.post("/v1/exports").data["id"] == asked.data["id"]
    takeout.work_off(describe=ways_in.describe, clock=lambda: NOON + DAY, until=NOON + 2 * DAY)

    found = client.get(f"/v1/exports/{asked.data['id']}").data
    assert (found["status"], found["rows"]) == ("ready", found["done"])
    assert found["download_url"].endswith(f"/account/data/{asked.data['id']}.zip")


def test_nobody_sees_anothers() -> None:
    export = DataExport.objects.create(creator=make_creator("ada"), requested_at=NOON)

    assert api_client(make_creator("mallory")).get(f"/v1/exports/{export.pk}").status_code == 404
    assert api_client(make_operator("acme")).post("/v1/exports").status_code == 403
    assert api_client().post("/v1/exports").status_code == 401
    without = api_client(make_creator("ben"), scopes=["works:read"])
    assert without.post("/v1/exports").status_code == 403

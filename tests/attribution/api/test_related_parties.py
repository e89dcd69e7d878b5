"""Relations over HTTP: either side declares, admins decide, and only admins read the evidence."""

from typing import Any

from attribution import related_parties
from attribution.models import RelatedParty
from registry.models import Creator, Operator
from tests.factories import NOON, api_client, make_user


def declare(owner: Any, party: str) -> Any:
    body = {"party": party, "note": "one owner"}
    return api_client(owner).post("/v1/related-parties", body, format="json")


def test_either_side_declares_and_an_admin_decides(acme: Operator, ada: Creator) -> None:
    admin = api_client(make_user("pia@example.org", is_payout_admin=True))
    assert declare(ada, acme.pk).status_code == 201
    made = declare(acme, ada.pk)
    assert (made.status_code, made.json()["state"]) == (201, "open")
    path = f"/v1/related-parties/{made.json()['id']}"

    confirmed = admin.post(f"{path}:confirm", {"reason": "register"}, format="json")
    again = admin.post(f"{path}:confirm", {"reason": "register"}, format="json")
    cleared = admin.post(f"{path}:clear", {"reason": "sold"}, format="json")

    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    assert (again.status_code, again.json()["code"]) == (409, "relation_reviewed")
    assert cleared.json()["state"] == "cleared"
    assert RelatedParty.objects.count() == 1


def test_who_is_concerned_sees_outcomes_and_no_evidence(
    acme: Operator, ada: Creator, ben: Creator
) -> None:
    pia = make_user("pia@example.org", is_payout_admin=True)
    sign = RelatedParty.objects.create(
        operator=acme, creator=ada, kind="payee", evidence="held by Olga", found_at=NOON
    )
    assert api_client(ada).get("/v1/related-parties").json()["items"] == []
    related_parties.review(sign, pia, confirmed=True, reason="yes", at=NOON)

    (shown,) = api_client(ada).get("/v1/related-parties").json()["items"]
    (whole,) = api_client(pia).get("/v1/related-parties").json()["items"]

    assert "evidence" not in shown
    assert whole["evidence"] == "held by Olga"
    assert api_client(ben).get("/v1/related-parties").json()["items"] == []


def test_strangers_neither_list_all_nor_decide(acme: Operator, ada: Creator) -> None:
    sign = related_parties.declare(acme, ada, note="ours", at=NOON)
    mallory = api_client(make_user("mallory@example.org"))

    assert mallory.get("/v1/related-parties").status_code == 403
    for deed in ("confirm", "clear"):
        path = f"/v1/related-parties/{sign.pk}:{deed}"
        for client in (mallory, api_client(acme), api_client(ada)):
            assert client.post(path, {"reason": "x"}, format="json").status_code == 403
    assert declare(acme, "cre_nonsense").status_code == 404
    assert declare(make_user("x@example.org"), ada.pk).status_code == 403

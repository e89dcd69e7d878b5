"""Creators, payout admins and reviewers make the keys their programs need, and nobody else's."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from registry.models import ApiKey
from tests.factories import make_key, make_user
from tests.portal.conftest import World, confirmed, signed_in

pytestmark = pytest.mark.django_db


def made(client: Client, path: str, scopes: list[str]) -> str:
    """Make a key on a page; returns the secret that it shows."""
    shown = client.post(path, {"name": "script", "scopes": scopes})
    assert shown.status_code == 200, shown.context["form"].errors
    secret: str = shown.context["issued"].secret
    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert secret not in client.get(path).content.decode()
    return secret


def asking(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_a_creator_makes_a_key_and_registers_a_work_with_it(world: World) -> None:
    secret = made(signed_in("ada"), "/account/keys/", ["works:read", "works:write"])

    answer = asking(secret).post(
        "/v1/works",
        {
            "title": "April",
            "medium": "text",
            "identifiers": [{"kind": "url", "value": "https://ada.example/april"}],
        },
        format="json",
    )

    assert answer.status_code == 201
    assert answer.json()["registered_by"] == world.ada.pk


def test_a_creators_key_carries_no_operators_scope(world: World) -> None:
    shown = signed_in("ada").post("/account/keys/", {"name": "x", "scopes": ["checks:write"]})

    assert shown.status_code == 422
    assert not ApiKey.objects.filter(creator=world.ada).exists()


def test_a_payout_admin_makes_a_key_with_a_fresh_second_factor(world: World) -> None:
    path = "/account/desk-keys/"
    refused = signed_in("pia").post(path, {"name": "x", "scopes": ["payouts:prepare"]})
    assert (refused.status_code, ApiKey.objects.filter(name="x").count()) == (302, 0)

    secret = made(confirmed("pia"), path, ["payouts:prepare"])

    assert asking(secret).get("/v1/payout-batches").status_code == 200
    assert asking(secret).get("/v1/match-appeals").status_code == 403


def test_a_reviewer_makes_a_key_and_reads_appeals_with_it(world: World) -> None:
    make_user("rosa@example.org", name="Rosa", is_staff=True)
    rosa = confirmed("rosa")

    secret = made(rosa, "/account/desk-keys/", ["disputes:decide"])

    assert asking(secret).get("/v1/match-appeals").status_code == 200
    # Whatever shows other people's money is the payout admins'.
    for scope in ("payouts:prepare", "payouts:approve", "attribution:review"):
        refused = rosa.post("/account/desk-keys/", {"name": "y", "scopes": [scope]})
        assert refused.status_code == 422


def test_people_without_a_desk_have_no_keys_for_one(world: World) -> None:
    assert signed_in("ada").get("/account/desk-keys/").status_code == 404
    assert signed_in("ada").post("/account/desk-keys/", {"name": "x"}).status_code == 404


def test_nobody_ends_the_key_of_another(world: World) -> None:
    key, _ = make_key(world.ada, name="hers")
    mallory = signed_in("mallory")

    paths = ["/account/keys", "/operator/keys", "/account/desk-keys"]
    refused = [mallory.post(f"{path}/{key.pk}/revoke").status_code for path in paths]

    assert refused == [404, 404, 404]
    assert signed_in("ada").post(f"/account/keys/{key.pk}/revoke").status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_the_account_leads_to_the_keys(world: World) -> None:
    make_user("rosa@example.org", name="Rosa", is_staff=True)

    assert "/account/keys/" in signed_in("ada").get("/account/").content.decode()
    assert "/operator/keys/" in signed_in("olga").get("/account/").content.decode()
    assert "/account/desk-keys/" in signed_in("rosa").get("/account/").content.decode()
    assert "/account/desk-keys/" not in signed_in("ada").get("/account/").content.decode()

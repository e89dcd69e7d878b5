"""A creator shows a signing certificate on the pages, and sees what it proves."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from attribution.certificates import Identity
from registry import signers
from registry.models import Signer, Work
from tests.factories import DAY
from tests.portal.conftest import World, signed_in
from tests.registry.signing import make_identity, sign


@pytest.fixture
def identity() -> Identity:
    return make_identity(at=timezone.now() - DAY)


def send(client: Client, world: World, body: bytes) -> Any:
    file = SimpleUploadedFile("a.png", body)
    return client.post(f"/signers/{world.signer.pk}/", {"file": file})


def prove(client: Client, world: World, identity: Identity) -> None:
    answer = send(client, world, sign(identity, challenge=signers.challenge(world.signer)))
    assert answer.status_code == 302


def test_a_certificate_is_shown_and_proves_works(world: World, identity: Identity) -> None:
    ada = signed_in("ada")
    begun = ada.post("/signers/")
    page = ada.get(begun["Location"]).content.decode()

    prove(ada, world, identity)
    listed = ada.get("/signers/").content.decode()
    file = SimpleUploadedFile("b.png", sign(identity))
    # An empty row for each co-owner, as a browser sends them.
    rows = {"with-TOTAL_FORMS": "0", "with-INITIAL_FORMS": "0"}
    ada.post("/works/new/", {"title": "Signed", "medium": "image", "file": file, **rows})
    work = Work.objects.get(title="Signed")
    shown = ada.get(f"/works/{work.pk}/mine/").content.decode()

    assert begun["Location"] == f"/signers/{world.signer.pk}/"
    assert "tribute.challenge" in page
    assert "Content credentials, Ada" in listed
    assert "Its file is signed with the certificate" in shown
    assert f"/signers/{world.signer.pk}/" in shown


def test_what_shows_nothing_is_said_beside_the_file(world: World, identity: Identity) -> None:
    ada = signed_in("ada")

    unsigned = send(ada, world, b"no picture")
    other = send(ada, world, sign(identity))
    nothing = ada.post(f"/signers/{world.signer.pk}/")

    assert [a.status_code for a in (unsigned, other, nothing)] == [422, 422, 422]
    assert "carries no C2PA signature that holds" in unsigned.content.decode()
    assert "does not carry the words asked for" in other.content.decode()
    assert list(nothing.context["form"].errors) == ["file"]


def test_a_certificate_is_given_up(world: World, identity: Identity) -> None:
    ada = signed_in("ada")
    prove(ada, world, identity)

    page = ada.post(f"/signers/{world.signer.pk}/end", follow=True).content.decode()

    assert "Noted." in page
    assert world.signer.control_proven_at is None


def test_a_large_file_is_refused(world: World, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 3

    assert "too large" in send(signed_in("ada"), world, b"four").content.decode()


def test_the_pages_tell_when_a_proof_ends_soon(world: World, identity: Identity) -> None:
    ada = signed_in("ada")
    prove(ada, world, identity)
    pages = ["/overview/", "/signers/", f"/signers/{world.signer.pk}/"]
    before = [ada.get(page).content.decode() for page in pages]
    Signer.objects.filter(pk=world.signer.pk).update(recheck_at=timezone.now() + 3 * DAY)

    overview, listed, shown = (ada.get(page).content.decode() for page in pages)

    assert "proves ends on" in overview
    assert "Soon" in listed
    assert "What this certificate proves ends on" in shown
    assert not any("proves ends on" in page or ">Soon" in page for page in before)

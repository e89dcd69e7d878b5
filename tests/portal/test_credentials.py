"""Signing credits from the query's page."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.portal.conftest import World, signed_in


def test_an_operator_downloads_signed_credits(world: World, settings: Any, tmp_path: Any) -> None:
    settings.CONTENT_CREDENTIALS_IDENTITY = str(tmp_path / "c2pa" / "identity.pem")
    olga = signed_in("olga")
    page = olga.get(f"/operator/usage/{world.query.pk}/").content.decode()
    assert f"/operator/usage/{world.query.pk}/sign" in page

    file = SimpleUploadedFile("answer.txt", b"An answer", content_type="text/plain")
    signed = olga.post(f"/operator/usage/{world.query.pk}/sign", {"asset": file, "mode": "sidecar"})

    assert signed["Content-Type"] == "application/c2pa"
    assert signed["Content-Disposition"] == f'attachment; filename="{world.query.pk}.c2pa"'
    assert b"The Chariot" in signed.content


def test_what_cannot_be_signed_is_said_on_the_page(world: World) -> None:
    olga = signed_in("olga")
    path = f"/operator/usage/{world.query.pk}/sign"
    text = SimpleUploadedFile("answer.txt", b"An answer", content_type="text/plain")

    inside = olga.post(path, {"asset": text, "mode": "embedded"}, follow=True)
    nothing = olga.post(path, {"mode": "sidecar"}, follow=True)

    assert "We could not sign this file" in inside.content.decode()
    assert "Choose the answer’s file" in nothing.content.decode()


def test_a_service_without_identity_says_so(world: World, settings: Any) -> None:
    settings.CONTENT_CREDENTIALS_IDENTITY = ""

    page = signed_in("olga").get(f"/operator/usage/{world.query.pk}/").content.decode()

    assert "not set up on this service" in page
    assert "/sign" not in page

"""Registering works and sites, and the troubles said beside their fields."""

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from attribution.models import WorkEmbedding
from registry import collections
from registry.models import RightsShare, Work
from tests.portal.conftest import World, signed_in

NOBODY = {"with-TOTAL_FORMS": "0", "with-INITIAL_FORMS": "0"}
A_POEM = b"Some say the world will end in fire, some say in ice, and I have tasted of desire."


def with_ben(percent: str) -> dict[str, str]:
    return {
        "with-TOTAL_FORMS": "1",
        "with-INITIAL_FORMS": "0",
        "with-0-handle": "ben",
        "with-0-percent": percent,
    }


def test_a_file_is_fingerprinted_and_not_kept(world: World) -> None:
    file = SimpleUploadedFile("poem.txt", A_POEM)

    answer = signed_in("ada").post(
        "/works/new/", {"title": "Fire", "medium": "text", "file": file, **NOBODY}
    )

    work = Work.objects.get(title="Fire")
    assert answer["Location"] == f"/works/{work.pk}/mine/"
    assert bytes(work.sha256 or b"") == hashlib.sha256(A_POEM).digest()
    assert work.iscc is not None
    assert work.features.ngrams > 0


def test_a_picture_is_compared_with_outputs_from_then_on(world: World) -> None:
    content = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(content, "PNG")
    file = SimpleUploadedFile("dusk.png", content.getvalue())

    signed_in("ada").post(
        "/works/new/", {"title": "Dusk", "medium": "image", "file": file, **NOBODY}
    )

    embedded = {embedding.work for embedding in WorkEmbedding.objects.all()}
    assert embedded == {Work.objects.get(title="Dusk")}


def test_co_owners_get_their_part_and_the_rest_stays(world: World) -> None:
    given = {"title": "Duet", "medium": "audio", "url": "https://ada.example/duet"}

    signed_in("ada").post("/works/new/", {**given, **with_ben("33.3333")})

    shares = RightsShare.objects.filter(work__title="Duet").order_by("ppm")
    assert [(s.creator.handle, s.ppm, bool(s.confirmed_at)) for s in shares] == [
        ("ben", 333_333, False),
        ("ada", 666_667, True),
    ]


def test_ben_confirms_his_part(world: World) -> None:
    signed_in("ben").post(f"/works/{world.chariot.pk}/confirm")

    assert not RightsShare.objects.filter(work=world.chariot, confirmed_at=None).exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": "Nothing", "medium": "text"}, "file"),
        ({"title": "", "medium": "text", "url": "https://ada.example/x"}, "title"),
        ({"title": "Odd", "medium": "text", "url": "not an address at all"}, "url"),
        ({"title": "Odd", "medium": "hologram", "url": "https://ada.example/x"}, "medium"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    given: dict[str, str], field: str, world: World
) -> None:
    answer = signed_in("ada").post("/works/new/", {**given, **NOBODY})

    form: Any = answer.context["form"]
    assert answer.status_code == 422
    assert field in form.errors
    assert f'id="id_{field}_error"' in answer.content.decode()


def test_a_picture_that_is_none_is_refused_beside_its_field(world: World) -> None:
    given = {"title": "No picture", "medium": "image", "file": SimpleUploadedFile("a.png", A_POEM)}

    answer = signed_in("ada").post("/works/new/", {**given, **NOBODY})

    assert "file" in answer.context["form"].errors
    assert not Work.objects.filter(title="No picture").exists()


@pytest.mark.parametrize("percent", ["100", "0", "12.34567", "half"])
def test_shares_that_do_not_work_out_register_nothing(percent: str, world: World) -> None:
    given = {"title": "Duet", "medium": "audio", "url": "https://ada.example/duet"}

    answer = signed_in("ada").post("/works/new/", {**given, **with_ben(percent)})

    assert answer.status_code == 422
    assert not Work.objects.filter(title="Duet").exists()


def test_an_unknown_co_owner_is_named(world: World) -> None:
    given = {"title": "Duet", "medium": "audio", "url": "https://ada.example/duet"}
    somebody = {**with_ben("10"), "with-0-handle": "nobody-here"}

    answer = signed_in("ada").post("/works/new/", {**given, **somebody})

    assert "Nobody here is called nobody-here." in answer.content.decode()


@pytest.fixture
def adas_server(world: World, settings: Any) -> Iterator[dict[str, str]]:
    """Ada's host on this machine; the fixture's value is what it serves, by path."""
    files: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *args: object) -> None:
            del args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.FETCH_TEST_HOSTS = {"ada.example": ("127.0.0.1", server.server_port)}
    yield files
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_site_is_claimed_and_its_control_shown(world: World, adas_server: dict[str, str]) -> None:
    ada = signed_in("ada")
    challenge = collections.challenge(world.site)

    missing = ada.post(f"/sites/{world.site.pk}/check")
    adas_server["/" + challenge.urls[0].split("/", 3)[3]] = challenge.body
    found = ada.post(f"/sites/{world.site.pk}/check", follow=True)

    assert missing.status_code == 422
    assert (
        "We found neither the record, the file nor the tag as described."
        in missing.content.decode()
    )
    assert "Found." in found.content.decode()


def test_claiming_the_same_site_again_is_said_beside_the_field(world: World) -> None:
    answer = signed_in("ada").post("/sites/", {"kind": "host", "value": "ada.example"})

    assert list(answer.context["form"].errors) == ["value"]


def test_a_list_keeps_its_state_in_the_address(world: World) -> None:
    answer = signed_in("ada").get("/works/?q=chariot&sort=-title")

    listing: Any = answer.context["listing"]
    assert [work.title for work in listing.page] == ["The Chariot"]
    assert listing.url(sort="title") == "/works/?sort=title&q=chariot"


def test_an_unknown_sort_falls_back(world: World) -> None:
    assert signed_in("ada").get("/works/?sort=password&page=999").status_code == 200

"""The page for many works at once: send a file, follow it, download what became of it."""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from registry import imports
from registry.import_files import COLUMNS
from registry.models import Import, Work
from tests.portal.conftest import World, signed_in

CONTENT = b"title,medium,url\nApril,text,https://ada.example/april\nMay,poem,https://x.example/\n"


def send(content: bytes = CONTENT, **more: str) -> str:
    file = SimpleUploadedFile("works.csv", content)
    given = {"file": file, "format": "csv", **more}
    answer = signed_in("ada").post("/works/imports/", given)
    return str(answer["Location"])


def work_off() -> None:
    now = timezone.now()
    imports.work_off(clock=timezone.now, until=now + timedelta(minutes=1))


def test_a_file_is_sent_followed_and_reported(world: World) -> None:
    ada = signed_in("ada")
    place = send()
    waiting = ada.get(place).content.decode()
    work_off()

    done = ada.get(place).content.decode()
    report = b"".join(ada.get(f"{place}report.csv").streaming_content).decode()  # type: ignore[attr-defined]

    assert 'hx-trigger="every 3s"' in waiting
    assert 'hx-trigger="every 3s"' not in done
    assert "medium" in done
    assert Work.objects.filter(title="April").exists()
    assert report.splitlines()[2].startswith("2,error,,medium,")
    assert place in ada.get("/works/imports/").content.decode()
    assert "/works/imports/" in ada.get("/works/").content.decode()


def test_a_look_registers_nothing(world: World) -> None:
    place = send(dry_run="on")
    work_off()

    assert not Work.objects.filter(title="April").exists()
    assert Import.objects.get().dry_run
    assert signed_in("ada").get(place).status_code == 200


def test_a_refused_file_says_why(world: World) -> None:
    place = send(b"name;colour\n")
    work_off()

    assert "colour" in signed_in("ada").get(place).content.decode()


def test_the_template_is_one_that_is_taken(world: World) -> None:
    template = signed_in("ada").get("/works/imports/template.csv").content

    send(template)
    work_off()

    made = Import.objects.get()
    assert template.decode().splitlines()[0].split(",") == list(COLUMNS)
    assert (made.status, made.registered_count, made.error_count) == ("ready", 2, 0)


def test_an_import_is_its_creators_alone(world: World) -> None:
    place = send()

    for path in (place, f"{place}report.csv"):
        assert signed_in("ben").get(path).status_code == 404
        assert signed_in("mallory").get(path).status_code == 404

"""An archive has all that is kept of a person, no secrets, and the same after any kill."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from attribution import chapters, takeout
from portal import ways_in
from registry import exports, log_signing, log_tree
from registry.errors import NotFound
from registry.models import ApiKey, Creator, DataExport, DataExportPart
from tests.factories import DAY, erase, make_creator, make_user, make_work
from tests.journeys.leaving_world import IBAN, World, make_world
from tribute.log import proofs

pytestmark = pytest.mark.django_db
LATER = timezone.now() + DAY
HOUR = timedelta(hours=1)


@pytest.fixture
def world(log_home: Path, settings: Any) -> World:
    settings.PAYER_NAME, settings.PAYER_IBAN = "Tribute", "DE02120300000000202051"
    log_tree.begin()
    return make_world()


def work_off(at: datetime = LATER) -> int:
    return takeout.work_off(describe=ways_in.describe, clock=lambda: at, until=at + HOUR)


def opened(export: DataExport, at: datetime = LATER) -> zipfile.ZipFile:
    export.refresh_from_db()
    content = b"".join(exports.read(export, at=at))
    assert len(content) == export.size
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


def test_a_persons_archive_has_what_they_brought(world: World) -> None:
    export = exports.request(world.person, at=LATER)
    work_off()

    with opened(export) as archive:
        names = set(archive.namelist())
        own = {name.partition("/")[2] for name in names if name.startswith("ada-lovelace/")}
        kinds = {"works", "identifiers", "sites", "signers", "statements", "terms", "keys"}
        kinds |= {"imports", "webhooks", "contributions", "related-operators"}
        assert {f"{kind}.{form}" for kind in kinds for form in ("csv", "jsonl")} <= own
        assert any(name.startswith("statements-of-account/") for name in own)
        assert {"README.txt", "person.json"} <= names
        works = lines(archive, "ada-lovelace/works.jsonl")
        assert {(w["title"], w["your_share_ppm"]) for w in works} == {
            ("Harbour at Dusk", 1_000_000),
            ("Harbour Views", 1_000_000),
            ("The Orchard", 1_000_000),
            ("Two Voices", 700_000),
        }
        (paid,) = [
            c
            for c in lines(archive, "ada-lovelace/contributions.jsonl")
            if c["work"] == world.chariot.pk
        ]
        assert paid["micros"] > 0
        person = json.loads(archive.read("person.json"))
        assert person["email"] == "ada@lovelace.example"
        assert [each["type"] for each in person["factors"]] == ["totp"]
        creator = json.loads(archive.read("ada-lovelace/creator.json"))
        assert creator["paid_to"]["account"] == IBAN
        assert creator["earnings"][0]["micros"]["pending"] > 0
    assert (export.status, export.done_count) == ("ready", export.rows_count)


def test_csv_and_json_lines_say_the_same(world: World) -> None:
    export = exports.request(world.ada, at=LATER)
    work_off()

    with opened(export) as archive:
        for name in archive.namelist():
            if name.endswith(".jsonl"):
                table = csv.DictReader(io.StringIO(archive.read(f"{name[:-6]}.csv").decode()))
                rows = lines(archive, name)
                assert len(rows) == len(list(table))
                assert list(rows[0]) == list(table.fieldnames or [])


def test_proofs_in_it_verify_by_themselves(world: World) -> None:
    export = exports.request(world.ada, at=LATER)
    work_off()

    with opened(export) as archive:
        rows = lines(archive, "ada-lovelace/statements.jsonl")
    assert len(rows) == 5
    for row in rows:
        proven = proofs.verify(proofs.parse(row["proof"].encode()), log_signing.verifier())
        assert proven.index == row["log_entry"]
        assert json.loads(proven.leaf or b"{}")["statement"] == row["statement"]


def test_no_secret_is_in_it(world: World) -> None:
    export = exports.request(world.person, at=LATER)
    work_off()

    with opened(export) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    digests = [bytes(key.digest) for key in ApiKey.objects.all()]
    commitment = Creator.objects.get(pk=world.ada.pk).commitment_key
    assert commitment is not None
    for secret in (*digests, bytes(commitment)):
        assert secret not in everything
        assert secret.hex().encode() not in everything
    assert world.person.password.encode() not in everything
    assert b"ben@example.org" not in everything


def test_long_tables_go_on_in_further_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(replace(chapter, page=2) for chapter in chapters.CHAPTERS)
    monkeypatch.setattr(takeout, "CHAPTERS", small)
    export = exports.request(world.ada, at=LATER)
    work_off()

    with opened(export) as archive:
        pages = [n for n in archive.namelist() if n.startswith("ada-lovelace/works") and "csv" in n]
        assert pages == ["ada-lovelace/works.csv", "ada-lovelace/works-2.csv"]
        found = [row["work"] for n in pages for row in lines(archive, n.replace("csv", "jsonl"))]
        assert len(set(found)) == 4


class Killed(Exception):
    """The worker's process ended."""


def test_a_worker_killed_anywhere_is_followed_by_one_that_goes_on(
    committed_db: None, world: World
) -> None:
    export = exports.request(world.ada, at=LATER)
    deaths = 0
    for statements in count(3):
        left = [statements]

        def dies(execute: Any, *said: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] == -1:
                raise Killed
            return execute(*said)

        try:
            with connection.execute_wrapper(dies):
                work_off()
        except Killed:
            deaths += 1
            continue
        break

    assert deaths > 5
    with opened(export) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        assert len(lines(archive, "ada-lovelace/works.jsonl")) == 4
    again = exports.request(world.ada, at=LATER)
    work_off()
    with opened(export) as one, opened(again) as other:
        assert one.namelist() == other.namelist()
        same = [name for name in one.namelist() if "/keys" not in name]
        assert [one.read(name) for name in same] == [other.read(name) for name in same]


def test_asking_again_while_one_is_made_makes_one(world: World) -> None:
    export = exports.request(world.person, at=LATER)

    assert exports.request(world.person, at=LATER + HOUR).pk == export.pk
    assert exports.request(world.ada, at=LATER).pk != export.pk


def test_it_is_removed_when_its_time_is_over(world: World) -> None:
    export = exports.request(world.ada, at=LATER)
    work_off()
    over = LATER + exports.KEPT_FOR

    assert exports.forget_expired(at=over - HOUR) == 0
    with pytest.raises(NotFound):
        exports.read(DataExport.objects.get(pk=export.pk), at=over)
    assert exports.forget_expired(at=over) == 1
    assert not DataExportPart.objects.exists()


def test_who_is_erased_meanwhile_is_left_out(world: World) -> None:
    second = make_creator("countess", user=world.person)
    export = exports.request(world.person, at=LATER)
    pages = iter(range(3))
    for _ in pages:
        takeout.work_off(describe=ways_in.describe, clock=_ticking(), until=LATER + HOUR)
    erase(second, at=LATER)
    work_off()

    with opened(export) as archive:
        assert not any(name.startswith(("countess", "erased")) for name in archive.namelist())


def test_an_archive_is_made_in_little_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a page of rows is asked for at a time, whatever there is."""
    small = tuple(replace(chapter, page=5) for chapter in chapters.CHAPTERS)
    monkeypatch.setattr(takeout, "CHAPTERS", small)
    many = make_creator("many", user=make_user())
    for _ in range(12):
        make_work(many)
    export = exports.request(many, at=LATER)
    work_off()

    with opened(export) as archive:
        pages = [n for n in archive.namelist() if n.startswith("many/works") and "jsonl" in n]
        assert [len(lines(archive, name)) for name in pages] == [5, 5, 2]


def _ticking() -> Any:
    """A clock by which there is time for one page."""
    looks: Iterator[datetime] = iter([LATER, LATER, LATER + HOUR])
    return lambda: next(looks)

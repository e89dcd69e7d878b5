"""Manifests: each row judged as of its own ingestion."""

import io
import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from registry import answers, collections, licensing, manifest_matching, manifests, uploads
from registry.answers import CheckItem
from registry.errors import EmptyManifest, InvalidManifestRow, TermsNotOffered
from registry.manifest_files import Numbered
from registry.manifests import ManifestItem
from registry.models import LogOutbox, Manifest, ManifestRow, Operator, UploadPart
from tests.factories import DAY, NOON, allow, deny, make_creator, make_operator, make_work
from tests.registry.test_imports import ticking
from tests.registry.test_licensing import license_work
from tribute.vocabulary import IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

LATER = NOON + 30 * DAY


def test_rows_are_judged_by_what_was_known_when_they_were_ingested() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url="https://ada.example/1")
    allow(work)
    statement = deny(work, at=NOON + 2 * DAY, effective_from=NOON)
    rows = [
        ManifestItem(NOON - DAY, url="https://ada.example/1"),
        ManifestItem(NOON + DAY, url="http://www.ada.example/1#x"),
        ManifestItem(NOON + 3 * DAY, url="https://ada.example/1"),
        ManifestItem(NOON + DAY, url="https://stranger.example/"),
    ]

    manifest = manifests.receive(acme, rows, at=LATER)

    found = list(
        ManifestRow.objects.order_by("row_number").values_list("work", "decision", "statement")
    )
    assert [decision for _, decision, _ in found] == ["unknown", "allow", "deny", "unknown"]
    assert [row for row, _, _ in found] == [None, work.pk, work.pk, None]
    assert found[2][2] == statement.pk
    assert (manifest.status, manifest.rows_count, manifest.matched_count) == ("ready", 4, 2)
    report = manifests.report(manifest)
    assert (report.allowed, report.denied, report.unknown, report.duplicated) == (1, 1, 2, 2)
    assert [row.row_number for row in report.violations] == [3]
    assert list(manifests.works_of(manifest)) == list(manifests.allowed_works(manifest)) == [work]


def test_a_grant_allows_from_the_moment_it_was_recorded() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url="https://ada.example/1")
    terms = license_work(work)
    licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + 2 * DAY)
    rows = [ManifestItem(NOON + n * DAY, url="https://ada.example/1") for n in (1, 2, 3)]

    manifest = manifests.receive(acme, rows, at=LATER)

    decisions = manifest.rows.order_by("row_number").values_list("decision", flat=True)
    assert list(decisions) == ["license", "allow", "allow"]
    assert manifest.violations_count == 1


def test_the_same_rows_have_the_same_digest_and_the_log_holds_it() -> None:
    acme = make_operator("acme")
    first = [ManifestItem(NOON, url="https://www.ada.example:443/x")]
    second = [ManifestItem(NOON, url="http://ada.example/x#y")]

    one, two = (manifests.receive(acme, rows, at=LATER) for rows in (first, second))

    assert bytes(one.digest or b"") == bytes(two.digest or b"")
    assert LogOutbox.objects.count() == 2


@pytest.mark.parametrize(
    "bad",
    [
        ManifestItem(NOON, url="nowhere"),
        ManifestItem(NOON, sha256="abc"),
        ManifestItem(NOON),
        ManifestItem(LATER + DAY, url="https://ada.example/"),
        ManifestItem(NOON.replace(tzinfo=None), url="https://ada.example/"),
    ],
)
def test_one_bad_row_refuses_the_manifest_and_is_named(bad: ManifestItem) -> None:
    good = ManifestItem(NOON, url="https://ada.example/")

    with pytest.raises(InvalidManifestRow, match=r"^row 3: "):
        manifests.receive(make_operator("acme"), [good, good, bad], at=LATER)

    assert (Manifest.objects.count(), LogOutbox.objects.count()) == (0, 0)


def test_an_empty_manifest_is_refused() -> None:
    with pytest.raises(EmptyManifest):
        manifests.receive(make_operator("acme"), [], at=LATER)


def test_many_rows_stream_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "ROWS_AT_ONCE", 7)
    ada, acme = make_creator("ada"), make_operator("acme")
    deny(make_work(ada, url="https://ada.example/9"))
    rows = (ManifestItem(NOON, url=f"https://ada.example/{n}") for n in range(30))

    manifest = manifests.receive(acme, rows, at=LATER)

    assert manifest.rows_count == manifest.rows.count() == 30
    assert list(manifest.rows.filter(decision="deny").values_list("row_number", flat=True)) == [10]


def test_terms_nobody_offers_cannot_be_accepted() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada)
    terms = license_work(work)
    deny(work, at=NOON + DAY)

    with pytest.raises(TermsNotOffered):
        licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + 2 * DAY)


def lines(*rows: dict[str, str]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_parquet(rows: list[dict[str, Any]], *, group: int = 1_000) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), file, row_group_size=group)
    return file.getvalue()


def expected(
    operator: Operator, content: bytes, form: Manifest.Format = Manifest.Format.JSON_LINES
) -> Manifest:
    upload = uploads.begin(operator, size=len(content), at=NOON)
    uploads.receive(upload, offset=0, blocks=[content], at=NOON)
    return manifests.expect(operator, upload, written_as=form, at=LATER)


def worked_off(manifest: Manifest) -> Manifest:
    manifests.work_off(clock=ticking(), until=NOON + 30 * DAY)
    manifest.refresh_from_db()
    return manifest


WHEN = (NOON + DAY).isoformat()
URLS = [f"https://ada.example/{n % 9}" for n in range(20)]


def rows_of(manifest: Manifest) -> list[Any]:
    fields = ("row_number", "kind", "canonical", "ingested_at", "work", "decision", "statement")
    return list(manifest.rows.order_by("row_number").values_list(*fields))


@pytest.mark.parametrize("form", list(Manifest.Format))
@pytest.mark.parametrize("seconds", [2, 3, 4, 6, 8])
def test_an_upload_is_matched_as_the_rows_themselves_wherever_a_worker_stops(
    form: Manifest.Format, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "ROWS_AT_ONCE", 6)
    ada, acme = make_creator("ada"), make_operator("acme")
    deny(make_work(ada, url="https://ada.example/3"))
    said = [{"url": url, "ingested_at": WHEN} for url in URLS]
    content = lines(*said) if form == "jsonl" else as_parquet(said, group=4)
    at_once = manifests.receive(acme, [ManifestItem(NOON + DAY, url=url) for url in URLS], at=LATER)
    manifest = expected(acme, content, form)

    # Time is up after a chunk or some; the next worker goes on.
    manifests.work_off(clock=ticking(), until=NOON + timedelta(seconds=seconds))
    partly = manifest.rows.count()
    worked_off(manifest)

    assert 0 < partly <= 20
    assert (manifest.status, manifest.failure) == ("ready", "")
    assert rows_of(manifest) == rows_of(at_once)
    assert bytes(manifest.digest or b"") == bytes(at_once.digest or b"")
    assert manifest.summary == at_once.summary
    assert (manifest.matched_count, manifest.violations_count) == (2, 2)
    assert not UploadPart.objects.exists()


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        (b"", "jsonl", "empty_manifest"),
        (b"\n\n", "jsonl", "empty_manifest"),
        (lines({"url": "https://a.example/", "ingested_at": WHEN}) + b"{", "jsonl", "row 2"),
        (b"x" * 100_000, "jsonl", "row 1"),
        (lines({"url": "nowhere", "ingested_at": WHEN}), "jsonl", "row 1"),
        (b"PAR1 is not enough", "parquet", "unreadable_file"),
        (as_parquet([{"colour": "red"}]), "parquet", "columns"),
        (as_parquet([{"url": 7, "ingested_at": WHEN}]), "parquet", "column url"),
        (as_parquet([{"url": "https://a.example/", "ingested_at": "now"}]), "parquet", "row 1"),
        (
            as_parquet(
                [
                    {"url": None, "ingested_at": WHEN},
                    {"url": "https://a.example/", "ingested_at": WHEN},
                ]
            ),
            "parquet",
            "row 1",
        ),
    ],
)
def test_an_upload_that_is_none_is_refused_whole(content: bytes, form: str, said: str) -> None:
    manifest = worked_off(expected(make_operator("acme"), content, Manifest.Format(form)))

    assert manifest.status == "failed"
    assert said in manifest.failure
    manifests.work_off(clock=ticking(), until=NOON + DAY)
    assert (ManifestRow.objects.count(), LogOutbox.objects.count()) == (0, 0)


def test_parquet_may_hold_instants() -> None:
    content = as_parquet([{"url": "https://a.example/", "ingested_at": NOON}])

    manifest = worked_off(expected(make_operator("acme"), content, Manifest.Format.PARQUET))

    assert [row.ingested_at for row in manifest.rows.all()] == [NOON]


def test_what_is_repeated_and_what_is_nearly_so_is_reported() -> None:
    acme = make_operator("acme")
    words = [f"word{n}" for n in range(300)]
    one = make_work(make_creator("ada"), text=" ".join(words)).iscc
    near = make_work(make_creator("ben"), text=" ".join([*words[:290], "and", "more"])).iscc
    apart = make_work(make_creator("eve"), text=" ".join(reversed("abcdefghijkl" * 40))).iscc
    rows = [
        ManifestItem(NOON, url="https://a.example/1", iscc=one),
        ManifestItem(NOON, url="https://a.example/2", iscc=apart),
        ManifestItem(NOON, url="http://www.a.example/1#again"),
        ManifestItem(NOON, url="https://a.example/3", iscc=near),
        ManifestItem(NOON, url="https://a.example/1", iscc=one),
    ]

    report = manifests.report(manifests.receive(acme, rows, at=LATER))

    (repeated,) = report.repeated
    assert (repeated.value, repeated.rows, repeated.first_row) == ("a.example/1", 3, 1)
    assert (report.duplicated, report.with_codes, report.near_compared) == (2, 4, 4)
    assert [(pair.row, pair.earlier_row) for pair in report.near] == [(4, 1), (5, 1)]
    assert report.near[1].distance_ppm == 0
    assert 0 < report.near[0].distance_ppm < 300_000


@pytest.mark.parametrize(
    "url",
    [
        "https://ada.example",
        "https://ada.example/a/b/c.html?q=/x/y",
        "https://ada.example:8080/a/",
        "http://www.sub.ada.example/a/../b%2Fc",
        "https://[2001:db8::1]/x",
        "https://ada.example/" + "d/" * 20,
    ],
)
def test_a_row_is_looked_up_by_every_key_that_a_check_uses(url: str) -> None:
    item = ManifestItem(NOON, url=url, sha256="ab" * 32)

    row = Numbered(1, item, 1)
    found = manifest_matching.recognisable(row, LATER)

    (asked,) = answers.questions([CheckItem("1", url, "ab" * 32)])
    assert tuple(found.keys) == asked.keys


def test_rows_taken_together_are_judged_as_each_would_be_alone() -> None:
    ada, ben, acme = make_creator("ada"), make_creator("ben"), make_operator("acme")
    url = "https://ada.example/1"
    work = make_work(ada, url=url)
    terms = license_work(work)
    licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON + 3 * DAY)
    rival = make_work(ben, url=url, at=NOON + 4 * DAY)
    deny(rival, at=NOON + 5 * DAY, effective_from=NOON + 6 * DAY)
    place = collections.claim(ben, kind=IdentifierKind.HOST, value="ada.example", at=NOON + 7 * DAY)
    deny(place, at=NOON + 8 * DAY)
    allow(work, at=NOON + 9 * DAY)
    urls = [url, "https://ada.example/other"]
    rows = [ManifestItem(NOON + n * DAY / 2, url=url) for n in range(21) for url in urls]

    manifest = manifests.receive(acme, rows, at=LATER)

    together = manifest.rows.order_by("row_number").values_list("work", "decision", "statement")
    alone = [
        manifests.receive(acme, [row], at=LATER).rows.values_list("work", "decision", "statement")
        for row in rows
    ]
    assert list(together) == [found for each in alone for found in each]
    assert {"unknown", "allow", "license", "deny"} == {decision for _, decision, _ in together}


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_instants_of_parquet_are_read_in_every_unit(unit: str) -> None:
    when = [NOON + DAY, NOON + 2 * DAY, None]
    table = pa.table(
        {
            "url": ["https://ada.example/1"] * 3,
            "ingested_at": pa.array(when, pa.timestamp(unit, "Asia/Shanghai")),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table.slice(0, 2), file)

    manifest = worked_off(expected(make_operator("acme"), file.getvalue(), Manifest.Format.PARQUET))

    stored = manifest.rows.order_by("row_number").values_list("ingested_at", flat=True)
    assert list(stored) == when[:2]
    file = io.BytesIO()
    parquet.write_table(table, file)
    refused = worked_off(expected(make_operator("ajax"), file.getvalue(), Manifest.Format.PARQUET))
    assert refused.failure.startswith("invalid_manifest_row: row 3: ")


def test_bytes_that_are_not_those_announced_are_refused() -> None:
    acme = make_operator("acme")
    upload = uploads.begin(acme, size=1, sha256=bytes(32), at=NOON)
    uploads.receive(upload, offset=0, blocks=[b"x"], at=NOON)

    manifest = worked_off(
        manifests.expect(acme, upload, written_as=Manifest.Format.JSON_LINES, at=LATER)
    )

    assert manifest.failure.startswith("upload_digest_differs")

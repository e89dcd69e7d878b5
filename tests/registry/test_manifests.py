"""Manifests: each row judged as of its own ingestion."""

import pytest

from registry import licensing, manifests
from registry.errors import EmptyManifest, InvalidManifestRow, TermsNotOffered
from registry.manifests import ManifestItem
from registry.models import LogOutbox, Manifest, ManifestRow
from tests.factories import DAY, NOON, allow, deny, make_creator, make_operator, make_work
from tests.registry.test_licensing import license_work
from tribute.vocabulary import Purpose

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

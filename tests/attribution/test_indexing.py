"""Registered texts enter the index once, and copies are noticed."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from attribution import ngram_index, ngrams, reading, rosters
from attribution.candidates import find
from attribution.indexing import index_works
from attribution.methods.evidence import Candidate, Evidence
from attribution.models import IndexedText, NearDuplicate
from registry.models import Creator, Operator, Work, WorkFeatures
from tests.attribution.world import CHARIOT, EIGHT_OF_TYGER, TYGER, ingest
from tests.factories import DAY, NOON, allow, make_creator, make_work
from tribute import features, ids
from tribute.features import Features, sections


def texts_with(text: str) -> list[str]:
    """The works that the index finds for all n-grams of a text, each n-gram once."""
    index = ngram_index.current()
    wanted = np.unique(np.array(features.reduce(text).hashes, np.uint64))
    places, found = index.find(wanted)
    assert len(places) == len(set(zip(places.tolist(), found.tolist(), strict=True)))
    return [
        ids.encode("wrk", UUID(bytes=raw.ljust(16, b"\0"))) for raw in index.ids_of(found).tolist()
    ]


def test_index_works_holds_each_ngram_once(chariot: Work) -> None:
    assert index_works(limit=10, at=NOON) == 1

    assert texts_with(CHARIOT) == [chariot.pk] * len(set(features.reduce(CHARIOT).hashes))
    assert texts_with(TYGER) == []
    assert WorkFeatures.objects.get(work=chariot).indexed_at == NOON


def test_index_works_does_nothing_the_second_time(chariot: Work) -> None:
    index_works(limit=10, at=NOON)
    before = texts_with(CHARIOT)

    assert index_works(limit=10, at=NOON) == 0
    WorkFeatures.objects.update(indexed_at=None)
    assert index_works(limit=10, at=NOON) == 1

    assert texts_with(CHARIOT) == before
    assert IndexedText.objects.count() == 1


def test_a_text_is_found_as_soon_as_it_is_indexed(chariot: Work, ben: Creator) -> None:
    index_works(limit=10, at=NOON)
    assert ngram_index.current().texts == 1

    tyger = make_work(ben, text=TYGER)
    index_works(limit=10, at=NOON)

    assert set(texts_with(TYGER)) == {tyger.pk}
    assert ngram_index.snapshot() == 2


def test_the_index_is_the_same_from_files_of_any_size(
    ben: Creator, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    monkeypatch.setattr(ngram_index, "LEAF", 4)
    monkeypatch.setattr(ngram_index, "FAN", 2)
    monkeypatch.setattr(ngram_index, "READ_AT_ONCE", 2)
    texts = [f"{TYGER} {' '.join(f'{word}{n}' for word in CHARIOT.split())}" for n in range(13)]
    wanted = np.unique(np.array(features.reduce(" ".join(texts)).hashes, np.uint64))
    for text in texts:
        make_work(ben, text=text)
    index_works(limit=20, at=NOON)
    grown, fresh = ngram_index.current(), ngram_index.Index()
    fresh.catch_up()

    assert sorted(path.name.rsplit("-", 1)[0] for path in (tmp_path / "ngrams").iterdir()) == [
        "0-4", "0-8", "4-4", "8-4"
    ]  # fmt: skip
    in_memory = ngrams.build(
        [
            sections(bytes(each.features))[3]
            for each in WorkFeatures.objects.order_by("work__indexed_text__number")
        ],
        first=0,
    )
    expected = pairs(ngrams.find([in_memory], wanted, most=5))
    assert pairs(fresh.find(wanted, most=5)) == pairs(grown.find(wanted, most=5)) == expected
    assert max(Counter(place for place, _ in expected).values()) == 5


def pairs(found: tuple[Any, Any]) -> set[tuple[int, int]]:
    return set(zip(found[0].tolist(), found[1].tolist(), strict=True))


def test_index_works_stops_at_its_limit_and_begins_with_the_earliest(
    chariot: Work, ben: Creator
) -> None:
    make_work(ben, text=TYGER, at=NOON - DAY)

    assert index_works(limit=1, at=NOON) == 1

    indexed = WorkFeatures.objects.get(indexed_at__isnull=False)
    assert indexed.work.registered_by == ben


def test_a_copy_is_paired_with_its_original_and_a_quotation_is_not(
    chariot: Work, ben: Creator
) -> None:
    copy = make_work(ben, text=f"{CHARIOT} and then some")
    make_work(ben, text=f"{TYGER} {CHARIOT[:60]}")

    index_works(limit=10, at=NOON)

    (pair,) = NearDuplicate.objects.all()
    assert {pair.work_id, pair.other_id} == {chariot.pk, copy.pk}
    assert pair.overlap_ppm > 900_000


@pytest.fixture
def both(acme: Operator, chariot: Work, tyger: Work) -> Any:
    manifest = ingest(acme, [chariot, tyger])
    index_works(limit=10, at=NOON)
    return manifest


def test_find_says_where_an_output_repeats_a_work(both: Any, tyger: Work) -> None:
    found = find({"q": features.reduce(f"one two {EIGHT_OF_TYGER}")}, both)

    assert found == {"q": Evidence(10, 6, (Candidate(tyger.pk, (2, 3, 4)),))}


def test_find_answers_for_outputs_without_any_match(both: Any) -> None:
    assert find({"q": features.reduce("nothing of the kind"), "e": Features(0, ())}, both) == {
        "q": Evidence(4, 6, ()),
        "e": Evidence(0, 6, ()),
    }
    assert find({}, both) == {}


def test_find_takes_the_same_number_of_statements_for_one_output_and_many(
    both: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    find({"q": features.reduce(TYGER)}, both)
    read, asked = reading.rows, list[str]()

    def counted(name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        asked.append(name)
        return read(name, parameters)

    monkeypatch.setattr(reading, "rows", counted)
    for count in (1, 30):
        asked.clear()
        outputs = {f"q{number}": features.reduce(EIGHT_OF_TYGER) for number in range(count)}
        with django_assert_num_queries(0):
            find(outputs, both)
        assert asked == ["read_rights_changes", "read_indexed_texts"]


def test_an_earlier_registration_stands_for_its_cluster_whatever_was_indexed_first(
    acme: Operator,
) -> None:
    mallory = make_creator("mallory")
    later = make_work(mallory, text=f"{CHARIOT} later")
    index_works(limit=10, at=NOON)
    earlier = make_work(mallory, text=f"{CHARIOT} earlier", at=NOON - DAY)
    index_works(limit=10, at=NOON)
    for work in (earlier, later):
        allow(work)
    manifest = ingest(acme, [earlier, later])

    assert rosters.of_manifest(manifest).leader_of([earlier.pk, later.pk]) == {
        earlier.pk: earlier.pk,
        later.pk: earlier.pk,
    }

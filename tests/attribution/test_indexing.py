"""Registered texts enter the index once, and copies are noticed."""

from typing import Any

import pytest

from attribution import rosters
from attribution.candidates import find
from attribution.indexing import index_works, signed
from attribution.methods.evidence import Candidate, Evidence
from attribution.models import NearDuplicate, NgramPosting
from registry.models import Creator, Operator, Work, WorkFeatures
from tests.attribution.world import CHARIOT, EIGHT_OF_TYGER, TYGER, ingest
from tests.factories import DAY, NOON, allow, make_creator, make_work
from tribute import features
from tribute.features import Features


def test_index_works_stores_each_ngram_once(chariot: Work) -> None:
    assert index_works(limit=10, at=NOON) == 1

    expected = set(signed(features.reduce(CHARIOT).hashes))
    assert set(NgramPosting.objects.values_list("hash", flat=True)) == expected
    assert WorkFeatures.objects.get(work=chariot).indexed_at == NOON


def test_index_works_does_nothing_the_second_time(chariot: Work) -> None:
    index_works(limit=10, at=NOON)
    before = NgramPosting.objects.count()

    assert index_works(limit=10, at=NOON) == 0
    WorkFeatures.objects.update(indexed_at=None)
    assert index_works(limit=10, at=NOON) == 1

    assert NgramPosting.objects.count() == before


def test_index_works_stops_at_its_limit_and_begins_with_the_earliest(
    chariot: Work, ben: Creator
) -> None:
    make_work(ben, text=TYGER, at=NOON - DAY)

    assert index_works(limit=1, at=NOON) == 1

    indexed = WorkFeatures.objects.get(indexed_at__isnull=False)
    assert indexed.work.registered_by == ben


def test_hashes_keep_their_bits_as_signed_numbers() -> None:
    assert signed([0, 1, 2**63 - 1, 2**63, 2**64 - 1]) == [0, 1, 2**63 - 1, -(2**63), -1]


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
    both: Any, django_assert_num_queries: Any
) -> None:
    for count in (1, 30):
        outputs = {f"q{number}": features.reduce(EIGHT_OF_TYGER) for number in range(count)}
        with django_assert_num_queries(4):
            find(outputs, both)


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

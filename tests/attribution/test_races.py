"""Two at once: each report is kept once, and of two new copies one always sees the other."""

import threading
from collections.abc import Callable

from django.db import connection

from attribution.indexing import index_works
from attribution.models import GenerativeModel, IndexedText, NearDuplicate, Query
from attribution.queries import Received, receive
from registry.models import Creator
from tests.attribution.world import CHARIOT, GENERATED, report
from tests.factories import NOON, make_work


def at_once(*deeds: Callable[[], None]) -> None:
    """Do things in threads of their own, begun together."""
    barrier = threading.Barrier(len(deeds))

    def do(deed: Callable[[], None]) -> None:
        try:
            barrier.wait()
            deed()
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_same_reports_sent_twice_at_once_are_kept_once(
    committed_db: None, writer: GenerativeModel
) -> None:
    said = [report(writer, external_id=f"gen-{number}") for number in range(20)]
    answers: list[list[Received]] = []

    def send() -> None:
        answers.append(receive(writer.operator, said, at=GENERATED))

    at_once(send, send, send)

    assert Query.objects.count() == 20
    assert len(answers) == 3
    assert sum(not answer.duplicate for call in answers for answer in call) == 20
    assert len({tuple(answer.query_id for answer in call) for call in answers}) == 1


def test_two_copies_indexed_at_once_are_paired(committed_db: None, ada: Creator) -> None:
    works = [make_work(ada, text=f"{CHARIOT} copy {number}") for number in range(4)]
    indexed: list[int] = []

    def index() -> None:
        indexed.append(index_works(limit=10, at=NOON))

    at_once(index, index)

    assert sum(indexed) == 4
    assert NearDuplicate.objects.count() == 6
    numbered = dict(IndexedText.objects.values_list("number", "work"))
    assert list(numbered) == [0, 1, 2, 3]
    assert set(numbered.values()) == {w.pk for w in works}

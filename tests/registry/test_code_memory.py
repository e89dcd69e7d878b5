"""The content codes held in memory: always what PostgreSQL has, however they got there."""

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction

from registry import code_files, code_memory
from registry.code_memory import CodeMemory
from registry.models import Work
from tests.factories import make_creator, make_work
from tribute import ids
from tribute.vocabulary import IdentifierKind

CODES = (
    "ISCC:EAARX7L5ZPOLZZNE",  # a 64-bit text code
    "ISCC:EEAQ3U7BPUYMJ5MN",  # a 64-bit picture code
)


def held(memory: CodeMemory) -> list[str]:
    found = [work for groups in memory.groups().values() for g in groups for work in g.works]
    return sorted(f"{int.from_bytes(work.tobytes(), 'big'):032x}" for work in found)


def stored() -> list[str]:
    works = Work.objects.exclude(iscc_bits=None).values_list("pk", flat=True)
    return sorted(ids.decode("wrk", work).hex for work in works)


def coded(handle: str, number: int = 0) -> Work:
    creator = make_creator(handle)
    return make_work(creator, identifiers=[(IdentifierKind.ISCC, CODES[number])])


def test_works_registered_after_the_first_question_count_at_once(
    committed_db: None, tmp_path: Path
) -> None:
    memory = CodeMemory(tmp_path)
    assert held(memory) == []
    for number, handle in enumerate(("ada", "ben")):
        coded(handle, number)
        assert held(memory) == stored()
        assert len(stored()) == number + 1


def test_what_a_transaction_takes_back_was_never_held(committed_db: None, tmp_path: Path) -> None:
    memory = CodeMemory(tmp_path)
    coded("ada")
    with transaction.atomic():
        coded("ben", 1)
        assert len(held(memory)) == 2
        transaction.set_rollback(True)

    assert held(memory) == stored()
    assert len(stored()) == 1


def test_another_thread_does_not_see_what_is_not_committed(
    committed_db: None, tmp_path: Path
) -> None:
    memory = CodeMemory(tmp_path)
    coded("ada")
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(held(memory))
        connections.close_all()

    with transaction.atomic():
        coded("ben", 1)
        mine = held(memory)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert (len(mine), len(seen[0]), held(memory)) == (2, 1, stored())


def test_registrations_with_codes_take_turns(committed_db: None, tmp_path: Path) -> None:
    """A number seen means that all before it are: the second waits for the first's end."""
    coded("ada")
    waiting = threading.Event()
    order: list[str] = []

    def second() -> None:
        waiting.set()
        coded("ben", 1)
        order.append("second")
        connections.close_all()

    with transaction.atomic():
        coded("eve", 1)
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        thread.join(0.3)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
    assert held(CodeMemory(tmp_path)) == stored()


def test_many_loose_codes_are_filed_and_a_new_process_reads_only_the_rest(
    committed_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_memory, "MOST_LOOSE", 1)
    coded("ada")
    coded("ben", 1)
    assert held(CodeMemory(tmp_path)) == stored()
    filed = code_files.read(tmp_path)
    assert filed is not None
    assert sum(len(group) for group in filed.groups.values()) == 2
    coded("eve")

    read: list[int] = []
    rows_from = code_memory._rows_from

    def counted(number: int) -> Any:
        rows = rows_from(number)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(code_memory, "_rows_from", counted)
    assert held(CodeMemory(tmp_path)) == stored()
    # The last filed row, by which the file is known to be of this database, and the new one.
    assert read == [2]


def test_a_file_of_another_database_is_not_believed(
    committed_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_memory, "MOST_LOOSE", 0)
    coded("ada")
    held(CodeMemory(tmp_path))
    filed = code_files.read(tmp_path)
    assert filed is not None
    stranger = code_files.Filed(filed.number, b"x" * 16, filed.groups)
    code_files.write(tmp_path, stranger)
    coded("ben", 1)

    assert held(CodeMemory(tmp_path)) == stored()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"nonsense"),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-3]),
        lambda file: file.write_bytes(file.read_bytes()[:200].ljust(4096)),
        lambda file: file.unlink(),
    ],
)
def test_a_spoilt_file_is_done_without(
    committed_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(code_memory, "MOST_LOOSE", 0)
        coded("ada")
        held(CodeMemory(tmp_path))
    spoil(tmp_path / code_files.NAME)

    assert held(CodeMemory(tmp_path)) == stored()


def test_a_deleted_work_is_held_no_more_once_it_was_the_last(
    committed_db: None, tmp_path: Path, superuser: psycopg.Connection
) -> None:
    memory = CodeMemory(tmp_path)
    coded("ada")
    work = coded("ben", 1)
    assert len(held(memory)) == 2
    superuser.execute("SET session_replication_role = replica")
    superuser.execute(
        "DELETE FROM registry_contentcode WHERE work_id = %s", [ids.decode("wrk", work.pk)]
    )

    assert len(held(memory)) == 1


def test_a_content_code_is_for_good(db: None) -> None:
    work = coded("ada")
    with pytest.raises(IntegrityError, match="for good"), transaction.atomic():
        Work.objects.filter(pk=work.pk).update(iscc_bits="01" * 32)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registry_contentcode")
        assert cursor.fetchone() == (1,)

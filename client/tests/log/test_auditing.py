"""A whole log is read and believed only where everything agrees, its own past included."""

from collections.abc import Callable
from pathlib import Path

import pytest

from client.tests.log.written_log import WrittenLog, statements
from tribute.log import auditing
from tribute.log.errors import (
    BrokenChain,
    ForkedLog,
    LogError,
    LogUnavailable,
    TamperedTile,
    UntrustedNote,
)
from tribute.log.tiles import pack
from tribute.merkle import EMPTY_ROOT, merkle_root

SUBJECTS = [f"wrk_{number % 7}" for number in range(600)]


@pytest.fixture
def log(tmp_path: Path) -> WrittenLog:
    log = WrittenLog(tmp_path)
    log.add(statements(SUBJECTS))
    return log


def more(log: WrittenLog, count: int) -> list[bytes]:
    return statements(["wrk_1"] * count, after=log.leaves)


def test_an_audit_reads_all_and_says_what_it_proved(log: WrittenLog) -> None:
    told: list[tuple[int, int]] = []

    found = auditing.audit(log.source, log.key, report=lambda done, all_: told.append((done, all_)))

    assert (found.checkpoint.size, found.read, found.chained) == (600, 600, 600)
    assert (len(told), told[-1]) == (600, (600, 600))
    assert found.note == log.source.get("checkpoint")


def test_an_empty_log_holds(tmp_path: Path) -> None:
    log = WrittenLog(tmp_path)
    log.sign(0, EMPTY_ROOT)
    assert auditing.audit(log.source, log.key).read == 0


@pytest.mark.parametrize("only_new", [False, True])
@pytest.mark.parametrize("growth", [0, 1, 100, 300])
def test_a_log_that_grew_holds_against_what_was_remembered(
    log: WrittenLog, growth: int, *, only_new: bool
) -> None:
    first = auditing.audit(log.source, log.key)
    if growth:
        log.add(more(log, growth))

    found = auditing.audit(log.source, log.key, remembered=first.note, only_new=only_new)

    assert found.checkpoint.size == 600 + growth
    assert found.read == (growth if only_new else 600 + growth)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/002.p/88",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1],
        lambda data: data + b"\0",
    ],
)
def test_a_tile_that_was_touched_is_refused(
    log: WrittenLog, path: str, spoil: Callable[[bytes], bytes]
) -> None:
    log.write(path, spoil((log.folder / path).read_bytes()))
    with pytest.raises(TamperedTile):
        auditing.audit(log.source, log.key)


def test_a_leaf_that_was_exchanged_with_its_tiles_is_refused(log: WrittenLog) -> None:
    """Entries and tiles agree with each other, and not with what was signed."""
    note = (log.folder / "checkpoint").read_bytes()
    forged = WrittenLog(log.folder)
    forged.add([b'{"t":"ledger.head"}', *log.leaves[1:]])
    log.write("checkpoint", note)
    with pytest.raises(TamperedTile, match="root that was signed"):
        auditing.audit(log.source, log.key)


def test_a_missing_tile_is_named(log: WrittenLog) -> None:
    (log.folder / "tile/entries/001").unlink()
    with pytest.raises(LogUnavailable, match="tile/entries/001"):
        auditing.audit(log.source, log.key)
    with pytest.raises(LogUnavailable, match="no checkpoint"):
        auditing.audit(WrittenLog(log.folder / "nowhere").source, log.key)


def test_a_checkpoint_by_somebody_else_is_refused(log: WrittenLog) -> None:
    with pytest.raises(UntrustedNote):
        auditing.audit(log.source, WrittenLog(log.folder, seed=8).key)


@pytest.mark.parametrize("only_new", [False, True])
def test_a_rewritten_past_is_a_fork(log: WrittenLog, tmp_path: Path, *, only_new: bool) -> None:
    first = auditing.audit(log.source, log.key)
    fork = WrittenLog(tmp_path / "fork")
    fork.add(statements([*SUBJECTS[:-1], "wrk_9"]))
    fork.add(statements(["wrk_9"] * 10, after=fork.leaves))

    assert auditing.audit(fork.source, log.key).read == 610
    with pytest.raises(ForkedLog, match="first 600 leaves"):
        auditing.audit(fork.source, log.key, remembered=first.note, only_new=only_new)
    with pytest.raises(ForkedLog, match="first 600 leaves"):
        auditing.prove_growth(fork.source, log.key, first.note)


def test_a_log_that_shrank_or_signed_twice_is_a_fork(log: WrittenLog) -> None:
    first = auditing.audit(log.source, log.key)
    log.sign(599, merkle_root(log.leaves[:599]))
    with pytest.raises(ForkedLog, match="now claims 599"):
        auditing.audit(log.source, log.key, remembered=first.note)
    log.sign(600, b"x" * 32)
    with pytest.raises(ForkedLog, match="two different trees"):
        auditing.audit(log.source, log.key, remembered=first.note)


def test_growth_is_proven_by_tiles_alone(log: WrittenLog) -> None:
    first = auditing.audit(log.source, log.key)
    log.add(more(log, 200))
    for bundle in (log.folder / "tile/entries").iterdir():
        if bundle.is_file():
            bundle.unlink()

    past, now = auditing.prove_growth(log.source, log.key, first.note)

    assert (past.size, now.size) == (600, 800)


def test_a_narrow_tile_is_read_from_the_full_one_once_it_is_gone(log: WrittenLog) -> None:
    note = (log.folder / "checkpoint").read_bytes()
    log.add(more(log, 300))
    for narrow in log.folder.glob("tile/*/002.p/*"):
        narrow.unlink()
    log.write("checkpoint", note)
    (log.folder / "tile/1/000.p/3").rename(log.folder / "tile/1/000.p/2")
    log.write("tile/1/000.p/2", (log.folder / "tile/1/000.p/2").read_bytes()[:64])
    assert auditing.audit(log.source, log.key).read == 600


def test_one_subject_is_followed_through_its_statements(log: WrittenLog) -> None:
    found = list(auditing.follow(log.source, log.key, "wrk_3"))
    assert [entry.index for entry in found] == list(range(3, 600, 7))
    assert list(auditing.follow(log.source, log.key, "wrk_none")) == []


@pytest.mark.parametrize(
    "last",
    [
        b'{"subject":"wrk_1","t":"consent.set","seq":1}',
        b'{"subject":"wrk_1","t":"consent.set","seq":87}',
        b'{"prev":"00","subject":"wrk_1","t":"consent.set","seq":87}',
        b'{"prev":"00","subject":"wrk_new","t":"consent.set","seq":1}',
        b'{"t":"consent.set","seq":1}',
    ],
)
def test_a_statement_that_does_not_name_the_one_before_is_refused(
    log: WrittenLog, last: bytes
) -> None:
    log.add([last])
    with pytest.raises(BrokenChain, match="entry 600"):
        auditing.audit(log.source, log.key)


@pytest.mark.parametrize("leaf", [b"no json", b"[1]", b"[" * 60_000])
def test_an_entry_that_is_no_json_object_is_refused(log: WrittenLog, leaf: bytes) -> None:
    log.add([leaf])
    with pytest.raises(TamperedTile, match="entry 600"):
        auditing.audit(log.source, log.key)


def test_a_signed_bundle_of_other_entries_is_refused(log: WrittenLog) -> None:
    log.write("tile/entries/002.p/88", pack([b"{}"] * 88))
    with pytest.raises(LogError, match="entry 512"):
        auditing.audit(log.source, log.key)

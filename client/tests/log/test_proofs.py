"""The one file that proves a leaf: written, read, and refused when anything in it was touched."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from client.tests.log.written_log import WrittenLog, statements
from tribute.log import proofs
from tribute.log.errors import InvalidProof, UntrustedNote
from tribute.merkle import leaf_hash


@pytest.fixture
def log(tmp_path: Path) -> WrittenLog:
    log = WrittenLog(tmp_path)
    log.add(statements(["wrk_a", "wrk_b", "wrk_a", "wrk_c", "wrk_a"]))
    return log


def test_a_proof_is_written_as_c2sp_says(log: WrittenLog) -> None:
    proof = log.proof(3)

    lines = bytes(proof).decode().split("\n")

    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert base64.b64decode(lines[1].removeprefix("extra ")) == log.leaves[3]
    assert lines[2] == "index 3"
    assert [base64.b64decode(line) for line in lines[3:6]] == list(proof.path)
    assert (lines[6], lines[7], lines[8]) == ("", "registry.example/log", "5")
    assert proofs.parse(bytes(proof)) == proof


def test_every_leaf_is_proven_by_its_file_alone(log: WrittenLog) -> None:
    for index, leaf in enumerate(log.leaves):
        proven = proofs.verify(proofs.parse(bytes(log.proof(index))), log.key)
        assert (proven.index, proven.leaf, proven.checkpoint.size) == (index, leaf, 5)


def test_a_proof_without_its_leaf_needs_to_be_told(log: WrittenLog) -> None:
    bare = replace(log.proof(2), extra=None)

    with pytest.raises(InvalidProof, match="say which leaf"):
        proofs.verify(bare, log.key)
    proven = proofs.verify(bare, log.key, hash_of_leaf=leaf_hash(log.leaves[2]))
    assert (proven.index, proven.leaf) == (2, None)
    with pytest.raises(InvalidProof, match="does not lead"):
        proofs.verify(log.proof(2), log.key, hash_of_leaf=leaf_hash(log.leaves[1]))


def test_a_proof_that_was_touched_is_refused(log: WrittenLog) -> None:
    proof = log.proof(1)
    for forged in (
        replace(proof, index=2),
        replace(proof, extra=proof.extra[:-1] + b"!" if proof.extra else b""),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, proof.path[0])),
        replace(proof, path=(proof.path[1], *proof.path[1:])),
    ):
        with pytest.raises(InvalidProof, match="does not lead"):
            proofs.verify(forged, log.key)
    with pytest.raises(UntrustedNote):
        proofs.verify(replace(proof, note=proof.note.replace(b"\n5\n", b"\n6\n")), log.key)


def test_a_proof_by_another_logs_key_is_refused(log: WrittenLog, tmp_path: Path) -> None:
    other = WrittenLog(tmp_path / "other", seed=8)
    other.add(log.leaves)
    with pytest.raises(UntrustedNote):
        proofs.verify(other.proof(0), log.key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2"),
        (b"index 3", b"index 03"),
        (b"index 3", b"index -3"),
        (b"index 3\n", b""),
        (b"extra ", b"extra !"),
        (b"\n\n", b"\nAAAA\n\n"),
        (b"\n\n", b"\n" + b"A" * 43 + b"\n\n"),
        (b"\n\n", b"\n\xff\n\n"),
        (b"\n\n", (b"\n" + base64.b64encode(b"x" * 32)) * 64 + b"\n\n"),
        (b"\n\n", b"\n"),
    ],
)
def test_what_is_no_proof_is_refused(log: WrittenLog, old: bytes, new: bytes) -> None:
    with pytest.raises(InvalidProof):
        proofs.parse(bytes(log.proof(3)).replace(old, new))


def test_what_is_much_too_large_is_refused() -> None:
    with pytest.raises(InvalidProof, match="at most"):
        proofs.parse(b"c2sp.org/tlog-proof@v1\n" + b"A" * proofs.LARGEST_PROOF)

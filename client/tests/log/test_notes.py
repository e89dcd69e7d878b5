"""Signed notes and verifier keys: the specification's and Go's own examples, and what is refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.log import checkpoints, notes
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import ForkedLog, InvalidCheckpoint, InvalidNote, UntrustedNote
from tribute.log.notes import VerifierKey
from tribute.merkle import EMPTY_ROOT

# C2SP signed-note, "Example".
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
""".encode()
# golang.org/x/mod/sumdb/note, ExampleSign and ExampleSign_add_signatures.
GO_SEED = "810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNED = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH_SIGNED = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"


def test_the_examples_of_c2sp_and_go_verify() -> None:
    assert notes.verify(C2SP_NOTE, VerifierKey.parse(C2SP_KEY)) == "This is an example message.\n"
    for signatures in (GO_SIGNED, GO_SIGNED + ENOCH_SIGNED, ENOCH_SIGNED + GO_SIGNED):
        note = f"{GO_TEXT}\n{signatures}".encode()
        assert notes.verify(note, VerifierKey.parse(GO_KEY)) == GO_TEXT


def test_signing_gives_gos_own_bytes() -> None:
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(GO_SEED))
    key = VerifierKey("PeterNeumann", secret.public_key().public_bytes_raw())

    assert str(key) == GO_KEY
    assert notes.sign(GO_TEXT, key, secret.sign) == f"{GO_TEXT}\n{GO_SIGNED}".encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo+530d903a",
        C2SP_KEY.replace("530d903a", "530d903b"),
        C2SP_KEY.replace("foo", "bar"),
        C2SP_KEY.replace("+Aeky", "+Beky"),
        C2SP_KEY[:-4],
        C2SP_KEY + "!",
        C2SP_KEY.replace("example.com/foo", "example com/foo"),
    ],
)
def test_a_key_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        C2SP_NOTE[:-1],
        C2SP_NOTE.replace(b"\n\n", b"\n"),
        C2SP_NOTE.replace(b"\xe2\x80\x94 ", b"- "),
        C2SP_NOTE.replace(b"message", b"mess\tage"),
        C2SP_NOTE.replace(b"message", b"mess\xffage"),
        C2SP_NOTE.replace(b"aQM=", b"aQ="),
        C2SP_NOTE + b"\n",
        b"x" * (notes.LARGEST_NOTE + 1),
        C2SP_NOTE + C2SP_NOTE.split(b"\n\n")[1] * notes.MOST_SIGNATURES,
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(InvalidNote):
        notes.verify(note, VerifierKey.parse(C2SP_KEY))


def test_a_changed_text_or_signature_or_another_signer_is_not_trusted() -> None:
    key = VerifierKey.parse(C2SP_KEY)
    changed = C2SP_NOTE.replace(b"example message", b"forged  message")
    with pytest.raises(UntrustedNote, match="does not hold"):
        notes.verify(changed, key)
    with pytest.raises(UntrustedNote, match="does not hold"):
        notes.verify(C2SP_NOTE.replace(b"kn8s", b"kn8t"), key)
    with pytest.raises(UntrustedNote, match="not signed by"):
        notes.verify(f"{GO_TEXT}\n{GO_SIGNED}".encode(), key)


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    root = bytes(range(32))
    checkpoint = Checkpoint("example.com/log", 20852163, root)

    assert checkpoints.parse(checkpoint.text()) == checkpoint
    assert checkpoints.parse(checkpoint.text() + "an extension\n") == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n5\n",
        f"log\n05\n{'A' * 43}=\n",
        f"log\n-5\n{'A' * 43}=\n",
        f"log\n5 \n{'A' * 43}=\n",
        "log\n5\nAAAA\n",
        f"log\n5\n{'A' * 42}B=\n",
        f"\n5\n{'A' * 43}=\n",
        f"log\n5\n{'A' * 43}=\n\n",
        f"log\n0\n{'A' * 43}=\n",
        f"log\n{'9' * 20}\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidCheckpoint):
        checkpoints.parse(text)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    secret = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    key = VerifierKey("example.com/mine", secret.public_key().public_bytes_raw())
    other = Checkpoint("example.com/theirs", 0, EMPTY_ROOT)
    with pytest.raises(InvalidCheckpoint, match="theirs"):
        checkpoints.verify(notes.sign(other.text(), key, secret.sign), key)


@pytest.mark.parametrize(
    "new",
    [
        Checkpoint("log", 4, b"a" * 32),
        Checkpoint("log", 5, b"b" * 32),
        Checkpoint("gol", 6, b"a" * 32),
    ],
)
def test_a_log_that_shrinks_splits_or_changes_its_name_has_forked(new: Checkpoint) -> None:
    with pytest.raises(ForkedLog):
        checkpoints.require_growth(Checkpoint("log", 5, b"a" * 32), new)

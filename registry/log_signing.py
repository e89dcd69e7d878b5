"""The log's key: sign a checkpoint, and know one's own. Nothing else holds the private half."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from registry.errors import LogDamaged
from tribute.log import checkpoints, notes
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import LogError
from tribute.log.notes import VerifierKey

OWN_KEY = "log-signing-key"
SEED_BYTES = 32


def verifier() -> VerifierKey:
    """Return what others verify the log with: its name and its public key."""
    return VerifierKey(settings.LOG_ORIGIN, _key().public_key().public_bytes_raw())


def signed(size: int, root: bytes) -> bytes:
    """Return the checkpoint of a tree as a signed note: always the same one for the same tree."""
    key = verifier()
    return notes.sign(Checkpoint(key.name, size, root).text(), key, _key().sign)


def opened(note: bytes) -> Checkpoint:
    """Return the checkpoint in a note of our own. Raises LogDamaged for any other note."""
    try:
        return checkpoints.verify(note, verifier())
    except LogError as error:
        raise LogDamaged(f"the checkpoint at hand was not signed by this log: {error}") from error


def _key() -> Ed25519PrivateKey:
    seed = settings.LOG_SIGNING_KEY or _own_seed(Path(settings.HOME) / OWN_KEY)
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))


def _own_seed(path: Path) -> str:
    """Return the seed kept in a file of the embedded service; make it once, whoever comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SEED_BYTES))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first: its key is the log's
        finally:
            fresh.unlink()
    return path.read_text()

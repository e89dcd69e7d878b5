"""The transparency log, seen from outside: read it, verify it, believe none of it unproven.

``notes`` and ``checkpoints`` are what a log signs, ``tiles`` how its tree lies in files, ``proofs``
the one file that proves a leaf, ``sources`` where files come from, ``auditing`` the whole log from
end to end. All formats are C2SP's; ``docs/log.md`` says what our leaves are. Signatures need the
extra ``verify``.
"""

from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import (
    BrokenChain,
    ForkedLog,
    InvalidCheckpoint,
    InvalidNote,
    InvalidProof,
    LogError,
    LogUnavailable,
    TamperedTile,
    UntrustedNote,
)
from tribute.log.notes import VerifierKey
from tribute.log.proofs import LogProof, Proven

__all__ = [
    "BrokenChain",
    "Checkpoint",
    "ForkedLog",
    "InvalidCheckpoint",
    "InvalidNote",
    "InvalidProof",
    "LogError",
    "LogProof",
    "LogUnavailable",
    "Proven",
    "TamperedTile",
    "UntrustedNote",
    "VerifierKey",
]

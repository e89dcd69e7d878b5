"""What a transparency log's files must be; each docstring is the rule that was broken."""


class LogError(Exception):
    """A log's word is believed only when every signature and hash agrees."""


class InvalidNote(LogError):
    """A signed note and a verifier key are written as C2SP signed-note says."""


class UntrustedNote(LogError):
    """A note carries a signature that holds, made by the key one trusts."""


class InvalidCheckpoint(LogError):
    """A checkpoint names its log, a size and a root, as C2SP tlog-checkpoint says."""


class InvalidProof(LogError):
    """A proof is whole, and leads from the leaf to the root that was signed."""


class TamperedTile(LogError):
    """A tile holds just the hashes or entries that the signed root stands for."""


class ForkedLog(LogError):
    """A log only grows: each checkpoint begins with everything that was signed before."""


class BrokenChain(LogError):
    """Each statement about a subject names the one before it."""


class LogUnavailable(LogError):
    """A log's files can be read."""

"""What makes a snapshot unusable. Each docstring is the rule that was broken; there is no override."""


class SnapshotError(Exception):
    """A snapshot must be complete, authentic, current and understood."""


class NoSnapshot(SnapshotError):
    """A folder holds a snapshot only after a first synchronisation."""


class InvalidManifest(SnapshotError):
    """A manifest has the documented shape, in a version that is understood here."""


class WrongKey(SnapshotError):
    """A manifest is signed by the registry's key that the reader was given."""


class BadSignature(SnapshotError):
    """A manifest's signature holds."""


class BrokenChain(SnapshotError):
    """Each manifest names the hash of the one before; sequence numbers have no gap and no fork."""


class Rollback(SnapshotError):
    """A registry never offers an older snapshot than one already seen."""


class StaleSnapshot(SnapshotError):
    """A snapshot answers until it expires."""


class Truncated(SnapshotError):
    """A file has as many bytes as its manifest says."""


class Corrupt(SnapshotError):
    """A file has the content whose hash its manifest gives, well-formed and in order."""


class SwappedShard(SnapshotError):
    """A file stands under its own name, and holds keys of its own prefix only."""


class SourceUnavailable(SnapshotError):
    """Whoever offers the snapshot must be reachable and have the files that the manifest names."""

"""What a query waits with until it is weighed, in bytes.

Owns the form in which an output's features and an operator's scores are sealed. Whether a model
asks for them is decided where reports are received.
"""

import json
import struct
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

import orjson

from attribution.errors import InvalidEvidence
from tribute.features import Features, InvalidFeatures
from tribute.scores import InvalidScores, Origin, QueryScores

_MAGIC = b"TWA1"
_LENGTHS = struct.Struct(">4sIII")
_VECTOR_MAGIC = b"TWV1"
_VECTOR = struct.Struct(">4sI")
_HEADS = 64
"""Remembered: where scores come from is the same for nearly all queries of a call."""


@dataclass(frozen=True, slots=True)
class ReportedScores:
    """What the operator's own model says about the rows it was trained on, for one output."""

    origin: Origin
    of_rows: QueryScores

    def are_of(self, manifest_id: str, digest: bytes | memoryview | None) -> bool:
        """Whether the rows are those of a manifest, named by its id or its digest."""
        return self.origin.manifest in {manifest_id, bytes(digest).hex() if digest else ""}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The evidence of one query; nothing of it is ever printed."""

    features: Features | None = field(default=None, repr=False)
    scores: ReportedScores | None = field(default=None, repr=False)
    vector: tuple[float, ...] | None = field(default=None, repr=False)

    def to_bytes(self) -> bytes:
        """Return it for sealing: features alone as they are, nothing as nothing.

        A vector, in single precision, comes before the rest.
        """
        if self.vector is not None:
            numbers = struct.pack(f">{len(self.vector)}f", *self.vector)
            head = _VECTOR.pack(_VECTOR_MAGIC, len(self.vector))
            return head + numbers + replace(self, vector=None).to_bytes()
        features = b"" if self.features is None else self.features.to_bytes()
        if self.scores is None:
            return features
        rows, origin = self.scores.of_rows, self.scores.origin
        said = {"origin": origin.to_json(), "query": rows.query, "outside_mass": rows.outside_mass}
        # Byte for byte the same for ever: repeated reports are known by a digest of it.
        head = json.dumps(said, allow_nan=False, sort_keys=True).encode()
        return b"".join(
            (
                _LENGTHS.pack(_MAGIC, len(features), len(head), len(rows.rows)),
                features,
                head,
                struct.pack(f">{len(rows.rows)}q", *rows.rows),
                struct.pack(f">{len(rows.scores)}d", *rows.scores),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read it again. Raises InvalidEvidence for anything else."""
        try:
            if data.startswith(_VECTOR_MAGIC):
                _, count = _VECTOR.unpack_from(data)
                vector = struct.unpack_from(f">{count}f", data, _VECTOR.size)
                return replace(cls.from_bytes(data[_VECTOR.size + 4 * count :]), vector=vector)
            if not data.startswith(_MAGIC):
                return cls(Features.from_bytes(data) if data else None)
            return cls(*_sections(data))
        except (InvalidFeatures, InvalidScores, ValueError, KeyError, struct.error) as error:
            raise InvalidEvidence("the evidence cannot be read") from error


def _sections(data: bytes) -> tuple[Features | None, ReportedScores]:
    _, features, head, count = _LENGTHS.unpack_from(data)
    at = _LENGTHS.size + features
    origin, query, outside_mass = _head(data[at : at + head])
    rows = struct.unpack_from(f">{count}q", data, at + head)
    scores = struct.unpack_from(f">{count}d", data, at + head + 8 * count)
    reduced = Features.from_bytes(data[_LENGTHS.size : at]) if features else None
    of_rows = QueryScores(query, rows, scores, outside_mass)
    return reduced, ReportedScores(origin, of_rows)


@lru_cache(maxsize=_HEADS)
def _head(data: bytes) -> tuple[Origin, str, float]:
    said = orjson.loads(data)
    return Origin.from_json(said["origin"]), said["query"], said["outside_mass"]

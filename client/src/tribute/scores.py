"""Scores that an operator computed with its own model: one file format, and the way into it.

Owns ``tribute-scores/1``, in which operators report how much each row of a manifest made an output
likelier. Files of other tools are read by ``tribute.foreign_scores``; what scores are worth is the
registry's to weigh. Nothing here is ever unpickled, and no number is let through that is not finite.

A file is either JSON Lines, a header and then one line for each query::

    {"format": "tribute-scores/1", "manifest": "mft_...", "orientation": "higher",
     "tool": "trak", "settings": {...}, "measured_lds": 0.42}
    {"query": "q-1", "rows": [3, 17], "scores": [0.9, -0.2], "outside_mass": 0.05}

or an NPZ archive with the same header as JSON in ``header`` (bytes), and ``queries`` (n, text),
``rows`` (n, k, int64; 0 where a query has fewer), ``scores`` (n, k, float64), ``outside_mass`` (n).
Rows are numbers of manifest rows, from 1.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

FORMAT = "tribute-scores/1"
MAX_BYTES = 2**30
DEFAULT_TOP = 1_000

LARGEST = 1e300
"""The size of a score: a thousand of them still add up to a number."""

LONGEST_NAME, LONGEST_WORD, DEEPEST = 120, 200, 4
"""What settings may hold is kept with every payment: parameters, and no texts."""

_HEADER = {"format", "manifest", "orientation", "tool", "settings", "measured_lds"}
_QUERY = {"query", "rows", "scores", "outside_mass"}
_ARRAYS = {"header", "queries", "rows", "scores", "outside_mass"}


class InvalidScores(ValueError):
    """Scores must be complete, finite, of one known shape, and in a known format."""


class Orientation(StrEnum):
    """Which scores speak for an output."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where scores come from: all that is needed to judge them.

    manifest: the manifest's id, or its digest in hexadecimal. tool: name and version. settings:
    what the tool was run with; wrong settings can cost nearly all of a method's quality. They are
    numbers, yes or no, and printable words of at most LONGEST_WORD characters.
    measured_lds: the linear datamodelling score that the operator measured for exactly these
    settings, -1 to 1, or None when it did not.
    Raises InvalidScores for anything else.
    """

    manifest: str
    tool: str
    orientation: Orientation = Orientation.HIGHER
    settings: Mapping[str, Any] = field(default_factory=dict)
    measured_lds: float | None = None

    def __post_init__(self) -> None:
        if not self.manifest or not self.tool:
            raise InvalidScores("scores name their manifest and the tool that made them")
        if not self.tool.isprintable() or len(self.tool) > LONGEST_NAME:
            raise InvalidScores(f"a tool's name has at most {LONGEST_NAME} printable characters")
        if not _is_setting(dict(self.settings), DEEPEST):
            raise InvalidScores(
                f"settings are numbers and printable words of at most {LONGEST_WORD} characters"
            )
        if self.measured_lds is not None and not -1 <= self.measured_lds <= 1:
            raise InvalidScores("a measured LDS is -1 to 1")

    def to_json(self) -> dict[str, Any]:
        """Return the header of a file."""
        return {
            "format": FORMAT,
            "manifest": self.manifest,
            "orientation": self.orientation.value,
            "tool": self.tool,
            "settings": dict(self.settings),
            "measured_lds": self.measured_lds,
        }

    @classmethod
    def from_json(cls, data: object) -> "Origin":
        """Read the header of a file; raises InvalidScores."""
        if not isinstance(data, dict) or data.get("format") != FORMAT or set(data) != _HEADER:
            raise InvalidScores(f"a header of {FORMAT} has {', '.join(sorted(_HEADER))}")
        texts = [data[name] for name in ("manifest", "tool", "orientation")]
        lds = data["measured_lds"]
        if not all(isinstance(text, str) for text in texts) or texts[2] not in set(Orientation):
            raise InvalidScores("manifest and tool are texts, orientation is higher or lower")
        if not isinstance(data["settings"], dict) or not (lds is None or _is_number(lds)):
            raise InvalidScores("settings are an object, measured_lds is a number or null")
        return cls(texts[0], texts[1], Orientation(texts[2]), data["settings"], lds)


@dataclass(frozen=True, slots=True)
class QueryScores:
    """The scores of one query's rows.

    query: the operator's own id for it. rows: manifest rows, from 1, each once. scores: one for
    each row. outside_mass: the part, 0 to 1, of all scores that speak for the output that lies in
    rows left out. Raises InvalidScores when these do not hold together.
    """

    query: str
    rows: tuple[int, ...]
    scores: tuple[float, ...]
    outside_mass: float = 0.0

    def __post_init__(self) -> None:
        if not self.query or len(self.rows) != len(self.scores):
            raise InvalidScores(f"query {self.query!r}: every row has one score")
        if len(set(self.rows)) != len(self.rows) or min(self.rows, default=1) < 1:
            raise InvalidScores(f"query {self.query}: rows count from 1 and come once")
        if not all(map(isfinite, self.scores)) or not 0 <= self.outside_mass <= 1:
            raise InvalidScores(f"query {self.query}: scores are finite, outside_mass is 0 to 1")
        if max(map(abs, self.scores), default=0.0) > LARGEST:
            raise InvalidScores(f"query {self.query}: a score is beyond {LARGEST:g}")


@dataclass(frozen=True, slots=True)
class Scores:
    """A file: where its scores come from, and one entry for each query."""

    origin: Origin
    queries: tuple[QueryScores, ...]

    def __post_init__(self) -> None:
        if len({each.query for each in self.queries}) != len(self.queries):
            raise InvalidScores("a query comes once")


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """What another tool wrote.

    values: (n_rows, n_queries) floats, possibly mapped from a file. training_rows: (n_rows,) the
    number of each row in the training set, from 0. settings: what the tool recorded of itself.
    """

    values: NDArray[np.floating[Any]]
    training_rows: NDArray[np.int64]
    orientation: Orientation
    tool: str
    settings: Mapping[str, Any]


def convert(
    matrix: Matrix,
    queries: Sequence[str],
    *,
    manifest: str,
    manifest_rows: Sequence[int] | None = None,
    top: int = DEFAULT_TOP,
) -> Scores:
    """Keep each query's ``top`` rows by size of score, and say what was left out.

    queries: the operator's ids, one for each column. manifest_rows: for each row of the training
    set the manifest row it came from, by default its own number plus one; rows of the training
    set that came from one manifest row add up. The result is oriented so that higher scores speak
    for the output. Raises InvalidScores, also for a score that is not finite.
    """
    n_rows, n_queries = matrix.values.shape
    if len(queries) != n_queries:
        raise InvalidScores(f"{len(queries)} query ids for {n_queries} queries")
    if top < 1:
        raise InvalidScores("at least one row of each query is kept")
    numbers = _manifest_rows(matrix.training_rows, manifest_rows)
    unique, place = np.unique(numbers, return_inverse=True)
    sign = 1.0 if matrix.orientation is Orientation.HIGHER else -1.0
    found = []
    for at, query in enumerate(queries):
        column = np.asarray(matrix.values[:, at], np.float64)
        if not np.isfinite(column).all():
            raise InvalidScores(f"query {query}: a score is not finite")
        sums = np.zeros(len(unique))
        np.add.at(sums, place, sign * column)
        found.append(_keep(query, unique, sums, top))
    settings = {**matrix.settings, "training_rows": n_rows, "top": top}
    return Scores(Origin(manifest, matrix.tool, settings=settings), tuple(found))


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> Scores:
    """Read a file of either form. Raises InvalidScores, OSError.

    max_bytes: of the file, and of what an archive unpacks to.
    """
    if path.stat().st_size > max_bytes:
        raise InvalidScores(f"{path} is larger than {max_bytes} bytes")
    return _read_npz(path, max_bytes) if zipfile.is_zipfile(path) else _read_lines(path)


def write(scores: Scores, path: Path) -> None:
    """Write a file, by its name's ending as NPZ or as JSON Lines; raises InvalidScores, OSError."""
    if path.suffix == ".npz":
        _write_npz(scores, path)
    elif path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as stream:
            for line in _lines(scores):
                stream.write(json.dumps(line, allow_nan=False) + "\n")
    else:
        raise InvalidScores(f"{path}: a file of scores ends in .npz or .jsonl")


def _manifest_rows(
    training_rows: NDArray[np.int64], manifest_rows: Sequence[int] | None
) -> NDArray[np.int64]:
    if manifest_rows is None:
        return training_rows + 1
    known = np.asarray(manifest_rows, np.int64)
    if len(training_rows) and int(training_rows.max()) >= len(known):
        raise InvalidScores(f"{len(known)} manifest rows for more rows of the training set")
    return known[training_rows]


def _keep(query: str, rows: NDArray[np.int64], sums: NDArray[np.float64], top: int) -> QueryScores:
    """Keep the largest sums, whichever way they point; equal ones favour the earlier row."""
    kept = np.sort(np.argsort(-np.abs(sums), kind="stable")[:top])
    speaking = np.maximum(sums, 0.0)
    total = float(speaking.sum())
    outside = 1.0 - float(speaking[kept].sum()) / total if total and len(kept) < len(rows) else 0.0
    return QueryScores(
        query, tuple(rows[kept].tolist()), tuple(sums[kept].tolist()), min(1.0, max(0.0, outside))
    )


def _lines(scores: Scores) -> Iterator[dict[str, Any]]:
    yield scores.origin.to_json()
    for each in scores.queries:
        yield {
            "query": each.query,
            "rows": each.rows,
            "scores": each.scores,
            "outside_mass": each.outside_mass,
        }


def _read_lines(path: Path) -> Scores:
    with path.open(encoding="utf-8") as stream:
        try:
            values = [json.loads(line, parse_constant=_refuse) for line in stream if line.strip()]
        except (ValueError, RecursionError) as error:
            raise InvalidScores(f"{path} is not JSON Lines: {error}") from error
    if not values:
        raise InvalidScores(f"{path} is empty")
    return Scores(Origin.from_json(values[0]), tuple(_query(value) for value in values[1:]))


def _query(value: object) -> QueryScores:
    if not isinstance(value, dict) or set(value) != _QUERY or not isinstance(value["query"], str):
        raise InvalidScores(f"a query has {', '.join(sorted(_QUERY))}")
    rows, scores, outside = value["rows"], value["scores"], value["outside_mass"]
    if not isinstance(rows, list) or not isinstance(scores, list) or not _is_number(outside):
        raise InvalidScores("rows and scores are lists, outside_mass is a number")
    if not all(type(row) is int for row in rows) or not all(map(_is_number, scores)):
        raise InvalidScores("rows are whole numbers, scores are numbers")
    return QueryScores(value["query"], tuple(rows), tuple(map(float, scores)), float(outside))


def _is_setting(value: object, deepest: int) -> bool:
    """Tell whether it may be kept: nothing that could be a text, nothing PostgreSQL cannot hold."""
    match value:
        case None | bool() | int():
            return True
        case float():
            return isfinite(value)
        case str():
            return len(value) <= LONGEST_WORD and (value.isprintable() or not value)
        case list() | tuple():
            return deepest > 0 and all(_is_setting(each, deepest - 1) for each in value)
        case dict():
            return deepest > 0 and all(
                isinstance(name, str)
                and _is_setting(name, deepest)
                and _is_setting(each, deepest - 1)
                for name, each in value.items()
            )
    return False


def _is_number(value: object) -> bool:
    return type(value) in {int, float}


def _refuse(constant: str) -> NoReturn:
    raise InvalidScores(f"{constant} is no score")


def _write_npz(scores: Scores, path: Path) -> None:
    width = max((len(each.rows) for each in scores.queries), default=0)
    rows = np.zeros((len(scores.queries), width), np.int64)
    values = np.zeros((len(scores.queries), width), np.float64)
    for at, each in enumerate(scores.queries):
        rows[at, : len(each.rows)] = each.rows
        values[at, : len(each.rows)] = each.scores
    header = json.dumps(scores.origin.to_json(), allow_nan=False).encode()
    np.savez_compressed(
        path,
        header=np.frombuffer(header, np.uint8),
        queries=np.array([each.query for each in scores.queries], np.str_),
        rows=rows,
        scores=values,
        outside_mass=np.array([each.outside_mass for each in scores.queries], np.float64),
    )


def _read_npz(path: Path, max_bytes: int) -> Scores:
    with zipfile.ZipFile(path) as archive:
        # A small archive can unpack to any size.
        if sum(member.file_size for member in archive.infolist()) > max_bytes:
            raise InvalidScores(f"{path} unpacks to more than {max_bytes} bytes")
    try:
        with np.load(path, allow_pickle=False) as archive:
            if set(archive.files) != _ARRAYS:
                raise InvalidScores(f"an archive has {', '.join(sorted(_ARRAYS))}")
            found = {name: archive[name] for name in _ARRAYS}
        header = json.loads(found["header"].tobytes(), parse_constant=_refuse)
    except (ValueError, OSError, zipfile.BadZipFile, RecursionError) as error:
        raise InvalidScores(f"{path} cannot be read: {error}") from error
    rows, scores = found["rows"], found["scores"]
    queries, outside = found["queries"], found["outside_mass"]
    kinds = [each.dtype.kind for each in (rows, scores, queries, outside)]
    if kinds != ["i", "f", "U", "f"] or rows.ndim != 2 or queries.ndim != 1:  # noqa: PLR2004 - a table
        raise InvalidScores(f"{path}: an array has another type or shape than the format says")
    if not rows.shape == scores.shape or not len(rows) == len(queries) == outside.size:
        raise InvalidScores(f"{path}: the arrays differ in length")
    return Scores(
        Origin.from_json(header),
        tuple(
            QueryScores(
                str(query), tuple(numbers[numbers != 0].tolist()),
                tuple(values[numbers != 0].tolist()), float(mass),
            )
            for query, numbers, values, mass in zip(
                queries, rows, scores, outside.ravel(), strict=True
            )
        ),
    )  # fmt: skip

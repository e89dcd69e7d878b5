"""Checks as Arrow streams: the columns of questions and of answers, on the wire.

An alternative to JSON for large batches, with the same content and the same receipt. Owns the schemas,
writes questions and reads answers; registries read questions more warily than this. Needs pyarrow,
one part of the extra ``snapshot``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from tribute.vocabulary import Purpose

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
FIELDS = ("id", "url", "sha256", "iscc")
"""The columns of a question; each may be left out, and have gaps."""

DECISION = pa.struct(
    [
        ("decision", pa.string()),
        ("rule", pa.string()),
        ("statements", pa.list_(pa.string())),
        ("considered", pa.list_(pa.string())),
        ("matched_by", pa.string()),
        ("explanation", pa.string()),
    ]
)
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
ERROR = pa.struct([("code", pa.string()), ("detail", pa.string())])


class InvalidAnswer(ValueError):
    """An answer is an Arrow stream with the documented columns, and no gaps but where they may be."""


def question(items: Sequence[Mapping[str, str]]) -> bytes:
    """Return items as a stream; raises ValueError for a field that no item has."""
    if unknown := {name for item in items for name in item} - {*FIELDS}:
        raise ValueError(f"there is no field {min(unknown)!r} in an item")
    columns = {name: pa.array([item.get(name) for item in items], pa.string()) for name in FIELDS}
    given = {name: column for name, column in columns.items() if column.null_count < len(items)}
    return stream(pa.RecordBatch.from_arrays(list(given.values()), list(given)))


def answer_schema(purposes: Iterable[Purpose], about: Mapping[str, str]) -> pa.Schema:
    """Return the columns of an answer: ``id``, one for each purpose, and ``error``.

    about: what is said of the whole check, in the schema's metadata.
    """
    fields = [pa.field("id", pa.string(), nullable=False)]
    fields += [pa.field(purpose.value, DECISION, nullable=False) for purpose in purposes]
    metadata = {name.encode(): value.encode() for name, value in about.items()}
    return pa.schema([*fields, pa.field("error", ERROR)], metadata)


def stream(batch: pa.RecordBatch) -> bytes:
    """Return one batch as a complete stream."""
    if not any(_has_dictionary(field.type) for field in batch.schema):
        # What the writer below writes, in memory of the right size from the start.
        return b"".join([batch.schema.serialize(), batch.serialize(), _END])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _has_dictionary(kind: pa.DataType) -> bool:
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return pa.types.is_dictionary(kind) or any(map(_has_dictionary, inner))


def read_answer(data: bytes, purposes: Sequence[Purpose]) -> dict[str, Any]:
    """Return an answer as its JSON would read: ``check`` and ``answers``. Raises InvalidAnswer."""
    try:
        with pa.ipc.open_stream(data) as reader:
            table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise InvalidAnswer(str(error)) from error
    about = table.schema.metadata or {}
    wanted = answer_schema(purposes, {})
    if not table.schema.equals(wanted) or b"check" not in about:
        raise InvalidAnswer(f"an answer has the columns {', '.join(wanted.names)}")
    columns = {name: table.column(name).to_pylist() for name in wanted.names}
    decisions = [columns[purpose.value] for purpose in purposes]
    answers = [
        {"id": name, "decisions": dict(zip(map(str, purposes), said, strict=True))}
        | ({} if error is None else {"error": error})
        for name, error, *said in zip(columns["id"], columns["error"], *decisions, strict=True)
    ]
    return {"check": about[b"check"].decode(), "answers": answers}

"""How the answers of a check are kept: by the column, each different answer once. Pure.

Owns the bytes of ``Check.answers``: an Arrow IPC stream, compressed, of the items as they were sent and
of their answers, as a dictionary. Checks kept before that are zlib of one canonical JSON object a line,
and are read as well. What is hashed for receipts is those lines; both give them back byte for byte.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from registry.asked import FIELDS, Asked
from registry.texts import Chosen, joined, json_texts

_ANSWER = "answer"
_ZLIB = 0x78


@dataclass(frozen=True)
class Answered:
    """Items with their answers.

    answers: texts, each different answer in canonical JSON, without braces and without an id.
    which: (rows,) int32, the answer of each item.
    """

    asked: Asked
    answers: pa.Array
    which: np.ndarray[Any, np.dtype[np.int32]]

    @cached_property
    def printed(self) -> pa.Array:
        """The answers as JSON objects, one for each item, each with a comma after it."""
        return joined(["{", self._chosen, ',"id":', self._names, "},"])

    @cached_property
    def lines(self) -> pa.Array:
        """The canonical JSON of ``{"answer": …, "item": …}`` for each item."""
        parts = ['{"answer":{', self._chosen, ',"id":', self._names, '},"item":', self.asked.json]
        return joined([*parts, "}"])

    @property
    def _chosen(self) -> Chosen:
        return Chosen(self.answers, self.which)

    @cached_property
    def _names(self) -> pa.Array:
        return json_texts(self.asked.public_ids)


def pack(answered: Answered) -> bytes:
    """Return the bytes to keep."""
    answers = answered.answers.cast(pa.binary())
    said = pa.DictionaryArray.from_arrays(pa.array(answered.which), answers)
    columns = {**answered.asked.columns, _ANSWER: said}
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def unpack(kept: bytes) -> Answered:
    """Read the bytes back, in either form."""
    if kept[0] == _ZLIB:
        return _of_lines(zlib.decompress(kept).splitlines())
    batch = pa.ipc.open_stream(kept).read_next_batch()
    said = batch.column(_ANSWER)
    columns = {name: batch.column(name) for name in FIELDS if name in batch.schema.names}
    answers = said.dictionary.cast(pa.string())
    return Answered(Asked(len(batch), columns), answers, said.indices.to_numpy())


def texts(bodies: Iterable[bytes]) -> pa.Array:
    """Return answers as ``Answered`` holds them."""
    return pa.array(bodies, pa.binary()).cast(pa.string())


def body_of(answer: dict[str, Any]) -> bytes:
    """Return an answer as it is kept: canonical JSON without its braces and its id.

    orjson sorts names by their bytes, which for the ASCII names in an answer is RFC 8785's order.
    """
    unnamed = {name: value for name, value in answer.items() if name != "id"}
    return orjson.dumps(unnamed, option=orjson.OPT_SORT_KEYS)[1:-1]


def _of_lines(lines: Sequence[bytes]) -> Answered:
    rows = [orjson.loads(line) for line in lines]
    numbers: dict[bytes, int] = {}
    which = [numbers.setdefault(body_of(row["answer"]), len(numbers)) for row in rows]
    values = {name: [row["item"].get(name) for row in rows] for name in FIELDS}
    asked = Asked.of_values(values, len(rows))
    return Answered(asked, texts(numbers), np.array(which, np.int32))

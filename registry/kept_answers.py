"""How the answers of a check are kept: by the column, each different answer once. Pure.

Owns the bytes of ``Check.answers``: an Arrow IPC stream, compressed, of the items as they were sent and
of their answers, as a dictionary of forms with names. Checks kept before have a dictionary of texts, or
are zlib of one canonical JSON object a line, and are read as well. What is hashed for receipts is
those lines; all give them back byte for byte.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from registry.asked import FIELDS, Asked
from registry.filled_answers import Answers
from registry.texts import Chosen, Part, joined, root_of_joined

_ANSWER = "answer"
_ZLIB = 0x78


@dataclass(frozen=True)
class Answered:
    """Items with their answers.

    answers: each different answer once. which: (rows,) int32, the answer of each item.
    """

    asked: Asked
    answers: Answers
    which: np.ndarray[Any, np.dtype[np.int32]]

    @cached_property
    def printed(self) -> pa.Array:
        """The answers as JSON objects, one for each item, each with a comma after it."""
        return joined(["{", self._chosen, ',"id":', self.asked.printed_ids, "},"])

    @property
    def lines(self) -> pa.Array:
        """The canonical JSON of ``{"answer": …, "item": …}`` for each item."""
        return joined(self._line)

    def root(self, salt: bytes) -> bytes:
        """Return the root over the salted lines, as receipts state it."""
        return root_of_joined(salt, self._line)

    @property
    def _line(self) -> Sequence[Part]:
        answer = ['{"answer":{', self._chosen, ',"id":', self.asked.printed_ids, '},"item":']
        return [*answer, *self.asked.json_parts, "}"]

    @property
    def _chosen(self) -> Chosen:
        return Chosen(self.answers.texts, self.which)


def pack(answered: Answered) -> bytes:
    """Return the bytes to keep."""
    said = pa.DictionaryArray.from_arrays(pa.array(answered.which), answered.answers.kept())
    columns = {**answered.asked.columns, _ANSWER: said}
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def unpack(kept: bytes) -> Answered:
    """Read the bytes back, in whichever form."""
    if kept[0] == _ZLIB:
        return _of_lines(zlib.decompress(kept).splitlines())
    batch = pa.ipc.open_stream(kept).read_next_batch()
    said = batch.column(_ANSWER)
    columns = {name: batch.column(name) for name in FIELDS if name in batch.schema.names}
    different = said.dictionary
    if pa.types.is_struct(different.type):
        answers = Answers.of_kept(different)
    else:
        answers = Answers.of(different.to_pylist())
    return Answered(Asked(len(batch), columns), answers, said.indices.to_numpy())


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
    return Answered(asked, Answers.of(numbers), np.array(which, np.int32))

"""Checks as Arrow streams: read questions as warily as any body.

A stream says how large it becomes before it is that large: what is compressed, nested, dictionary-
encoded or longer than a check is refused by its headers, so that reading takes little more memory
than the body itself. The columns are ``tribute.arrow_checks``'s.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from registry.api.parsing import BodyTooLarge
from registry.api.serializers import LONGEST_ITEM_ID
from registry.asked import Asked
from registry.checks import MOST_ITEMS
from registry.errors import TooManyItems
from tribute.arrow_checks import FIELDS, MEDIA_TYPE

MOST_MESSAGES = 1_000
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
# Slots of the flatbuffers tables Message and RecordBatch (Arrow's format/Message.fbs).
_HEADER, _LENGTH, _COMPRESSION = 2, 0, 3


class ArrowItems(BaseParser):
    """Parse ``application/vnd.apache.arrow.stream`` into the items of a check."""

    media_type = MEDIA_TYPE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the items. Raises ParseError, BodyTooLarge, TooManyItems."""
        del media_type, parser_context
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes; nothing was kept.")
        try:
            return items_in(body)
        except (pa.ArrowException, OSError, struct.error, OverflowError, ValueError) as error:
            raise ParseError(f"The body is not a sound Arrow stream: {error}") from error


def items_in(body: bytes) -> Asked:
    """Return the items in a stream.

    Raises ParseError for other columns and types than are documented, TooManyItems, and what
    pyarrow and struct raise for what is not an Arrow stream.
    """
    if not body.endswith(_END):
        raise ParseError("The stream breaks off: it has no end-of-stream marker.")
    messages = _messages(body)
    first = next(messages, None)
    if first is None or first.type != "schema":
        raise ParseError("An Arrow stream begins with its schema.")
    schema = pa.ipc.read_schema(first)
    _require_columns(schema)
    batches, rows = [], 0
    for message in messages:
        rows += _announced_rows(message)
        if rows > MOST_ITEMS:
            raise TooManyItems(f"a check is about 1 to {MOST_ITEMS} items, not {rows} or more")
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
        batches.append(batch)
    table = pa.Table.from_batches(batches, schema)
    return Asked(len(table), {name: _texts(table, name) for name in table.schema.names})


def _messages(body: bytes) -> Iterator[pa.ipc.Message]:
    source = pa.BufferReader(body)
    reader = pa.ipc.MessageReader.open_stream(source)
    for _ in range(MOST_MESSAGES):
        try:
            yield reader.read_next_message()
        except StopIteration:
            if source.tell() != len(body):
                raise ParseError("Something follows the end of the stream.") from None
            return
    raise ParseError(f"The stream has more than {MOST_MESSAGES} messages.")


def _require_columns(schema: pa.Schema) -> None:
    for field in schema:
        if schema.names.count(field.name) > 1 or field.name not in FIELDS:
            raise ParseError(f"The columns are {', '.join(FIELDS)}, not {field.name[:40]!a}.")
        text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        binary = (
            pa.types.is_binary(field.type)
            or pa.types.is_large_binary(field.type)
            or pa.types.is_fixed_size_binary(field.type)
        )
        if not text and not (binary and field.name == "sha256"):
            kinds = "texts, or sha256 as bytes; neither nested nor dictionary-encoded"
            raise ParseError(f"Columns are {kinds}: {field.name} is {str(field.type)[:80]}.")


def _announced_rows(message: pa.ipc.Message) -> int:
    """Read how many rows a batch says it has, before anything is made of it."""
    if message.type != "record batch":
        raise ParseError(f"After the schema come record batches, not a {message.type}.")
    data = memoryview(message.metadata)
    root = _number("<I", data, 0)
    header = _follow(data, root, _HEADER)
    if header is None:
        raise ParseError("A record batch has no header.")
    batch = header + _number("<I", data, header)
    if _follow(data, batch, _COMPRESSION) is not None:
        raise ParseError("Record batches are uncompressed; compress the body's transport instead.")
    length = _follow(data, batch, _LENGTH)
    rows = 0 if length is None else _number("<q", data, length)
    if rows < 0:
        raise ParseError("A record batch has fewer than no rows.")
    return rows


def _follow(data: memoryview, table: int, slot: int) -> int | None:
    """Return where a field of a flatbuffers table stands, None when it is left out."""
    vtable = table - _number("<i", data, table)
    place = 4 + 2 * slot
    if place + 2 > _number("<H", data, vtable):
        return None
    offset = _number("<H", data, vtable + place)
    return table + offset if offset else None


def _number(kind: str, data: memoryview, at: int) -> int:
    if at < 0:
        raise struct.error("an offset points before the message")
    return int(struct.unpack_from(kind, data, at)[0])


def _texts(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return pa.array([each and each.hex() for each in column.to_pylist()], pa.string())
    if name == "id" and (pc.max(pc.utf8_length(column)).as_py() or 0) > LONGEST_ITEM_ID:
        raise ParseError(f"An id has at most {LONGEST_ITEM_ID} characters.")
    return column.cast(pa.string())

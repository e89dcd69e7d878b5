"""Checks as JSON: read the items of a plain body by the column, without an object for each.

Plain are bodies whose items all have the same fields, in texts without escapes. Any other is read as
JSON is everywhere else, and both give the same questions and the same refusals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import orjson
import pyarrow.compute as pc

from registry.api.parsing import ManyItemsJSON
from registry.api.serializers import LONGEST_ITEM_ID
from registry.asked import FIELDS, Asked
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.telling import texts_of

LONGEST_REST = 1_000
_NAME = b'"items"'


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """A plain body. rest: what stands around the list of items, with an empty list in its place."""

    items: Asked
    rest: bytes


class JSONItems(ManyItemsJSON):
    """Parse ``application/json``, plain questions by the column."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return a PlainQuestion, or the parsed value. Raises ParseError or BodyTooLarge."""
        del media_type, parser_context
        body = self.read(stream)
        return plain_question(body) or self.value(body)


def plain_question(body: bytes) -> PlainQuestion | None:
    """Return the question in a body; None when it is not plain.

    The kernel vouches for the items alone: that they are those of the body is certain when what stands
    around them is JSON, too, without escapes and without other ``"items"``.
    """
    found = KERNEL.items(body) if KERNEL else None
    if found is None:
        return None
    start, stop, columns = found
    rest = body[:start] + b"[]" + body[stop:]
    if len(rest) > LONGEST_REST or b"\\" in rest or rest.count(_NAME) != 1 or not _is_json(rest):
        return None
    given = zip(FIELDS, columns, strict=True)
    texts = {name: texts_of(*column) for name, column in given if column is not None}
    if "id" in texts and pc.max(pc.utf8_length(texts["id"])).as_py() > LONGEST_ITEM_ID:
        return None
    return PlainQuestion(Asked(len(next(iter(texts.values()))), texts), rest)


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True

"""Read an uploaded manifest: one JSON object a line, streamed, told by line what is wrong."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from registry.manifests import ManifestItem

LONGEST_LINE_BYTES = 16 * 1024
FIELDS = frozenset({"url", "sha256", "iscc", "ingested_at"})


class UnreadableLine(ValueError):
    """Every line of a manifest is a JSON object with the documented fields."""


def items(lines: Iterable[bytes]) -> Iterator[ManifestItem]:
    """Yield an item for each line that is not empty. Raises UnreadableLine, naming the line."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _item(line, number)


def _item(line: bytes, number: int) -> ManifestItem:
    if len(line) > LONGEST_LINE_BYTES:
        raise UnreadableLine(f"line {number} is longer than {LONGEST_LINE_BYTES} bytes")
    try:
        fields: Any = json.loads(line)
    except ValueError as error:
        raise UnreadableLine(f"line {number} is not JSON") from error
    if not isinstance(fields, dict) or not set(fields) <= FIELDS:
        raise UnreadableLine(f"line {number} has other fields than {', '.join(sorted(FIELDS))}")
    if not all(isinstance(value, str) for value in fields.values()):
        raise UnreadableLine(f"line {number}: every value is a text")
    try:
        at = datetime.fromisoformat(fields.pop("ingested_at", ""))
    except ValueError as error:
        raise UnreadableLine(f"line {number}: ingested_at is not an ISO 8601 instant") from error
    return ManifestItem(ingested_at=at, **fields)

"""Read CBOR (RFC 8949), as strictly as a signature needs it: one way to say a thing, nothing left over.

Knows whole numbers, texts, bytes, lists, maps, tags and the simple values; a map that names a key
twice, an open-ended item and a deep nest are refused. Pure.
"""

from dataclasses import dataclass
from typing import Any

DEEPEST = 16
_SIMPLE = {20: False, 21: True, 22: None}
_ONE, _EIGHT = 24, 27
_FLOATS = frozenset({25, 26, 27})


class InvalidCbor(ValueError):
    """Bytes are one whole item of the CBOR that is read here."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item and what it is marked as."""

    tag: int
    item: Any


def decode(data: bytes) -> Any:
    """Return the one item that ``data`` is. Raises InvalidCbor."""
    reader = _Reader(data)
    item = reader.item(DEEPEST)
    if reader.at != len(data):
        raise InvalidCbor("something follows the item")
    return item


class _Reader:
    """Where reading stands."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def item(self, levels: int) -> Any:
        if levels == 0:
            raise InvalidCbor(f"items lie more than {DEEPEST} deep")
        kind, low = divmod(self._take(1)[0], 32)
        if kind == 7:  # noqa: PLR2004 - major type 7, simple values and floats
            return self._simple(low)
        return self._sized(kind, self._argument(low), levels - 1)

    def _sized(self, kind: int, size: int, levels: int) -> Any:
        found: Any = size
        if kind == 1:
            found = -1 - size
        elif kind == 2:  # noqa: PLR2004 - major types 2 to 6: bytes, text, list, map, tag
            found = self._take(size)
        elif kind == 3:  # noqa: PLR2004
            found = self._text(size)
        elif kind == 4:  # noqa: PLR2004
            found = [self.item(levels) for _ in range(self._fitting(size))]
        elif kind == 5:  # noqa: PLR2004
            found = self._map(self._fitting(size), levels)
        elif kind == 6:  # noqa: PLR2004
            found = Tagged(size, self.item(levels))
        return found

    def _simple(self, low: int) -> Any:
        if low in _FLOATS:
            return self._take(2 << (low - 25))
        if low not in _SIMPLE:
            raise InvalidCbor(f"there is no simple value {low} here")
        return _SIMPLE[low]

    def _argument(self, low: int) -> int:
        if low < _ONE:
            return low
        if low > _EIGHT:
            raise InvalidCbor("an item has no stated length")
        return int.from_bytes(self._take(1 << (low - _ONE)), "big")

    def _map(self, size: int, levels: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(size):
            key = self.item(levels)
            if not isinstance(key, int | str | bytes) or key in found:
                raise InvalidCbor("a map names a key twice, or by what is no name")
            found[key] = self.item(levels)
        return found

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError as error:
            raise InvalidCbor("a text is not UTF-8") from error

    def _fitting(self, size: int) -> int:
        """Refuse a list longer than what is left, before anything is made for it."""
        if size > len(self.data) - self.at:
            raise InvalidCbor("the bytes end before the item does")
        return size

    def _take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) != size:
            raise InvalidCbor("the bytes end before the item does")
        self.at += size
        return taken

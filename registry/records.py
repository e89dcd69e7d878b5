"""Cut a stream of bytes into records: lines, and rows of CSV (RFC 4180). Pure.

Each record comes with the offset at which it ends, so that reading goes on there after a break. A
record that is too long is named as such and skipped; memory stays bounded whatever is sent.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_RECORD = 64 * 1024


class Record(NamedTuple):
    """One record without its line end.

    end: offset just after it. whole: False when it was too long, or its quotation never closed;
    ``content`` is then only its beginning.
    """

    content: bytes
    end: int
    whole: bool = True


def lines(
    blocks: Iterable[bytes], *, start: int = 0, longest: int = LONGEST_RECORD
) -> Iterator[Record]:
    """Yield the lines of a stream whose first byte is at ``start``; they end in LF or CRLF."""
    at, rest, dropped = start, b"", 0
    beginning = b""
    for block in blocks:
        *ended, rest = (rest + block).split(b"\n")
        for line in ended:
            at += dropped + len(line) + 1
            yield _line(beginning or line, at, whole=not dropped and len(line) <= longest)
            beginning, dropped = b"", 0
        if len(rest) > longest:
            beginning = beginning or rest[:longest]
            dropped, rest = dropped + len(rest), b""
    if rest or dropped:
        at += dropped + len(rest)
        yield _line(beginning or rest, at, whole=not dropped and len(rest) <= longest)


def csv_records(
    blocks: Iterable[bytes], *, delimiter: bytes, start: int = 0, longest: int = LONGEST_RECORD
) -> Iterator[Record]:
    """Yield the records of a CSV file; a line end within quotation marks belongs to its field.

    When a quotation is not closed within ``longest`` bytes, its first line alone is given up, and
    reading goes on with the next: one stray mark does not swallow the file.
    """
    coming = _Lines(lines(blocks, start=start, longest=longest))
    while (first := coming.next()) is not None:
        taken, size, inside = [first], len(first.content), False
        inside = first.whole and ends_inside_quotes(first.content, delimiter, inside=False)
        while inside and size <= longest and (line := coming.next()) is not None:
            taken.append(line)
            size += len(line.content) + 1
            if not line.whole:
                break
            inside = ends_inside_quotes(line.content, delimiter, inside=True)
        if inside or not taken[-1].whole:
            coming.put_back(taken[1:])
            yield Record(first.content, first.end, whole=False)
        else:
            yield Record(b"\n".join(line.content for line in taken), taken[-1].end)


def ends_inside_quotes(line: bytes, delimiter: bytes, *, inside: bool) -> bool:
    """Whether the end of a line lies within a quoted field.

    A quotation mark opens a field only at its beginning; elsewhere it stands for itself.
    """
    at = 0
    if not inside and line.startswith(b'"'):
        inside, at = True, 1
    while True:
        if inside:
            mark = line.find(b'"', at)
            if mark < 0:
                return True
            at = mark + 1
            if line[at : at + 1] == b'"':
                at += 1
                continue
            inside = False
        comma = line.find(delimiter, at)
        if comma < 0:
            return False
        at = comma + 1
        if line[at : at + 1] == b'"':
            inside, at = True, at + 1


def _line(content: bytes, end: int, *, whole: bool) -> Record:
    return Record(content.removesuffix(b"\r") if whole else content, end, whole)


class _Lines:
    """Lines that can be put back."""

    def __init__(self, source: Iterator[Record]) -> None:
        self._source = source
        self._waiting: deque[Record] = deque()

    def next(self) -> Record | None:
        """Return the next line, or None at the end."""
        return self._waiting.popleft() if self._waiting else next(self._source, None)

    def put_back(self, lines: list[Record]) -> None:
        """Have ``lines`` come again, in their order, before the others."""
        self._waiting.extendleft(reversed(lines))

"""What the demo says while it works: headings, sentences, progress, tables."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
WIDTH = 78


def heading(number: int, title: str) -> None:
    """Open an act."""
    _write(f"\n{number}. {title}\n" + "─" * WIDTH)


def say(sentence: str) -> None:
    """Say one thing."""
    _write(f"   {sentence}")


def progress(items: Sequence[Item], what: str) -> Iterable[Item]:
    """Yield the items, saying how far we are; one line on a terminal, one sentence elsewhere."""
    total = len(items)
    for done, item in enumerate(items, 1):
        yield item
        if sys.stdout.isatty():
            filled = 24 * done // max(1, total)
            bar = "█" * filled + "░" * (24 - filled)
            sys.stdout.write(f"\r   {bar} {done:,} of {total:,} {what} ")
            sys.stdout.flush()
    if sys.stdout.isatty() and total:
        sys.stdout.write("\r\x1b[K")
    say(f"{total:,} {what}")


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Print rows in columns; ``right`` names the columns of figures."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(cells).rstrip())


def elapsed_since(start: float) -> str:
    """Say how long something took; ``start`` is a reading of ``time.monotonic``."""
    return f"{time.monotonic() - start:.1f} s"


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

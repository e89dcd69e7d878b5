"""How a part of the ``tribute`` command explains itself, and reads the arguments that many have."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from tribute.transport import Registry
from tribute.vocabulary import Purpose

OpenRegistry = Callable[[argparse.Namespace], Registry]
AddRegistry = Callable[[argparse.ArgumentParser], None]

LONGEST_WAIT = 10_000_000.0
"""Seconds; a third of a year, and less than what a system call takes."""


def add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    *,
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a command whose help is ``text``, a sentence without its capital and its full stop."""
    return commands.add_parser(
        name,
        help=text,
        description=f"{text[:1].upper()}{text[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def seconds(text: str) -> float:
    """Read how long to wait: a number above 0. Raises ArgumentTypeError."""
    return _number(text, least=0.001)


def seconds_or_none(text: str) -> float:
    """Read how long to wait where 0 is not at all. Raises ArgumentTypeError."""
    return _number(text, least=0.0)


def folder(text: str) -> Path:
    """Read the name of a folder; an empty one is not the present folder. Raises ArgumentTypeError."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a folder is not empty")
    return Path(text)


def purpose(text: str) -> Purpose:
    """Read a purpose. Raises ArgumentTypeError."""
    try:
        return Purpose(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no purpose; there are {', '.join(Purpose)}"
        ) from None


def _number(text: str, *, least: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds to wait")
    return number

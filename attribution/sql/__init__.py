"""Attribution's bulk statements, one a file; each file states its contract."""

from functools import cache
from importlib import resources
from typing import LiteralString, cast


@cache
def statement(name: str) -> LiteralString:
    """Return the text of ``<name>.sql``; a name from our own code, never a caller's."""
    text = resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return cast("LiteralString", text)

"""Attribution's bulk statements, one a file; each file states its contract."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Return the text of ``<name>.sql``; a name from our own code, never a caller's."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")

"""The ledger's bulk statements, one a file; each file states its contract."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """The text of ``<name>.sql`` beside this file; a name from our own code, never a caller's."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def names(prefix: str) -> list[str]:
    """The names of the statements that begin with ``prefix``, in alphabetical order."""
    files = (file.name for file in resources.files(__name__).iterdir())
    return sorted(
        name.removesuffix(".sql")
        for name in files
        if name.startswith(prefix) and name.endswith(".sql")
    )

"""Files that appear whole or not at all: written beside their place, then put there.

Putting a file in the place of a device, a pipe or ``/dev/stdout`` (a link) would destroy it for
everybody, and a superuser may: such a place is written into, or refused.
"""

from pathlib import Path


def require_replaceable(path: Path) -> None:
    """Raise ValueError for what a file put in its place would destroy."""
    if not _is_replaceable(path):
        raise ValueError(f"{path} is not a file; name one that is, or is not there yet")


def write(path: Path, content: bytes) -> None:
    """Write a file; one that is there already is not spoilt when the disk is full half way."""
    if not _is_replaceable(path):
        path.write_bytes(content)
        return
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _is_replaceable(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or not path.exists())

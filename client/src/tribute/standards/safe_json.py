"""Parse JSON from strangers; know none of its vocabularies.

Two readers of an object that repeats a name may come to different values (RFC 8259, section 4), so
here it has none: ``AMBIGUOUS`` stands for it, and is of no type that anybody takes for a statement.
"""

import json
from typing import Any, Final, NoReturn

LIMIT = 1024 * 1024


class UnsafeJson(Exception):
    """A document is JSON in UTF-8, of bounded size and depth."""


class _Ambiguous:
    """The value of a name that an object gives several values."""

    def __repr__(self) -> str:
        return "several values"


AMBIGUOUS: Final = _Ambiguous()


def parse(data: bytes, *, limit: int = LIMIT) -> Any:
    """Return the value of a document. limit: in octets. Raises UnsafeJson."""
    if len(data) > limit:
        raise UnsafeJson(f"longer than {limit:,} octets")
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise UnsafeJson(str(error)) from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        same = name not in members or repr(members[name]) == repr(value)  # 0 is not false
        members[name] = value if same else AMBIGUOUS
    return members


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")

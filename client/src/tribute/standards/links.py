"""Parse ``Link`` header fields; know nothing of what their relations mean.

Source: RFC 8288, section 3 and appendix B, whose way of reading whatever comes is followed: of two
equal parameters the first counts, and what cannot be read ends one link, not the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BETWEEN = re.compile(r"[ \t,]*")
_PARAMETER = re.compile(
    r'[ \t]*;[ \t]*([^ \t=;,"]*)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;," \t]*)))?', re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class HeaderLink:
    """One link: its target as written, its relations and type in lower case."""

    target: str
    relations: tuple[str, ...]
    media_type: str


def parse(field: str) -> Iterator[HeaderLink]:
    """Yield the links of one field line."""
    at = 0
    while at < len(field):
        gap = _BETWEEN.match(field, at)
        at = gap.end() if gap else at
        if field.startswith("<", at):
            end = field.find(">", at)
            if end < 0:
                return
            target = field[at + 1 : end].strip()
            parameters, at = _parameters(field, end + 1)
            yield HeaderLink(
                target,
                tuple(parameters.get("rel", "").lower().split()),
                parameters.get("type", "").partition(";")[0].strip().lower(),
            )
        comma = field.find(",", at)
        at = comma + 1 if comma >= 0 else len(field)


def _parameters(field: str, at: int) -> tuple[dict[str, str], int]:
    parameters: dict[str, str] = {}
    while found := _PARAMETER.match(field, at):
        name, quoted, plain = found.groups()
        value = plain if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        parameters.setdefault(name.lower(), value or "")
        at = found.end()
    return parameters, at

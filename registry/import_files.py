"""Read works to register from CSV or JSON Lines; say of each row what is wrong with it.

Owns the columns. Nothing here asks the database: whether a work is there already, and who its
co-owners are, is for ``registry.import_registering``. A row with a fault spoils no other row.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson

from registry import addresses, records
from registry.errors import UnreadableFile
from registry.models import WHOLE_PPM
from registry.records import Record
from tribute.identifiers import InvalidIdentifier, Key, key_of
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

PURPOSES = tuple(purpose.value for purpose in Purpose)
COLUMNS = ("title", "medium", "url", "sha256", "iscc", "shares", "reference", *PURPOSES)
JSON_FIELDS = frozenset({"title", "medium", "url", "sha256", "iscc", "shares", "reference"})
LONGEST_TITLE = 300
LONGEST_REFERENCE = 200
MOST_URLS = 100
MOST_OWNERS = 100
DELIMITERS = (b",", b";", b"\t")
UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_TERMS = re.compile(r"trm_[0-9a-z]{26}")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
Body = dict[str, Any]


class Fault(ValueError):
    """A cell says what its column asks for."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Layout:
    """How a CSV file is written: its delimiter, the columns in order, where the rows begin."""

    delimiter: str
    names: tuple[str, ...]
    begins: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read: the work described, or what is wrong.

    read_to: the byte at which reading goes on.
    """

    read_to: int
    body: Body | None
    field: str = ""
    reason: str = ""


def layout(blocks: Iterable[bytes]) -> Layout:
    """Read the first line of a CSV file. Raises UnreadableFile when it is not one."""
    first = next(records.lines(blocks), None)
    if first is None or not first.whole:
        raise UnreadableFile("the first line is missing, or too long to hold column names")
    _require_utf8(first.content)
    line = first.content.removeprefix(UTF8_MARK)
    delimiter = max(DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line.decode()], delimiter=delimiter.decode(), strict=True), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFile(f"the first line does not name columns: {error}") from error
    names = tuple(cell.strip().lower() for cell in cells)
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise UnreadableFile(f"there is no column {unknown[0][:40]!r}; there are {COLUMNS}")
    if len(set(names)) != len(names) or not {"title", "medium"} <= set(names):
        raise UnreadableFile("the first line names title and medium, and no column twice")
    return Layout(delimiter.decode(), names, first.end)


def csv_rows(blocks: Iterable[bytes], form: Layout, *, start: int) -> Iterator[Row]:
    """Yield the rows of a CSV file from byte ``start`` on; lines of empty cells do not count."""
    delimiter = form.delimiter.encode()
    for record in records.csv_records(blocks, delimiter=delimiter, start=start):
        if record.whole and not record.content.strip(b' \t"' + delimiter):
            continue
        try:
            yield Row(record.end, _described(_cells(record, form)))
        except Fault as fault:
            yield Row(record.end, None, fault.field, fault.reason[:300])


def json_rows(blocks: Iterable[bytes], *, start: int) -> Iterator[Row]:
    """Yield the rows of JSON Lines from byte ``start`` on; empty lines do not count."""
    coming = iter(blocks)
    if start == 0 and (first := next(coming, None)) is not None:
        _require_utf8(first)
        mark = len(UTF8_MARK) if first.startswith(UTF8_MARK) else 0
        start, coming = mark, chain([first[mark:]], coming)
    for record in records.lines(coming, start=start):
        if record.whole and not record.content.strip():
            continue
        try:
            yield Row(record.end, _described(_object(record)))
        except Fault as fault:
            yield Row(record.end, None, fault.field, fault.reason[:300])


def _require_utf8(beginning: bytes) -> None:
    if beginning.startswith(_UTF16_MARKS):
        raise UnreadableFile("the file is UTF-16; save it as UTF-8")


def _text_of(record: Record) -> str:
    if not record.whole:
        raise Fault(
            "row", f"longer than {records.LONGEST_RECORD:,} bytes, or a quotation is not closed"
        )
    try:
        return record.content.decode()
    except UnicodeDecodeError as error:
        raise Fault("row", "not UTF-8; save the file in that encoding") from error


def _cells(record: Record, form: Layout) -> dict[str, Any]:
    text = _text_of(record)
    try:
        (cells,) = csv.reader([text], delimiter=form.delimiter, strict=True)
    except (csv.Error, ValueError) as error:
        raise Fault("row", f"not CSV: {error}") from error
    if len(cells) != len(form.names):
        raise Fault("row", f"{len(cells)} cells under {len(form.names)} columns")
    given = {name: cell.strip() for name, cell in zip(form.names, cells, strict=True)}
    for name, cell in given.items():
        if cell.startswith("="):
            raise Fault(name, "a formula, not a value; a sheet would run it")
    said = {name: given.pop(name) for name in PURPOSES if given.get(name)}
    return {
        **{name: cell for name, cell in given.items() if cell and name not in PURPOSES},
        "url": given.get("url", "").split(),
        "shares": _pairs(given.get("shares", "")),
        "decisions": said,
    }


def _pairs(cell: str) -> dict[str, Any]:
    """Read ``ada:700000 ben:300000``."""
    shares: dict[str, Any] = {}
    for pair in re.split(r"[\s,;]+", cell):
        handle, _, ppm = pair.partition(":")
        if not pair:
            continue
        if handle in shares or not (ppm.isascii() and ppm.isdecimal() and len(ppm) < 8):  # noqa: PLR2004 - digits of a whole
            raise Fault("shares", "handle:ppm pairs, such as ada:700000 ben:300000, each once")
        shares[handle] = int(ppm)
    return shares


def _object(record: Record) -> dict[str, Any]:
    _text_of(record)
    try:
        row = orjson.loads(record.content)
    except orjson.JSONDecodeError as error:
        raise Fault("row", "not JSON") from error
    if not isinstance(row, dict):
        raise Fault("row", "not an object")
    if unknown := sorted(set(row) - JSON_FIELDS - {"decisions"}):
        raise Fault(unknown[0][:40], "there is no such field")
    url = row.get("url") or []
    given = {name: value for name, value in row.items() if value is not None}
    return {
        **given,
        "url": [url] if isinstance(url, str) else url,
        "shares": row.get("shares") or {},
        "decisions": row.get("decisions") or {},
    }


def _described(given: Mapping[str, Any]) -> Body:
    """Return the work that a row describes, in canonical form. Raises Fault."""
    return {
        "title": _text(given, "title", longest=LONGEST_TITLE, needed=True),
        "medium": _medium(given),
        "keys": _keys(given),
        "shares": _shares(given["shares"]),
        "decisions": _decisions(given["decisions"]),
        "reference": _text(given, "reference", longest=LONGEST_REFERENCE),
    }


def _text(given: Mapping[str, Any], name: str, *, longest: int, needed: bool = False) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or _NOT_TEXT.search(value):
        raise Fault(name, "a text without control characters")
    value = value.strip()
    if len(value) > longest:
        raise Fault(name, f"{len(value)} characters, more than {longest}")
    if needed and not value:
        raise Fault(name, "missing")
    return value


def _medium(given: Mapping[str, Any]) -> str:
    medium = _text(given, "medium", longest=20, needed=True).lower()
    if medium not in set(Medium):
        raise Fault("medium", f"one of {', '.join(m.value for m in Medium)}")
    return medium


def _keys(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return kind and canonical form of each identifier."""
    urls = given["url"]
    if not isinstance(urls, list) or len(urls) > MOST_URLS:
        raise Fault("url", f"at most {MOST_URLS} addresses")
    named = [("url", url) for url in urls]
    named += [(kind, given[kind]) for kind in ("sha256", "iscc") if given.get(kind)]
    found: dict[tuple[str, str], None] = {}
    for kind, value in named:
        try:
            if not isinstance(value, str):
                raise InvalidIdentifier("not a text")  # noqa: TRY301 - said as any other fault
            key = _key(kind, value)
        except InvalidIdentifier as error:
            raise Fault(kind, str(error)) from error
        found[kind, key.canonical] = None
    if not found:
        raise Fault("url", "no address, no SHA-256 and no ISCC: nothing to recognise the work by")
    return list(found)


def _key(kind: str, value: str) -> Key:
    return addresses.key_of(value) if kind == "url" else key_of(IdentifierKind(kind), value)


def _shares(given: object) -> dict[str, int]:
    if not isinstance(given, dict) or len(given) > MOST_OWNERS:
        raise Fault("shares", f"ppm by handle, for at most {MOST_OWNERS}")
    if not all(type(ppm) is int and 0 < ppm <= WHOLE_PPM for ppm in given.values()):
        raise Fault("shares", f"each is a whole number of 1 to {WHOLE_PPM} ppm")
    if given and sum(given.values()) != WHOLE_PPM:
        raise Fault("shares", f"they sum to {sum(given.values())} ppm, not {WHOLE_PPM}")
    return given


def _decisions(given: object) -> dict[str, list[Any]]:
    """Return for each purpose decision, whether to be paid, and terms: ``license trm_… paid``."""
    if not isinstance(given, dict):
        raise Fault("decisions", "an object of decisions by purpose")
    said = {}
    for purpose, words in given.items():
        if purpose not in PURPOSES:
            raise Fault("decisions", f"a purpose is one of {', '.join(PURPOSES)}")
        said[purpose] = _decision(purpose, words.lower().split() if type(words) is str else [])
    return said


def _decision(purpose: str, words: Sequence[str]) -> list[Any]:
    decision, rest = (words[0], set(words[1:])) if words else ("", set[str]())
    terms = sorted(word for word in rest if _TERMS.fullmatch(word))
    paid = "paid" in rest
    fits = {
        Decision.ALLOW.value: not terms,
        Decision.DENY.value: not rest,
        Decision.LICENSE.value: len(terms) == 1,
    }.get(decision, False)
    if not fits or rest - {"paid", *terms} or len(words) != 1 + len(rest):
        raise Fault(purpose, "allow, allow paid, deny, license trm_…, or license trm_… paid")
    return [decision, paid, terms[0] if terms else None]

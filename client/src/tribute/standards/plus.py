"""Read the Data Mining property of PLUS in XMP, which IPTC's photo metadata standard takes up.

Source: PLUS LDF, property ``plus:DataMining`` with values of http://ns.useplus.org/ldf/vocab/; IPTC
Photo Metadata Standard 2023.1, "Data Mining". Nobody signs XMP and copies of a file travel with it, so
it can refuse here and not permit: ``DMI-ALLOWED`` says nothing. Values that point to a constraint or a
rights expression prohibit until that is read by somebody.
"""

from collections.abc import Iterable, Iterator

from tribute.standards.crosswalk import words_of
from tribute.standards.safe_xml import Element
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, limited
from tribute.vocabulary import Decision

VERSION = "iptc-2023.1"
_NAMESPACE = "ns.useplus.org/ldf/xmp/"
_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_WORDS = words_of(Standard.PLUS)
_PROHIBITED = "DMI-PROHIBITED"
_SAYING_NOTHING = {"DMI-ALLOWED", "DMI-UNSPECIFIED"}
_MARKS = tuple(
    _PROHIBITED.encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be")
)  # fmt: skip


def from_packets(data: bytes, packets: Iterable[tuple[str, Element]], *, source: str) -> Parsed:
    """Read a file's XMP, each packet with its place.

    data: the whole file. When a prohibition is written in it where none is read, it may refuse.
    """
    statements: list[Statement] = []
    problems: list[Problem] = []
    for place, root in packets:
        for value in _values(root):
            _read(value, place, statements, problems)
    if not statements and any(mark in data for mark in _MARKS):
        message = "the file mentions a prohibition of data mining where it is not read"
        problems.append(Problem(source, "plus_unreadable", message))
    return Parsed(tuple(dict.fromkeys(statements)), limited(problems, source))


def _read(value: str, place: str, statements: list[Statement], problems: list[Problem]) -> None:
    token = value.strip().rpartition("/")[2].upper()
    if token in _SAYING_NOTHING or not token:
        return
    if not token.startswith(_PROHIBITED):
        problems.append(Problem(place, "plus_unknown_value", f"{cut(value)!r} is not known"))
        return
    word = _WORDS.get(token, _WORDS[_PROHIBITED])
    statements += [
        Statement(
            purpose, Decision.DENY, place, Standard.PLUS, VERSION, cut(f"plus:DataMining: {value}")
        )
        for purpose in word.restricts
    ]


def _values(root: Element) -> Iterator[str]:
    """Find the property as an element, its value as text, in a list or a resource, or as an attribute."""
    for element in root.descendants():
        if _is_ours(element.tag):
            yield element.attributes.get(_RESOURCE, "")
            yield from (part.text for part in element.descendants())
        yield from (text for name, text in element.attributes.items() if _is_ours(name))


def _is_ours(name: str) -> bool:
    namespace, _, local = name.removeprefix("{").rpartition("}")
    return local == "DataMining" and _NAMESPACE in namespace

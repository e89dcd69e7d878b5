"""Parse small XML from strangers into plain elements; know none of its vocabularies.

Refused: document type declarations (and with them entities and external subsets), more than 40 levels
or than the given octets and elements. Namespaces are resolved: a tag reads "{uri}local".
"""

from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 40
_MOST_ELEMENTS = 20_000
_LIMIT = 1024 * 1024


class UnsafeXml(Exception):
    """A document is well formed, small, shallow, and declares no document type."""


@dataclass(slots=True)
class Element:
    """One element: its tag and attributes with namespaces, its text, its children, its line."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The tag without its namespace."""
        return self.tag.rpartition("}")[2]

    @property
    def namespace(self) -> str:
        """The namespace of the tag; "" without one."""
        return self.tag.partition("}")[0].removeprefix("{") if "}" in self.tag else ""

    def named(self, name: str) -> list["Element"]:
        """Return the children of this name in this element's own namespace."""
        return [c for c in self.children if c.name == name and c.namespace == self.namespace]

    def descendants(self) -> list["Element"]:
        """Return this element and everything below it, in document order."""
        found, waiting = [], [self]
        while waiting:
            element = waiting.pop()
            found.append(element)
            waiting.extend(reversed(element.children))
        return found


def parse(data: bytes, *, limit: int = _LIMIT, most_elements: int = _MOST_ELEMENTS) -> Element:
    """Return the root element. Raises UnsafeXml for anything that is refused.

    limit: most octets to read; most_elements: most elements to make.
    """
    if len(data) > limit:
        raise UnsafeXml(f"{len(data)} octets are more than {limit}")
    builder = _Builder(most_elements)
    try:
        builder.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnsafeXml(f"not well formed: {error}") from error
    if builder.root is None:
        raise UnsafeXml("no element")
    return builder.root


class _Builder:
    """Handlers that grow the tree and stop it from growing too far."""

    def __init__(self, most_elements: int) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self._most = most_elements

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > self._most:
            raise UnsafeXml("too many elements, or too deep")
        attributes = {_qualified(name): value for name, value in attributes.items()}
        element = Element(_qualified(tag), attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def _end(self, _tag: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)

    def _doctype(self, *_declaration: object) -> None:
        raise UnsafeXml("a document type declaration")


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name

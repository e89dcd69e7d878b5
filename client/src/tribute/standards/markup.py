"""Find the machine-readable parts of an HTML page's head; know nothing of what they mean.

Built on the standard library's tolerant parser. The whole text is read up to 4 MiB, since a meta
element in the body is still somebody's word; what lies in comments, scripts and styles is not.
"""

from dataclasses import dataclass
from html.parser import HTMLParser

_LIMIT = 4 * 1024 * 1024
_MOST = 1000
_RSL = "application/rsl+xml"


@dataclass(frozen=True, slots=True)
class Meta:
    """One meta element: its name in lower case, its content, the line it starts on."""

    name: str
    content: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """One link element: its relations and type in lower case, its address, its line."""

    relations: tuple[str, ...]
    media_type: str
    href: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says to machines; documents: the text and line of each inline RSL document.

    complete: whether all of it was read.
    """

    metas: tuple[Meta, ...]
    links: tuple[Link, ...]
    documents: tuple[tuple[str, int], ...]
    complete: bool

    def named(self, name: str) -> tuple[Meta, ...]:
        """Return the meta elements of this name, given in lower case."""
        return tuple(meta for meta in self.metas if meta.name == name)


def parse(data: bytes) -> Page:
    """Read a page's octets, as UTF-8 where they are and as Latin-1 else: what matters is ASCII."""
    head = data[:_LIMIT]
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = head.decode("utf-16", "replace")
    reader = _Reader()
    complete = len(data) <= _LIMIT
    try:
        reader.feed(text)
        reader.close()
    except (AssertionError, ValueError):
        # html.parser asserts on some malformed declarations instead of skipping them.
        complete = False
    complete = complete and max(len(reader.metas), len(reader.links)) < _MOST
    return Page(
        tuple(reader.metas[:_MOST]),
        tuple(reader.links[:_MOST]),
        tuple(reader.documents[:_MOST]),
        complete,
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.metas: list[Meta] = []
        self.links: list[Link] = []
        self.documents: list[tuple[str, int]] = []
        self._document: list[str] | None = None
        self._document_line = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The first of two equal attributes counts (HTML, section 13.2.5.33).
        attributes = {name: value or "" for name, value in reversed(attrs)}
        line = self.getpos()[0]
        if tag == "meta" and "name" in attributes:
            name = attributes["name"].strip().lower()
            self.metas.append(Meta(name, attributes.get("content", "").strip(), line))
        elif tag == "link" and "href" in attributes:
            relations = tuple(attributes.get("rel", "").lower().split())
            media_type = _media_type(attributes)
            self.links.append(Link(relations, media_type, attributes["href"].strip(), line))
        elif tag == "script" and _media_type(attributes) == _RSL:
            self._document, self._document_line = [], line

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "script":
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._document is not None:
            self._document.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._document is not None:
            self.documents.append(("".join(self._document), self._document_line))
            self._document = None


def _media_type(attributes: dict[str, str]) -> str:
    return attributes.get("type", "").partition(";")[0].strip().lower()

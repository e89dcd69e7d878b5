"""Find RSL inside other documents: feeds, EPUB packages, XMP; ``rsl_usage`` says what it means.

Source: Really Simple Licensing 1.0, sections 4.7 (RSS) and 4.8 (embedded in files). An item's licence
speaks of the address it names, or else of the item's own. Atom and RSS 1.0, of which the standard does
not speak, are read alike. What stands in a feed outside of its items, or in another namespace than
RSL's own, may refuse and not permit, and so may a licence inside a file that names another address
than the file's: copies travel, and anybody may have written it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tribute.standards import rsl, rsl_usage, safe_xml
from tribute.standards.rsl import NAMESPACE, Content, Rsl
from tribute.standards.safe_xml import Element, UnsafeXml
from tribute.standards.statement import Parsed, Problem, joined, limited

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})
_ATOM = "{http://www.w3.org/2005/Atom}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_ROOTS = {"rss", f"{_ATOM}feed", f"{_RDF}RDF"}
_ITEMS = {"item", f"{_ATOM}entry", "{http://purl.org/rss/1.0/}item", "{http://my.netscape.com/rdf/simple/0.9/}item"}  # fmt: skip
# However a namespace is misspelt, this is whose it is.
_ANYHOW = "rslstandard.org/rsl"
_DECLARATION = re.compile(
    rb"xmlns[:\w.-]*\s*=\s*[\"']\s*https?://rslstandard\.org/rsl", re.IGNORECASE
)
_LIMIT = 8 * 1024 * 1024
_MOST_ELEMENTS = 200_000
_MOST_WRAPPERS = 100
_WRAPPER, _WRAPPER_END = b"<rsl:rsl", b"</rsl:rsl>"


@dataclass(frozen=True, slots=True)
class Feed:
    """The licences of a feed.

    items: those of its items, each for an address. around: everything else, which may only refuse.
    """

    items: Rsl
    around: Rsl

    def statements_for(self, url: str) -> Parsed:
        """Return what the feed says about the uses of one address."""
        found = rsl_usage.statements_for(self.items, url)
        return found + rsl_usage.statements_for(self.around, url)

    def refusals(self) -> Parsed:
        """Return what any part refuses or licenses: for who wants the feed itself, with all in it."""
        parts = [
            _scoped(_of_itself(content, document.source, strict=False, at="/"), content.url)
            for document in (self.items, self.around)
            for content in document.contents
        ]
        problems = Parsed(problems=self.items.problems + self.around.problems)
        return joined(parts) + problems


def parse_feed(data: bytes, *, source: str = "feed") -> Feed | None:
    """Read RSS or Atom; None for what is neither.

    A feed that cannot be read is a problem when RSL is mentioned in it.
    """
    try:
        root = safe_xml.parse(data, limit=_LIMIT, most_elements=_MOST_ELEMENTS)
    except UnsafeXml as error:
        if not mentions_rsl(data) or not _begins_a_feed(data):
            return None
        problem = Problem(source, "rsl_unreadable", f"the feed cannot be read: {error}")
        return Feed(Rsl(problems=(problem,), source=source), Rsl(source=source, strict=False))
    if root.tag not in _ROOTS:
        return None
    items: list[Content] = []
    around: list[Content] = []
    problems: list[Problem] = []
    for licensed, address in _licensed(root, None):
        content = rsl.content(licensed, source, problems)
        content = content if content.url or address is None else replace(content, url=address)
        own = content.url and address is not None and licensed.namespace == NAMESPACE
        (items if own else around).append(content)
    return Feed(
        Rsl(tuple(items), limited(problems, source), source),
        Rsl(tuple(around), (), source, strict=False),
    )


def from_roots(roots: Iterable[tuple[str, Element]], *, at: str) -> Parsed:
    """Read the licences inside XMP packets or EPUB packages, each with its place.

    at: the address the file was found at; a licence permits only where it names that address.
    """
    return joined(_embedded(root, place, at) for place, root in roots)


def from_media(
    data: bytes, packets: Iterable[tuple[str, Element]], *, source: str, at: str
) -> Parsed:
    """Read the licences inside a picture, a recording or a film.

    packets: its XMP. A licence may stand in a comment or a text chunk, too, in RSL's wrapper. When RSL
    is mentioned in none that can be read, it may refuse.
    """
    if not _declares_rsl(data):
        return Parsed()
    found = [(place, root) for place, root in packets if any(_licensed(root, None))]
    if not found:
        found = list(_wrapped(data, source))
    if not found:
        message = "the file mentions RSL where it is not read"
        return Parsed(problems=(Problem(source, "rsl_unreadable", message),))
    return from_roots(found, at=at)


def mentions_rsl(data: bytes) -> bool:
    """Tell whether RSL's namespace is written anywhere in a document."""
    return _ANYHOW.encode() in data or _in_utf_16(data)


def _embedded(root: Element, place: str, at: str) -> Parsed:
    found = []
    problems: list[Problem] = []
    for licensed, _ in _licensed(root, None):
        content = rsl.content(licensed, place, problems)
        itself = content.url and content.covers(at) and licensed.namespace == NAMESPACE
        found.append(_scoped(_of_itself(content, place, strict=bool(itself), at=at), content.url))
    return joined(found) + Parsed(problems=limited(problems, place))


def _of_itself(content: Content, source: str, *, strict: bool, at: str) -> Parsed:
    """Return what a licence says about whatever carries it, whichever address it names."""
    document = Rsl((replace(content, url=""),), (), source, strict)
    return rsl_usage.statements_for(document, at)


def _scoped(found: Parsed, scope: str) -> Parsed:
    return Parsed(tuple(replace(s, scope=scope) for s in found.statements), found.problems)


def _licensed(element: Element, address: str | None) -> Iterator[tuple[Element, str | None]]:
    """Find RSL's content elements, and licences without one, each with its item's address.

    The address is "" for an item that has none, and None outside of items.
    """
    if element.tag in _ITEMS:
        address = _address(element)
    if _ANYHOW in element.namespace.lower():
        if element.name == "content":
            yield element, address
            return
        if element.name == "license":
            tag = element.tag.replace("license", "content")
            yield Element(tag, {}, element.line, children=[element]), address
            return
    for child in element.children:
        yield from _licensed(child, address)


def _address(item: Element) -> str:
    """Return where an item lies: RSS's link or permanent guid, Atom's alternate link."""
    for child in item.children:
        if child.tag == f"{_ATOM}link" and child.attributes.get("rel", "alternate") == "alternate":
            return child.attributes.get("href", "").strip()
        if child.name == "link" and child.text.strip():
            return child.text.strip()
    guids = [c for c in item.children if c.tag == "guid"]
    permanent = (g.text for g in guids if g.attributes.get("isPermaLink", "true") == "true")
    return next(permanent, item.attributes.get(f"{_RDF}about", "")).strip()


def _wrapped(data: bytes, source: str) -> Iterator[tuple[str, Element]]:
    start = data.find(_WRAPPER)
    for number in range(1, _MOST_WRAPPERS):
        stop = data.find(_WRAPPER_END, start) if start >= 0 else -1
        if stop < 0:
            return
        try:
            yield f"{source}:rsl[{number}]", safe_xml.parse(data[start : stop + len(_WRAPPER_END)])
        except UnsafeXml:
            return
        start = data.find(_WRAPPER, stop)


def _declares_rsl(data: bytes) -> bool:
    return _DECLARATION.search(data) is not None or _in_utf_16(data)


def _in_utf_16(data: bytes) -> bool:
    return any(_ANYHOW.encode(encoding) in data for encoding in ("utf-16-le", "utf-16-be"))


def _begins_a_feed(data: bytes) -> bool:
    head = data[:4096].replace(b"\0", b"")
    return any(mark in head for mark in (b"<rss", b"<feed", b":feed", b":RDF", b"<RDF"))

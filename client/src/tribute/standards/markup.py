"""Find the machine-readable parts of an HTML page; know nothing of what they mean.

A scanner of its own, since the standard library's parser takes time in the square of what is left
open: 300 kB of ``<!--`` keep it busy for a minute. This one follows HTML's tokenizer (section 13.2.5)
where it matters, and looks at no character twice. The whole text is read up to 4 MiB: a meta element
in the body is still somebody's word; what lies in comments, scripts and styles is not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5

_LIMIT = 4 * 1024 * 1024
_MOST = 1000
_RSL = "application/rsl+xml"
_COMMENT_END = re.compile(r"--!?>")
# HTML's white space is these five; others, as between Chinese words, part nothing.
_TAG_NAME = re.compile(r"[A-Za-z][^ \t\n\f\r/>]*")
_BETWEEN = re.compile(r"[ \t\n\f\r/]*")
_ATTRIBUTE = re.compile(r"=?[^ \t\n\f\r/>=]*")
_EQUALS = re.compile(r"[ \t\n\f\r]*=[ \t\n\f\r]*")
_UNQUOTED = re.compile(r"[^ \t\n\f\r>]*")
_REFERENCE = re.compile(
    r"&(?:#(?:[xX]0*([0-9A-Fa-f]+)|0*([0-9]+));?|([A-Za-z][A-Za-z0-9]*)(;?)(=?))"
)
_LONGEST_NUMBER = 8  # digits; seven are enough for every character there is
# Elements whose content is text, up to their own end tag.
_TEXT_ENDS = {
    name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}


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
    """Read a page's octets, as UTF-8 where they are and as Latin-1 else: what matters is ASCII.

    Zeros between the letters, as in UTF-16 without its mark, are passed over, and such a page is not
    complete.
    """
    head = data[:_LIMIT]
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = head.decode("utf-16", "replace")
    garbled = "\0" in text
    metas: list[Meta] = []
    links: list[Link] = []
    documents: list[tuple[str, int]] = []
    for tag in _tags(text.replace("\0", "")):
        _keep(tag, metas, links, documents)
        if max(len(metas), len(links), len(documents)) > _MOST:
            return Page(tuple(metas), tuple(links), tuple(documents), complete=False)
    complete = len(data) <= _LIMIT and not garbled
    return Page(tuple(metas), tuple(links), tuple(documents), complete)


@dataclass(frozen=True, slots=True)
class _Tag:
    """A start tag: name and attributes in lower case, line; text: content of a text element."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""


def _keep(
    tag: _Tag, metas: list[Meta], links: list[Link], documents: list[tuple[str, int]]
) -> None:
    attributes = tag.attributes
    media_type = attributes.get("type", "").partition(";")[0].strip().lower()
    if tag.name == "meta" and "name" in attributes:
        name = attributes["name"].strip().lower()
        metas.append(Meta(name, attributes.get("content", "").strip(), tag.line))
    elif tag.name == "link" and "href" in attributes:
        relations = tuple(attributes.get("rel", "").lower().split())
        links.append(Link(relations, media_type, attributes["href"].strip(), tag.line))
    elif tag.name == "script" and media_type == _RSL:
        documents.append((tag.text, tag.line))


def _tags(text: str) -> Iterator[_Tag]:
    """Find the start tags outside comments and text elements.

    What is left open at the end (a comment, a tag, a quotation) swallows the rest, as in browsers.
    """
    counted, line = 0, 1
    at = text.find("<")
    while at >= 0:
        name = _TAG_NAME.match(text, at + 1)
        if name is None:
            end = _end_of_other(text, at)
        else:
            attributes, end = _attributes(text, name.end())
            if end >= 0:
                line += text.count("\n", counted, at)
                counted = at
                tag = name[0].lower()
                content_end = _end_of_text(text, tag, end)
                content = text[end:content_end] if content_end >= 0 else ""
                yield _Tag(tag, attributes, line, content)
                end = content_end
        at = text.find("<", end) if end >= 0 else -1


def _end_of_other(text: str, at: int) -> int:
    """Return where a comment, declaration, end tag or stray "<" ends; -1 for never."""
    if text.startswith("<!--", at):
        found = _COMMENT_END.search(text, at + 2)
        return found.end() if found else -1
    if text.startswith(("<!", "<?", "</"), at):
        end = text.find(">", at + 2)
        return end + 1 if end >= 0 else -1
    return at + 1


def _end_of_text(text: str, tag: str, start: int) -> int:
    """Return where a text element's content ends; for others, where they started."""
    if tag not in _TEXT_ENDS:
        return start
    found = _TEXT_ENDS[tag].search(text, start)
    return found.start() if found else -1


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Read attributes up to the end of a tag; the first of two equal ones counts.

    Returns them and where the tag ends, -1 for never.
    """
    attributes: dict[str, str] = {}
    while True:
        at = _match(_BETWEEN, text, at)
        if at >= len(text):
            return attributes, -1
        if text[at] == ">":
            return attributes, at + 1
        end = _match(_ATTRIBUTE, text, at)
        name, at, value = text[at:end].lower(), end, ""
        equals = _EQUALS.match(text, at)
        if equals is not None:
            at = equals.end()
            quote = text[at : at + 1]
            if quote and quote in "\"'":
                end = text.find(quote, at + 1)
                if end < 0:
                    return attributes, -1
                value, at = text[at + 1 : end], end + 1
            else:
                end = _match(_UNQUOTED, text, at)
                value, at = text[at:end], end
        attributes.setdefault(name, _unescaped(value))


def _unescaped(value: str) -> str:
    """Resolve the character references of an attribute (section 13.2.5.73).

    A name without its semicolon is none where a letter, a digit or "=" follows, as in ``?a=1&copy=2``.
    A number too long for any character stands for U+FFFD; the standard library raises on thousands
    of digits.
    """
    return _REFERENCE.sub(_resolved, value)


def _resolved(found: re.Match[str]) -> str:
    hexadecimal, decimal, name, semicolon, equals = found.groups()
    if hexadecimal:
        return unescape(f"&#x{hexadecimal[:_LONGEST_NUMBER]};")
    if decimal:
        return unescape(f"&#{decimal[:_LONGEST_NUMBER]};")
    if equals and not semicolon:
        return found[0]
    known = html5.get(name + semicolon)
    return found[0] if known is None else known + equals


def _match(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a pattern that may match nothing stops matching."""
    found = pattern.match(text, at)
    return found.end() if found else at

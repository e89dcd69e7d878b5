"""What the head of a web page says to us. Pure: bytes in, texts out; it reads nothing itself.

Only the head counts, as a browser would understand it (HTML, section 13.2.6.4.4): what readers
may write lies in the body, and nothing there shows who controls the page.
"""

from html.parser import HTMLParser

NAME = "tribute-challenge"
_IN_HEAD = frozenset(
    {"html", "head", "title", "meta", "link", "base", "style", "script", "noscript", "template"}
)
# Whatever stands between such a tag and its end is not the page's own head.
_OPAQUE = frozenset({"title", "style", "script", "noscript", "template"})


def challenges(page: bytes) -> list[str]:
    """Return the contents of ``<meta name="tribute-challenge">`` in a page's head, in order.

    page: the beginning of an HTML document; bytes that are not UTF-8 are replaced.
    """
    head = _Head()
    head.feed(page.decode("utf-8", "replace"))
    return head.found


class _Head(HTMLParser):
    """Reads tags until the body begins."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._ended = False
        self._within: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep our tag's content; anything that has no place in a head ends it."""
        if self._ended or self._within is not None:
            return
        if tag not in _IN_HEAD:
            self._ended = True
        elif tag in _OPAQUE:
            self._within = tag
        elif tag == "meta":
            # Of an attribute said twice, the first counts.
            said = {name: value or "" for name, value in reversed(attrs)}
            if said.get("name", "").strip().lower() == NAME:
                self.found.append(said.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave what is opaque; end with the head."""
        if tag == self._within:
            self._within = None
        elif self._within is None and tag in {"head", "body", "html", "br"}:
            self._ended = True

    def handle_data(self, data: str) -> None:
        """End with the first text, which only a body has."""
        if self._within is None and data.strip("\ufeff \t\n\r\f"):
            self._ended = True

"""Read a page as a careful visitor does: its headings, labels, ids, and what it would execute."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_UNLABELLED = {"hidden", "submit", "button"}


@dataclass
class Page(HTMLParser):
    """What a page holds, gathered in one pass."""

    headings: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    label_targets: set[str] = field(default_factory=set)
    controls: list[dict[str, str]] = field(default_factory=list)
    wrapped: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, object]] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    lang: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._within: list[str] = []
        self._labels = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._within.append(tag)
        self._note_danger(tag, given)
        if "id" in given:
            self.ids.append(given["id"])
        self.described += given.get("aria-describedby", "").split()
        match tag:
            case "html":
                self.lang = given.get("lang", "")
            case "h1" | "h2" | "h3":
                self.headings.append(tag)
            case "label":
                self._labels += 1
                self.label_targets.add(given.get("for", ""))
            case "input" | "select" | "textarea":
                self._note_control(given)
            case "form":
                self.forms.append({"method": given.get("method", "get"), "token": False})
            case "a":
                self.links.append(given.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._labels -= 1
        if tag in self._within:
            while self._within.pop() != tag:
                continue

    def handle_data(self, data: str) -> None:
        if self._within and self._within[-1] == "title" and "svg" not in self._within:
            self.title += data

    def _note_danger(self, tag: str, given: dict[str, str]) -> None:
        """Note what a strict content security policy would refuse."""
        data_block = given.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in given and not data_block):
            self.inline.append(f"<{tag}>")
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += [v for v in given.values() if v.startswith("javascript:")]

    def _note_control(self, given: dict[str, str]) -> None:
        if given.get("name") == "csrfmiddlewaretoken" and self.forms:
            self.forms[-1]["token"] = True
        if given.get("type") not in _UNLABELLED:
            (self.wrapped if self._labels else self.controls).append(given)

    @property
    def unlabelled(self) -> list[dict[str, str]]:
        """The controls that no label names."""
        return [
            c
            for c in self.controls
            if c.get("id") not in self.label_targets and not c.get("aria-label")
        ]


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page

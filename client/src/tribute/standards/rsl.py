"""Read RSL documents into contents and licences; ``rsl_usage`` says what they mean.

Source: Really Simple Licensing 1.0, sections 3.3 (content), 3.4 (licences), 3.5 (permits and
prohibits) and 3.6 (payment). Its grammar could not be had in full, so what is unknown becomes a
problem, and a licence that holds something unknown is never taken to be free of conditions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tribute.identifiers import InvalidIdentifier, canonical_host
from tribute.standards import safe_xml
from tribute.standards.patterns import matches, path_of
from tribute.standards.safe_xml import Element, UnsafeXml
from tribute.standards.statement import Problem, cut, limited

NAMESPACE = "https://rslstandard.org/rsl"
VERSION = "rsl-1.0"
DRAFT = "rsl-draft-2025"
OTHER = "other"  # everything that only "all" covers
USES_OF = {
    "all": ("ai-train", "ai-input", "ai-index", "search", OTHER),
    "ai-all": ("ai-train", "ai-input", "ai-index"),
    "ai-train": ("ai-train",),
    "ai-input": ("ai-input",),
    "ai-index": ("ai-index",),
    "search": ("search",),
}
# Words of the drafts until September 2025, as the uses they became.
_DRAFT_WORDS = {
    "train-ai": "ai-train",
    "train-genai": "ai-train",
    "ai-use": "ai-input",
    "ai-summarize": "ai-input",
}
USES = USES_OF["all"]


@dataclass(frozen=True, slots=True)
class License:
    """One offer. permits and prohibits: the use words as written (drafts' words translated).

    payments: the types; free: it asks for nothing and nobody is left out of it.
    terms_uri: where its conditions are, if they are anywhere.
    """

    permits: tuple[str, ...]
    prohibits: tuple[str, ...]
    payments: tuple[str, ...]
    free: bool
    terms_uri: str | None
    line: int
    drafted: bool = False
    amounts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The licences for one pattern of addresses; "" covers whatever the document came with."""

    url: str
    licenses: tuple[License, ...]
    line: int

    def covers(self, url: str) -> bool:
        """Tell whether the address falls under this pattern (section 3.3)."""
        if not self.url:
            return True
        path = path_of(url)
        pattern = path_of(self.url)
        if path is None or pattern is None:
            return False
        return _same_host(self.url, url) and matches(pattern, path)


@dataclass(frozen=True, slots=True)
class Rsl:
    """A document as read; strict: it was in RSL's own namespace, so that it may permit."""

    contents: tuple[Content, ...] = ()
    problems: tuple[Problem, ...] = ()
    source: str = "rsl"
    strict: bool = True


def parse(data: bytes, *, source: str = "rsl.xml") -> Rsl:
    """Read the octets of an RSL document."""
    try:
        root = safe_xml.parse(data)
    except UnsafeXml as error:
        problem = Problem(source, "rsl_unreadable", f"the document cannot be read: {error}")
        return Rsl(problems=(problem,), source=source)
    problems: list[Problem] = []
    strict = root.tag == f"{{{NAMESPACE}}}rsl"
    if not strict:
        message = f"{cut(root.tag)!r} is not RSL's root element: only refusals are read"
        problems.append(Problem(source, "rsl_other_root", message))
    if root.name != "rsl":
        return Rsl(problems=tuple(problems), source=source, strict=False)
    contents = tuple(content(element, source, problems) for element in root.named("content"))
    return Rsl(contents, limited(problems, source), source, strict)


def _same_host(pattern: str, url: str) -> bool:
    """Compare hosts when both name one; paths mean the host the document was found for."""
    if pattern.startswith("/") or url.startswith("/"):
        return True
    return _authority(pattern) == _authority(url)


def _authority(url: str) -> str:
    """Return a host with its port as other spellings of it are compared: ``ckey/1`` drops ``www.``."""
    authority = urlsplit(url).netloc.lower()
    try:
        return canonical_host(authority.rpartition("@")[2])
    except InvalidIdentifier:
        return authority


def content(element: Element, source: str, problems: list[Problem]) -> Content:
    """Read one content element, wherever it stands; what is wrong with it is added to the problems."""
    url = element.attributes.get("url", "").strip()
    served = bool(element.attributes.get("server", "").strip())
    encrypted = element.attributes.get("encrypted", "").strip().lower() not in {"", "false", "0"}
    terms = next((t.text.strip() for t in element.named("terms") if t.text.strip()), None)
    licenses = tuple(
        _license(e, source, problems, conditioned=served or encrypted or bool(terms), terms=terms)
        for e in element.named("license")
    )
    if url and path_of(url) is None:
        place = f"{source}:{element.line}"
        problems.append(Problem(place, "rsl_bad_url", f"{cut(url)!r} is neither address nor path"))
    return Content(url, licenses, element.line)


def _license(
    element: Element, source: str, problems: list[Problem], *, conditioned: bool, terms: str | None
) -> License:
    rules = element.named("permits"), element.named("prohibits")
    limited = any(_type(rule) != "usage" for rule in rules[0] + rules[1])
    permits = _words([r for r in rules[0] if _type(r) == "usage"], source, problems)
    # Whoever forgot to say what is prohibited by type still prohibits it.
    prohibits = _words([r for r in rules[1] if _type(r) in {"usage", ""}], source, problems)
    payments = element.named("payment")
    kinds = tuple(p.attributes.get("type", "free").strip().lower() for p in payments)
    asked = any(kind != "free" for kind in kinds) or any(p.children for p in payments)
    asked = asked or bool(element.named("reporting"))
    known = {"permits", "prohibits", "payment", "legal", "reporting"}
    strange = sorted({cut(c.name) for c in element.children if c.name not in known})
    if strange:
        place = f"{source}:{element.line}"
        message = f"{', '.join(strange)} may be a condition"
        problems.append(Problem(place, "rsl_unknown_element", message))
    return License(
        permits=tuple(word for word, _ in permits),
        prohibits=tuple(word for word, _ in prohibits),
        payments=kinds,
        free=not (conditioned or limited or asked or strange),
        terms_uri=_terms_uri(payments) or terms,
        line=element.line,
        drafted=any(drafted for _, drafted in permits + prohibits),
        amounts=tuple(_amounts(payments)),
    )


def _words(rules: list[Element], source: str, problems: list[Problem]) -> list[tuple[str, bool]]:
    """Read lists of use words, separated by spaces or commas, and whether a draft wrote them."""
    found: list[tuple[str, bool]] = []
    for rule in rules:
        for word in rule.text.replace(",", " ").lower().split():
            current = _DRAFT_WORDS.get(word, word)
            if current in USES_OF:
                found.append((current, current != word))
            else:
                place = f"{source}:{rule.line}"
                problems.append(
                    Problem(place, "rsl_unknown_use", f"{cut(word)!r} is no use of RSL")
                )
    return found


def _type(rule: Element) -> str:
    return rule.attributes.get("type", "").strip().lower()


def _terms_uri(payments: list[Element]) -> str | None:
    uris = [c.text.strip() for p in payments for c in p.named("custom") + p.named("standard")]
    return next((uri for uri in uris if uri), None)


def _amounts(payments: list[Element]) -> Iterator[tuple[str, str]]:
    for payment in payments:
        for amount in payment.named("amount"):
            yield "amount", cut(f"{amount.text.strip()} {amount.attributes.get('currency', '')}")

"""Read what a response's header fields and a page's meta elements say; write the header fields.

``X-Robots-Tag`` and ``<meta name="robots">`` with ``noai`` and its relatives are a convention of
DeviantArt's (2022) that others extended; none of it can permit anything. The other fields belong to
their own standards and are passed on to them here, so that one call reads a whole response.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from tribute.standards import aipref, links, tdmrep
from tribute.standards.crawlers import CRAWLERS
from tribute.standards.crosswalk import saying, words_of
from tribute.standards.markup import Page
from tribute.standards.policy import Policy, Written, written
from tribute.standards.robots import product_token
from tribute.standards.statement import Parsed, Problem, Standard, Statement, cut, joined
from tribute.standards.tdmrep import Reservation
from tribute.vocabulary import Decision

VERSION = "x-robots/2026"
_WORDS = words_of(Standard.X_ROBOTS)
_IMAGES_ONLY = {"noimageai", "noimageindex"}
# Directives whose value follows a colon, so that what stands before it is no crawler's name.
_VALUED = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
_AGENT = re.compile(r"\s*([A-Za-z0-9*_.-]+)\s*:(.*)", re.DOTALL)
_LONGEST = 65_536
Headers = Mapping[str, Sequence[str]]


def collect(fields: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Group header fields by lower-case name, in order, as the readers here want them."""
    collected: dict[str, list[str]] = {}
    for name, value in fields:
        collected.setdefault(name.strip().lower(), []).append(value[:_LONGEST])
    return collected


def parse(headers: Headers, *, agent: str | None = None) -> tuple[Parsed, Reservation]:
    """Read every field that speaks of uses, except for the TDM reservation, returned beside it.

    headers: as ``collect`` gives them. agent: the asker's product token; for None, directives to
    any crawler count.
    """
    reservation, problems = tdmrep.parse_header(headers)
    found = [aipref.parse_header(headers.get("content-usage", ()))]
    found += [
        _directives(value, "header:x-robots-tag", f"X-Robots-Tag: {value}", agent)
        for value in headers.get("x-robots-tag", ())
    ]
    return joined([*found, Parsed(problems=problems)]), reservation


def parse_page(page: Page, *, source: str = "page", agent: str | None = None) -> Parsed:
    """Read a page's ``robots`` meta elements, and those named for the asker.

    A name is a crawler's when it ends in "bot", is one of those documented (``crawlers``) or the
    asker's own: other meta elements hold prose, in which such a word means nothing.
    """
    found = []
    own = product_token(agent or "")
    for meta in page.metas:
        named = meta.name == "robots" or (own and product_token(meta.name) == own)
        if named or (agent is None and (meta.name.endswith("bot") or meta.name in CRAWLERS)):
            raw = f'<meta name="{meta.name}" content="{meta.content}">'
            found.append(_directives(meta.content, f"{source}:{meta.line}", raw, agent))
    if not page.complete:
        message = "the page was too large or too broken to be read to its end"
        found.append(Parsed(problems=(Problem(source, "page_incomplete", message),)))
    return joined(found)


def license_links(headers: Headers) -> tuple[str, ...]:
    """Return the addresses of RSL documents in ``Link`` fields (RFC 8288; RSL 1.0, section 4.5)."""
    return tuple(
        link.target
        for value in headers.get("link", ())
        for link in links.parse(value[:_LONGEST])
        if "license" in link.relations and link.media_type == "application/rsl+xml"
    )


def write(policy: Policy) -> Written:
    """Write the header fields to send with every response of the collection.

    ``noai`` covers all training, so it is left out where some training is allowed.
    """
    lines = []
    if preference := aipref.write(policy.decisions):
        lines.append(f"{aipref.FIELD}: {preference}")
    value, offered = tdmrep.reserved_value(policy)
    if value is not None:
        lines.append(f"tdm-reservation: {value}")
    if offered is not None:
        lines.append(f"tdm-policy: {offered}")
    noai = _WORDS["noai"]
    refused = saying(noai, policy.decisions) == Decision.DENY
    if refused and Decision.ALLOW not in {policy.wish(p) for p in noai.restricts}:
        lines.append("X-Robots-Tag: noai, noimageai")
    if policy.rsl_uri is not None:
        lines.append(f'Link: <{policy.rsl_uri}>; rel="license"; type="application/rsl+xml"')
    text = "".join(f"{line}\r\n" for line in lines)
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    parsed, reservation = parse(collect(pairs))
    reread = parsed + tdmrep.statements_of(reservation)
    return written(policy, place="response headers", media_type="text/plain", text=text,
                   reread=reread)  # fmt: skip


def _directives(value: str, source: str, raw: str, agent: str | None) -> Parsed:
    """Read comma-separated directives, any of which may begin with "crawler:".

    A name reaches to the next name, as in ``noai, otherbot: noindex``; an implementation that took
    all before the colon for a name lost the ``noai``. Case does not matter.
    """
    statements = []
    seen: set[tuple[str | None, str]] = set()
    addressed: str | None = None
    for part in value[:_LONGEST].split(","):
        directive = part
        named = _AGENT.fullmatch(part)
        if named is not None and named[1].lower() not in _VALUED:
            addressed, directive = named[1].lower(), named[2]
        if agent is not None and addressed not in {None, "*", product_token(agent)}:
            continue
        for token in directive.lower().replace(";", " ").split():
            if (word := _WORDS.get(token)) and (addressed, token) not in seen:
                seen.add((addressed, token))
                params = [("media", "image")] if token in _IMAGES_ONLY else []
                params += [] if addressed is None else [("agent", addressed)]
                statements += [
                    Statement(
                        purpose, Decision.DENY, source, Standard.X_ROBOTS, VERSION, cut(raw),
                        params=tuple(params),
                    )
                    for purpose in word.restricts
                ]  # fmt: skip
    return Parsed(tuple(statements))

"""Gather what one file says about uses, in whatever standard it is; ``inspection_web`` does addresses.

Knows which standard a file belongs to; the standards' modules do the reading. What could not be read
is reported, and while it might hide a refusal nothing is permitted.
"""

import json
import mimetypes
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tribute import inspection_media
from tribute.standards import (
    ai_txt,
    c2pa,
    epub,
    headers,
    markup,
    odrl,
    plus,
    robots,
    robots_usage,
    rsl,
    rsl_carriers,
    rsl_usage,
    tdm_ai,
    tdmrep,
    tdmrep_embedded,
    xmp,
)
from tribute.standards.statement import Combined, Parsed, Problem, cautious
from tribute.vocabulary import Purpose

STORED_C2PA = ".c2pa.json"
WHOLE = "/"
"""The place that stands for a whole host, and for all of a feed."""
_FILE_LIMIT = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found about one target."""

    target: str
    parsed: Parsed

    @property
    def combined(self) -> dict[Purpose, Combined]:
        """The decision for each purpose, all standards together."""
        return cautious(self.parsed)

    @property
    def complete(self) -> bool:
        """Whether nothing was left unread that might refuse."""
        return not any(problem.hides for problem in self.parsed.problems)


def inspect_file(path: Path, *, at: str, agent: str | None = None) -> Findings:
    """Read one file by whatever standard it belongs to.

    at: the address or path that location files and feeds are asked about. A picture, a recording or a PDF is
    read through the manifest store kept beside it as ``<name>.c2pa.json``, or by the c2pa package.
    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as stream:
        data = stream.read(_FILE_LIMIT + 1)
    if len(data) > _FILE_LIMIT:
        return Findings(str(path), unread(path.name, "the file is over 256 MiB"))
    stored = path.with_name(path.name + STORED_C2PA)
    if stored.exists():
        with stored.open("rb") as stream:
            beside = c2pa.parse(stream.read(_FILE_LIMIT), source=stored.name)
        inside, reservation = _carried(data, "", path.name, at)
        return Findings(str(path), beside + inside + tdmrep.statements_of(reservation))
    return Findings(str(path), _read(data, path.name, at, agent))


@dataclass(frozen=True, slots=True)
class ReadPage:
    """What a page says, its TDM reservation apart.

    licenses: the RSL documents it links to; feeds: the feeds, in which its licence may stand.
    """

    parsed: Parsed
    licenses: tuple[str, ...]
    feeds: tuple[str, ...]
    reservation: tdmrep.Reservation | None


def read_page(body: bytes, url: str, agent: str | None) -> ReadPage:
    """Read a page's octets."""
    page = markup.parse(body)
    found = headers.parse_page(page, agent=agent)
    reservation, problems = tdmrep_embedded.from_page(page)
    for text, line in page.documents:
        document = rsl.parse(text.strip().encode("utf-8", "replace"), source=f"page:{line}")
        found += rsl_usage.statements_for(document, url)
    return ReadPage(
        found + Parsed(problems=problems),
        _linked(page, "license", {rsl_usage.MEDIA_TYPE}),
        _linked(page, "alternate", rsl_carriers.FEED_TYPES),
        reservation,
    )


def _linked(page: markup.Page, relation: str, media_types: Collection[str]) -> tuple[str, ...]:
    return tuple(
        link.href
        for link in page.links
        if relation in link.relations and link.media_type in media_types
    )


def read_xml(body: bytes, at: str | None, *, source: str) -> Parsed:
    """Read an RSL document, or a feed with licences in it.

    at: the address that is asked about; None asks about a feed itself, with all that it holds.
    """
    feed = rsl_carriers.parse_feed(body, source=source)
    if feed is None:
        return rsl_usage.statements_for(rsl.parse(body, source=source), at or "/")
    return feed.refusals() if at is None else feed.statements_for(at)


def read_container(
    body: bytes, declared: str, *, source: str, at: str
) -> tuple[Parsed, tdmrep.Reservation | None]:
    """Read what a file carries in itself: a reservation, a licence, a C2PA manifest.

    declared: its media type, if anybody said so. at: the address it was found at. Anything else says
    nothing that is read here.
    """
    found, reservation = _carried(body, declared, source, at)
    if inspection_media.may_carry(body, declared):
        found += inspection_media.read(body, declared, source=source)
    return found, reservation


def _carried(
    body: bytes, declared: str, source: str, at: str
) -> tuple[Parsed, tdmrep.Reservation | None]:
    """Read a file's reservation and licences."""
    if body.startswith(b"PK"):
        packages = epub.of_file(body, source="epub")
        reservation, problems = tdmrep_embedded.from_packages(packages)
        licensed = rsl_carriers.from_roots(packages.documents, at=at)
    elif b"%PDF" in body[:1024]:
        metadata = xmp.of_pdf(body, source="pdf")
        reservation, problems = tdmrep_embedded.from_xmp(metadata)
        licensed = rsl_carriers.from_roots(metadata.packets, at=at)
        licensed += plus.from_packets(body, metadata.packets, source=source)
    elif inspection_media.may_carry(body, declared):
        packets = xmp.of_file(body, source=source).packets
        mined = plus.from_packets(body, packets, source=source)
        return rsl_carriers.from_media(body, packets, source=source, at=at) + mined, None
    else:
        return Parsed(), None
    return licensed + Parsed(problems=problems), reservation


def _read(data: bytes, name: str, at: str, agent: str | None) -> Parsed:
    """Read a file by its name, else by its beginning."""
    lowered = name.lower()
    for ending, reader in _BY_ENDING.items():
        if lowered.endswith(ending):
            return reader(data, name, at, agent)
    declared = mimetypes.guess_type(name)[0] or ""
    known = data.startswith(b"PK") or b"%PDF" in data[:1024]
    if known or inspection_media.may_carry(data, declared):
        found, reservation = read_container(data, declared, source=name, at=at)
        return found + tdmrep.statements_of(reservation)
    return unread(name, "the file belongs to no standard that is read here")


def _robots_file(data: bytes, name: str, at: str, agent: str | None) -> Parsed:
    return robots_usage.statements_for(robots.parse(data, source=name), at, agent)


def _ai_txt_file(data: bytes, name: str, at: str, _agent: str | None) -> Parsed:
    return ai_txt.statements_for(ai_txt.parse(data, source=name), at)


def _xml_file(data: bytes, name: str, at: str, _agent: str | None) -> Parsed:
    return read_xml(data, None if at == WHOLE else at, source=name)


def _html_file(data: bytes, _name: str, at: str, agent: str | None) -> Parsed:
    page = read_page(data, at, agent)
    return page.parsed + tdmrep.statements_of(page.reservation)


def _json_file(data: bytes, name: str, at: str, _agent: str | None) -> Parsed:
    """Tell a tdmrep.json, a manifest store and a TDM·AI declaration apart by their members."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return unread(name, "the file is not JSON")
    if isinstance(value, dict) and "manifests" in value:
        return c2pa.parse(data, source=name)
    if isinstance(value, dict) and value.get("profile") == odrl.PROFILE:
        return _offer(data, name)
    if isinstance(value, dict):
        return tdm_ai.parse(data, source=name)
    rules = tdmrep.parse(data, source=name)
    return tdmrep.statements_of(rules.at(at)) + Parsed(problems=rules.problems)


def _offer(data: bytes, name: str) -> Parsed:
    """Describe a TDM policy, which states nothing itself: the reservation that names it does."""
    offer = odrl.parse(data, source=name)
    asked = [
        " and ".join(permission.duties)
        or "nothing" + (f" for {' and '.join(permission.purposes)}" if permission.purposes else "")
        for permission in offer.permissions
    ]
    contacts = ", ".join(text for key, text in offer.contacts if key.startswith("has"))
    message = f"an offer that asks for {'; or '.join(asked) or 'what it does not say'}"
    problem = Problem(name, "odrl_offer", f"{message}; contact: {contacts or 'none'}")
    return Parsed(problems=(*offer.problems, problem))


_BY_ENDING: Mapping[str, Callable[[bytes, str, str, str | None], Parsed]] = {
    "robots.txt": _robots_file,
    "ai.txt": _ai_txt_file,
    ".json": _json_file,
    ".xml": _xml_file,
    ".rsl": _xml_file,
    ".rss": _xml_file,
    ".atom": _xml_file,
    ".rdf": _xml_file,
    ".html": _html_file,
    ".htm": _html_file,
    ".xhtml": _html_file,
}


def unread(source: str, message: str) -> Parsed:
    """Report something that was not read and may hold a refusal."""
    return Parsed(problems=(Problem(source, "not_fetched", message),))

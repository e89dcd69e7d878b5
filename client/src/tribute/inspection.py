"""Gather what one file says about uses, in whatever standard it is; ``inspection_web`` does addresses.

Knows which standard a file belongs to; the standards' modules do the reading. What could not be read
is reported, and while it might hide a refusal nothing is permitted.
"""

import json
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tribute import inspection_media
from tribute.standards import (
    ai_txt,
    c2pa,
    headers,
    markup,
    odrl,
    robots,
    robots_usage,
    rsl,
    rsl_usage,
    tdm_ai,
    tdmrep,
    tdmrep_embedded,
)
from tribute.standards.statement import Combined, Parsed, Problem, cautious
from tribute.vocabulary import Purpose

STORED_C2PA = ".c2pa.json"
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

    at: the address or path that location files are asked about. A picture, a recording or a PDF is
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
        inside, reservation = _reserved_inside(data)
        return Findings(str(path), beside + inside + tdmrep.statements_of(reservation))
    return Findings(str(path), _read(data, path.name, at, agent))


def read_page(
    body: bytes, url: str, agent: str | None
) -> tuple[Parsed, list[str], tdmrep.Reservation | None]:
    """Read a page's octets: what it says, the RSL documents it links to, its TDM reservation."""
    page = markup.parse(body)
    found = headers.parse_page(page, agent=agent)
    reservation, problems = tdmrep_embedded.from_page(page)
    for text, line in page.documents:
        document = rsl.parse(text.strip().encode("utf-8", "replace"), source=f"page:{line}")
        found += rsl_usage.statements_for(document, url)
    links = [
        link.href
        for link in page.links
        if "license" in link.relations and link.media_type == rsl_usage.MEDIA_TYPE
    ]
    return found + Parsed(problems=problems), links, reservation


def read_container(
    body: bytes, declared: str, *, source: str
) -> tuple[Parsed, tdmrep.Reservation | None]:
    """Read what a file carries in itself: an EPUB's or PDF's reservation, a C2PA manifest.

    declared: its media type, if anybody said so. Anything else says nothing that is read here.
    """
    found, reservation = _reserved_inside(body)
    if inspection_media.may_carry(body, declared):
        found += inspection_media.read(body, declared, source=source)
    return found, reservation


def _reserved_inside(body: bytes) -> tuple[Parsed, tdmrep.Reservation | None]:
    if body.startswith(b"PK"):
        reservation, problems = tdmrep_embedded.from_epub(body)
    elif b"%PDF" in body[:1024]:
        reservation, problems = tdmrep_embedded.from_pdf(body)
    else:
        return Parsed(), None
    return Parsed(problems=problems), reservation


def _read(data: bytes, name: str, at: str, agent: str | None) -> Parsed:
    """Read a file by its name, else by its beginning."""
    lowered = name.lower()
    for ending, reader in _BY_ENDING.items():
        if lowered.endswith(ending):
            return reader(data, name, at, agent)
    declared = mimetypes.guess_type(name)[0] or ""
    known = data.startswith(b"PK") or b"%PDF" in data[:1024]
    if known or inspection_media.may_carry(data, declared):
        found, reservation = read_container(data, declared, source=name)
        return found + tdmrep.statements_of(reservation)
    return unread(name, "the file belongs to no standard that is read here")


def _robots_file(data: bytes, name: str, at: str, agent: str | None) -> Parsed:
    return robots_usage.statements_for(robots.parse(data, source=name), at, agent)


def _ai_txt_file(data: bytes, name: str, at: str, _agent: str | None) -> Parsed:
    return ai_txt.statements_for(ai_txt.parse(data, source=name), at)


def _rsl_file(data: bytes, name: str, at: str, _agent: str | None) -> Parsed:
    return rsl_usage.statements_for(rsl.parse(data, source=name), at)


def _html_file(data: bytes, _name: str, at: str, agent: str | None) -> Parsed:
    found, _, reservation = read_page(data, at, agent)
    return found + tdmrep.statements_of(reservation)


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
    ".xml": _rsl_file,
    ".rsl": _rsl_file,
    ".html": _html_file,
    ".htm": _html_file,
    ".xhtml": _html_file,
}


def unread(source: str, message: str) -> Parsed:
    """Report something that was not read and may hold a refusal."""
    return Parsed(problems=(Problem(source, "not_fetched", message),))

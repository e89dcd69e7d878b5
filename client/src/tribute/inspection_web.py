"""Gather what one address and its host say about uses, in every standard at once.

Knows where each standard is looked for, and in which order; whoever calls passes in how to fetch. A
file that is absent says nothing; one that cannot be reached may refuse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tribute.fetching import AGENT, Fetch, Fetched, FetchFailed
from tribute.inspection import Findings, read_container, read_page, read_xml, unread
from tribute.standards import (
    ai_txt,
    headers,
    robots,
    robots_usage,
    rsl,
    rsl_carriers,
    rsl_usage,
    tdmrep,
)
from tribute.standards.statement import Parsed
from tribute.standards.tdmrep import Reservation

_MOST_LICENSES = 5
_MOST_FEEDS = 5
_XML = rsl_carriers.FEED_TYPES | {"application/xml", "text/xml"}
_ABSENT = range(400, 500)
_TOO_MANY_REQUESTS = 429
_SUCCESS = range(200, 300)
_BLANKS = b"\xef\xbb\xbf \t\r\n"


def inspect_url(url: str, *, fetch: Fetch, agent: str | None = None) -> Findings:
    """Read an address, its host's files, and the licences they point to.

    The page itself is not fetched when robots.txt asks crawlers like this one not to. After a
    redirect the files of the host it led to are read as well, and both count.
    """
    locations = _Locations(fetch, agent)
    found, reserved = locations.at(url)
    reservations = [reserved]
    if (refusal := locations.refusal(url)) is not None:
        found += unread(url, refusal)
        return Findings(url, found + _reserved(reservations, []))
    try:
        page = fetch(url)
    except FetchFailed as error:
        found += unread(url, str(error))
        return Findings(url, found + _reserved(reservations, []))
    content = _content(page, agent)
    found += content.parsed
    if page.url != url:
        there, reserved = locations.at(page.url)
        found += there
        reservations.append(reserved)
    found += _reserved(reservations, content.reservations)
    found += _licenses([*locations.licenses, *content.licenses], page.url, fetch)
    found += _feeds(content.feeds, page.url, fetch)
    if page.status not in _SUCCESS:
        found += unread(url, f"the page answered with status {page.status}")
    return Findings(url, found)


def _reserved(files: Iterable[Reservation | None], carried: Sequence[Reservation | None]) -> Parsed:
    """Let what the content carries supersede each host's file; several files all count."""
    standing = dict.fromkeys(tdmrep.supersede([file, *carried]) for file in files)
    found = Parsed()
    for reservation in standing:
        found += tdmrep.statements_of(reservation)
    return found


class _Locations:
    """The files of hosts that speak for many addresses, each fetched once."""

    def __init__(self, fetch: Fetch, agent: str | None) -> None:
        self._fetch = fetch
        self._agent = agent
        self._kept: dict[str, tuple[bytes | None, Parsed]] = {}
        self.licenses: dict[str, None] = {}

    def at(self, url: str) -> tuple[Parsed, Reservation | None]:
        """Return what the host's files say about an address, the TDM reservation apart."""
        found = Parsed()
        data, problems = self._get(_joined(url, "/robots.txt"))
        found += problems
        if data is not None:
            rules = robots.parse(data)
            found += robots_usage.statements_for(rules, url, self._agent)
            for rule in robots_usage.licenses_for(rules, self._agent):
                self.licenses[_joined(url, rule.value)] = None
        data, problems = self._get(_joined(url, "/ai.txt"))
        found += problems
        if data is not None:
            found += ai_txt.statements_for(ai_txt.parse(data), url)
        data, problems = self._get(_joined(url, tdmrep.FILE))
        found += problems
        reservations = tdmrep.Rules() if data is None else tdmrep.parse(data)
        return found + Parsed(problems=reservations.problems), reservations.at(url)

    def refusal(self, url: str) -> str | None:
        """Say why this inspector does not fetch the page; None when robots.txt lets it.

        Unreachable means no (RFC 9309, section 2.3.1.4); absent means yes.
        """
        data, problems = self._get(_joined(url, "/robots.txt"))
        if data is None:
            unknown = "the page was not fetched, since robots.txt may ask crawlers not to"
            return unknown if problems.problems else None
        allowed = robots.parse(data).access(url, AGENT).allowed
        return None if allowed else "robots.txt asks crawlers not to fetch this page"

    def _get(self, url: str) -> tuple[bytes | None, Parsed]:
        if url not in self._kept:
            self._kept[url] = _document(url, self._fetch)
        return self._kept[url]


def _joined(base: str, address: str) -> str:
    """Resolve an address; one that cannot be resolved stays as it is, and cannot be fetched."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _document(url: str, fetch: Fetch) -> tuple[bytes | None, Parsed]:
    """Get a file that may be absent; a web page in its place is no file of a standard.

    Servers that call every file a web page exist, so that what counts is how it begins.
    """
    try:
        answer = fetch(url)
    except FetchFailed as error:
        return None, unread(url, str(error))
    absent = answer.status in _ABSENT and answer.status != _TOO_MANY_REQUESTS
    is_page = answer.media_type == "text/html" and answer.body.lstrip(_BLANKS).startswith(b"<")
    if absent or is_page:
        return None, Parsed()
    if answer.status not in _SUCCESS or not answer.complete:
        return None, unread(url, f"status {answer.status}, or too large")
    return answer.body, Parsed()


@dataclass(frozen=True, slots=True)
class _Content:
    """What a response says, its TDM reservations apart, and where it sends readers on."""

    parsed: Parsed
    reservations: tuple[Reservation | None, ...] = ()
    licenses: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()


def _content(page: Fetched, agent: str | None) -> _Content:
    """Read a response: its fields, and what its body carries in itself."""
    fields = headers.collect(page.fields)
    found, header = headers.parse(fields, agent=agent)
    inside = _body(page, agent)
    if not page.complete:
        found += unread(page.url, "the page is too large to be read whole")
    return _Content(
        found + inside.parsed,
        (header, *inside.reservations),
        (*headers.license_links(fields), *inside.licenses),
        inside.feeds,
    )


def _body(page: Fetched, agent: str | None) -> _Content:
    if page.media_type in {"text/html", "application/xhtml+xml"}:
        inside = read_page(page.body, page.url, agent)
        return _Content(inside.parsed, (inside.reservation,), inside.licenses, inside.feeds)
    mentioned = page.media_type in _XML and rsl_carriers.mentions_rsl(page.body)
    if mentioned or page.media_type == rsl_usage.MEDIA_TYPE:
        return _Content(read_xml(page.body, None, source=page.url))
    found, reservation = read_container(page.body, page.media_type, source=page.url, at=page.url)
    return _Content(found, (reservation,))


def _licenses(addresses: list[str], base: str, fetch: Fetch) -> Parsed:
    found = Parsed()
    wanted = list(dict.fromkeys(_joined(base, address) for address in addresses))
    for address in wanted[:_MOST_LICENSES]:
        data, problems = _document(address, fetch)
        found += problems
        if data is None:
            found += unread(address, "a licence that the location names is not there")
        else:
            found += rsl_usage.statements_for(rsl.parse(data, source=address), base)
    if len(wanted) > _MOST_LICENSES:
        found += unread(base, f"only {_MOST_LICENSES} of {len(wanted)} licences were read")
    return found


def _feeds(addresses: Sequence[str], base: str, fetch: Fetch) -> Parsed:
    """Read what the feeds that a page links to say about it; another host's may only refuse."""
    found = Parsed()
    wanted = list(dict.fromkeys(_joined(base, address) for address in addresses))
    for address in wanted[:_MOST_FEEDS]:
        data, problems = _document(address, fetch)
        found += problems
        feed = None if data is None else rsl_carriers.parse_feed(data, source=address)
        if feed is not None:
            said = feed.statements_for(base)
            found += said if _origin(address) == _origin(base) else said.without_permissions()
    if len(wanted) > _MOST_FEEDS:
        found += unread(base, f"only {_MOST_FEEDS} of {len(wanted)} feeds were read")
    return found


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme, parts.netloc.lower()

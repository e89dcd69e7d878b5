"""Get one address over http or https within limits; say nothing of what it holds.

For people inspecting an address from their own machine: it follows redirects and may reach whatever
that machine may. A service that fetches addresses for strangers needs a guarded fetcher instead.
"""

import http.client
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import idna

AGENT = "tribute-inspect"
LIMIT = 32 * 1024 * 1024
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024


class FetchFailed(Exception):
    """An address is http or https, answers in time, and stays within the limits."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: where it finally came from, its status, fields in order, body.

    complete: whether the body is whole, and not cut at the limit.
    """

    url: str
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool = True

    @property
    def media_type(self) -> str:
        """The body's media type without parameters, in lower case; "" when unsaid."""
        types = [value for name, value in self.fields if name.lower() == "content-type"]
        return types[-1].partition(";")[0].strip().lower() if types else ""


Fetch = Callable[[str], Fetched]


def fetcher(*, timeout: float, limit: int = LIMIT) -> Fetch:
    """Return a function that gets an address; timeout: seconds for each address, body included."""

    def fetch(url: str) -> Fetched:
        return _fetch(url, timeout=timeout, limit=limit)

    return fetch


def _fetch(url: str, *, timeout: float, limit: int) -> Fetched:
    """Get one address. Raises FetchFailed; an answer of any status is an answer."""
    _require_web(url)
    deadline = time.monotonic() + timeout
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _WebRedirects(),
    ):
        opener.add_handler(handler)
    try:
        spelled = _spelled(url)
        request = urllib.request.Request(  # noqa: S310 - only http and https, checked above
            spelled, headers={"User-Agent": AGENT, "Accept": "*/*"}
        )
        response = opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        response = error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"{url}: {error}") from error
    if response is None:
        raise FetchFailed(f"{url}: nothing answers for this kind of address")
    with response:
        body, complete = _body(response, url, deadline, limit)
        fields = tuple(response.headers.items())
        return Fetched(response.url or url, response.status, fields, body, complete)


def _spelled(url: str) -> str:
    """Write an address in ASCII: the host in Punycode, spaces and other letters escaped.

    Raises ValueError for a host that has no such form.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        ascii_host = idna.encode(host, uts46=True).decode("ascii")
        port = "" if parts.port is None else f":{parts.port}"
        url = parts._replace(netloc=f"{ascii_host}{port}").geturl()
    return quote(url, safe=string.punctuation)


def _body(
    response: http.client.HTTPResponse, url: str, deadline: float, limit: int
) -> tuple[bytes, bool]:
    chunks = []
    size = 0
    try:
        while size <= limit and (chunk := response.read1(_CHUNK)):
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise FetchFailed(f"{url}: the answer took too long")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"{url}: {error}") from error
    return b"".join(chunks)[:limit], size <= limit


class _WebRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a few redirects, to web addresses only."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(  # noqa: PLR0913, PLR0917 - the base class's signature
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _require_web(newurl)
        except FetchFailed as error:
            raise urllib.error.URLError(str(error)) from error
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _require_web(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FetchFailed(f"{url}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchFailed(f"{url} is not an http or https address")

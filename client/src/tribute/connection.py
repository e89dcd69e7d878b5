"""One registry over HTTP: requests, retries, and answers as bytes or JSON, by the standard library.

Fails closed: an answer that is missing, cut off or no JSON raises. Redirects are not followed, and
addresses that a registry names are reduced to what they say, so that the key goes to no other host.
What is asked, and what an answer means, is for others.
"""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

MAX_ANSWER_BYTES = 64 * 1024 * 1024
ROWS_A_PAGE = 200

_ATTEMPTS = 5
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0
_WORTH_RETRYING = {429, 502, 503, 504}
_OK = 200
_REDIRECT = 300


class RegistryError(Exception):
    """A registry must be reachable, willing, and understood.

    code: stable machine code, the registry's own or ``unreachable``, ``malformed_answer``,
        ``http_<status>``.
    status: HTTP status, or 0 when there was none.
    """

    def __init__(self, code: str, title: str, status: int = 0, detail: str = "") -> None:
        super().__init__(": ".join(filter(None, (title, detail))))
        self.code = code
        self.title = title
        self.status = status
        self.detail = detail


class WorthRetrying(Exception):
    """An attempt failed in a way that a later one may not; ``reason`` says how."""

    def __init__(self, reason: RegistryError, retry_after: str | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: headers, and the body in full."""

    headers: Message
    body: bytes


class Connection:
    """How to reach a registry, and with which key.

    base_url: such as ``https://registry.example``; plain http only to this machine itself, unless
        ``allow_plain_http`` (a private network).
    timeout: seconds to wait for the connection and for each piece of an answer.
    """

    def __init__(
        self, base_url: str, api_key: str, timeout: float, *, allow_plain_http: bool
    ) -> None:
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http or https URL: {base_url!r}")
        if parts.scheme == "http" and not allow_plain_http and not _is_this_machine(parts.hostname):
            raise ValueError(f"the key would travel in the clear to {parts.hostname}: use https")
        if not base_url.isascii():
            raise ValueError(
                f"{base_url!r} is not ASCII: write the name in Punycode, the rest escaped"
            )
        if not 0 < timeout < threading.TIMEOUT_MAX:
            raise ValueError(f"{timeout} is no number of seconds to wait")
        if not api_key.isascii() or not api_key.isprintable():
            raise ValueError("an API key is printable ASCII")
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirects)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return a JSON object. Raises RegistryError."""
        return _parsed(self.answered(method, path, body, content_type, headers=headers))

    def answered(  # noqa: PLR0913 - a request is said in full
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> bytes:
        """Return the body of an answer, after as many attempts as it takes. Raises RegistryError."""
        data = body if body is None or isinstance(body, bytes) else to_json(body)
        said = {"Accept": f"{accept}, application/problem+json", **(headers or {})}
        if data is not None:
            # One key for all attempts: the registry does the deed once, however often it hears.
            said = {"Content-Type": content_type, "Idempotency-Key": str(uuid4()), **said}
        return self.persist(method, path, data, said).body

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list, page after page. Raises RegistryError."""
        seen: set[str] = set()
        query = {"limit": str(ROWS_A_PAGE)}
        while True:
            page = self.call("GET", f"{path}?{urllib.parse.urlencode(query)}")
            rows, following = page.get("items"), page.get("next", False)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise malformed("a page has a list of items")
            yield from rows
            if following is None:
                return
            cursor = _cursor(following)
            if cursor in seen:
                raise malformed("a page names itself, or one before, as the next")
            seen.add(cursor)
            query["cursor"] = cursor

    def persist(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Send a request until it is answered, some times at most. Raises RegistryError."""
        for attempt in range(_ATTEMPTS):
            try:
                return self.once(method, path, body, headers)
            except WorthRetrying as error:
                delay = delay_before(attempt, error)
                if attempt == _ATTEMPTS - 1 or delay is None:
                    raise error.reason from error
                time.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request one time. Raises WorthRetrying, RegistryError."""
        request = urllib.request.Request(self.base_url + path, data=body, method=method)  # noqa: S310 - the constructor admits http and https only
        request.add_header("Authorization", f"Bearer {self._api_key}")
        request.add_header("User-Agent", "tribute-client")
        for name, value in headers.items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return Reply(response.headers, _read(response))
        except urllib.error.HTTPError as error:
            with error:
                problem = _problem(error.code, _read_leniently(error))
            if error.code in _WORTH_RETRYING:
                raise WorthRetrying(problem, error.headers.get("Retry-After")) from error
            raise problem from error
        except (OSError, http.client.HTTPException) as error:
            reason = RegistryError("unreachable", "The registry did not answer", 0, str(error))
            raise WorthRetrying(reason) from error


def delay_before(attempt: int, error: WorthRetrying) -> float | None:
    """Return seconds to wait: what the registry asks for, else exponential with jitter.

    attempt: how many went before, from 0. None: the registry asks for more patience than we have.
    """
    asked = _seconds_asked_for(error.retry_after or "")
    if asked is not None:
        return asked if asked <= _LONGEST_DELAY else None
    ceiling = _FIRST_DELAY * 2**attempt
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, keeps no secret


def malformed(detail: str) -> RegistryError:
    """Return the error that an answer is not understood."""
    title = "The registry's answer is not understood"
    return RegistryError("malformed_answer", title, _OK, detail)


def to_json(value: Mapping[str, Any]) -> bytes:
    """Write an object as compact JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def quoted(segment: str) -> str:
    """Write an id as one segment of a path."""
    return urllib.parse.quote(segment, safe="")


def _cursor(address: object) -> str:
    """Return where a list goes on; the address around it is the registry's own already."""
    if isinstance(address, str):
        said = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query).get("cursor", [])
        if len(said) == 1:
            return said[0]
    raise malformed("a page names the next by its cursor")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Answers a redirect as the error it is for an API."""

    def redirect_request(self, *_: object) -> None:
        """Follow no redirect."""


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise malformed("not JSON") from error
    if not isinstance(answer, dict):
        raise malformed("not a JSON object")
    return answer


def _problem(status: int, data: bytes) -> RegistryError:
    """Read RFC 9457 problem details, as far as they are there."""
    try:
        problem = json.loads(data)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    return RegistryError(
        str(problem.get("code") or f"http_{status}"),
        str(problem.get("title") or f"The registry answered {status}"),
        status,
        str(problem.get("detail") or ""),
    )


def _read(response: http.client.HTTPResponse) -> bytes:
    if not _OK <= response.status < _REDIRECT:
        raise _problem(response.status, b"")
    data = response.read(MAX_ANSWER_BYTES + 1)
    if len(data) > MAX_ANSWER_BYTES:
        raise malformed(f"more than {MAX_ANSWER_BYTES} bytes")
    # Without this a connection that broke in the middle would only show as bad JSON.
    if response.length:
        raise http.client.IncompleteRead(data, response.length)
    return data


def _read_leniently(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _seconds_asked_for(retry_after: str) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds, or a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

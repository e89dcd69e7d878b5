"""Get one address over http or https within limits; say nothing of what it holds.

For people inspecting an address from their own machine: it follows redirects and may reach whatever
that machine may. A service that fetches addresses for strangers needs a guarded fetcher instead.
"""

import http.client
import os
import socket
import string
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import idna

AGENT = "tribute-inspect"
LIMIT = 32 * 1024 * 1024
_MOST_REDIRECTS = 5
_CHUNK = 64 * 1024
_PATIENCE = 1.0
"""Seconds for a connection that was hung up on to end."""


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
    """Return a function that gets an address; timeout: seconds for each address, all included.

    Neither a resolver nor http.client takes a deadline, so that a thread does the waiting; what is
    late is hung up on.
    """

    def fetch(url: str) -> Fetched:
        answers: list[Fetched | FetchFailed] = []
        opened: list[socket.socket] = []

        def get() -> None:
            try:
                answers.append(_fetch(url, timeout=timeout, limit=limit, opened=opened))
            except FetchFailed as error:
                answers.append(error)
            finally:
                _close(opened)

        thread = threading.Thread(target=get, daemon=True)
        thread.start()
        thread.join(timeout)
        if thread.is_alive():
            _hang_up(opened)
            thread.join(_PATIENCE)
            raise FetchFailed(f"{url}: the answer took too long")
        answer = answers[0]
        if isinstance(answer, FetchFailed):
            raise answer
        return answer

    return fetch


def _close(opened: list[socket.socket]) -> None:
    """Close what answers that nobody read to their end still hold."""
    for each in opened:
        if (number := each.detach()) >= 0:
            os.close(number)


def _hang_up(opened: list[socket.socket]) -> None:
    for each in opened:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _fetch(url: str, *, timeout: float, limit: int, opened: list[socket.socket]) -> Fetched:
    """Get one address. Raises FetchFailed; an answer of any status is an answer."""
    _require_web(url)
    deadline = time.monotonic() + timeout
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Plainly(opened),
        _Securely(opened),
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


class _Plainly(urllib.request.HTTPHandler):
    """Open connections and note their sockets."""

    def __init__(self, opened: list[socket.socket]) -> None:
        super().__init__()
        self._opened = opened

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open one."""
        return self.do_open(partial(_Noted, self._opened), req)


class _Securely(urllib.request.HTTPSHandler):
    """The same by TLS."""

    def __init__(self, opened: list[socket.socket]) -> None:
        super().__init__()
        self._opened = opened

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open one."""
        return self.do_open(partial(_NotedSecurely, self._opened), req)


class _Noted(http.client.HTTPConnection):
    def __init__(self, opened: list[socket.socket], host: str, **more: Any) -> None:
        super().__init__(host, **more)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened.append(self.sock)


class _NotedSecurely(http.client.HTTPSConnection):
    def __init__(self, opened: list[socket.socket], host: str, **more: Any) -> None:
        super().__init__(host, **more)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened.append(self.sock)


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

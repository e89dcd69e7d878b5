"""Read a page from a public web server: the only code here that opens a socket to strangers.

Guards against being used to reach private machines: names only, never literal addresses; resolve
once, vet every answer, connect to the vetted address; ports 80 and 443; no redirects, no proxies,
no compression; one deadline over everything and 64 KiB at most. Which answers to believe is for
the caller to say. Run it where an egress firewall stands behind these rules.
"""

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from registry.errors import FetchFailed, FetchRefused

LARGEST_BODY = 64 * 1024
DEADLINE_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
USER_AGENT = "Tribute (proof of control, webhooks)"

# Labels of letters, digits and inner hyphens, and a last one that is not a number: whatever the
# C library would read as an address (2130706433, 0x7f.1, 127.1, circled digits) is no name.
_NAME = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+\Z)[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
# No control characters and no space: nothing may end the request line early.
_TARGET = re.compile(r"[\x21-\x7e]*")
_REFUSED_IPV4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # A cloud's metadata and DNS service at an address that counts as global.
        "168.63.129.16/32",
    )
]  # fmt: skip
_GLOBAL_IPV6 = ip_network("2000::/3")
# Protocol assignments (Teredo among them), documentation, 6to4: these lead elsewhere.
_REFUSED_IPV6 = [
    ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent: a method, headers beside the usual ones (no line end in them), a body."""

    method: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


GET = Sent("GET")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer.

    headers: names in lower case, the last of equal ones. address: the one connected to.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    address: str


def addresses_of(host: str, port: int) -> list[str]:
    """Return every address that the system's resolver knows for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch(
    url: str,
    *,
    seconds: float = DEADLINE_SECONDS,
    resolve: Resolve = addresses_of,
    whole: bool = True,
) -> Fetched:
    """Return what a GET of ``url`` answers, redirects included, within ``seconds`` in all.

    whole: False takes the first 64 KiB of a longer answer. Raises FetchRefused before a byte is
    sent to what is not a public web server; FetchFailed for no answer, a broken or late one, or
    one over 64 KiB.
    """
    answer = _read(url, seconds, resolve)
    if whole and len(answer.body) > LARGEST_BODY:
        raise FetchFailed(f"{url} answered with more than {LARGEST_BODY} bytes")
    return replace(answer, body=answer.body[:LARGEST_BODY])


def fetch_beginning(url: str) -> Fetched:
    """Return the first 64 KiB of what ``url`` answers; otherwise as ``fetch``."""
    return fetch(url, whole=False)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float = DEADLINE_SECONDS,
    resolve: Resolve = addresses_of,
) -> int:
    """Send JSON to ``url`` and return the status of the answer; its body is not looked at.

    headers: beside those of every request. Raises FetchRefused for what ``may_be_posted_to``
    refuses and as ``fetch`` does, FetchFailed for no answer, a broken or late one.
    """
    if not may_be_posted_to(url):
        raise FetchRefused("only public web servers are sent to, by https")
    lines = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    lines += headers.items()
    return _read(url, seconds, resolve, Sent("POST", tuple(lines), body)).status


def may_be_posted_to(url: str) -> bool:
    """Whether ``url`` is one of a public web server by its form, and https."""
    try:
        parts, host, _ = _vetted_url(url)
    except FetchRefused:
        return False
    is_test = settings.EMBEDDED and host in settings.FETCH_TEST_HOSTS
    return parts.scheme == "https" or is_test


def _read(url: str, seconds: float, resolve: Resolve, sent: Sent = GET) -> Fetched:
    parts, host, port = _vetted_url(url)
    deadline = time.monotonic() + seconds
    address, actual_port = _destination(host, port, deadline, resolve)
    try:
        return _get(url, parts, host, (address, actual_port), deadline=deadline, sent=sent)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"{host} did not answer as a web server does: {error!r}") from error


def is_name(host: str) -> bool:
    """Whether a host is a public name in lower case: no address, and not a single label."""
    return _NAME.fullmatch(host) is not None


def is_public(address: str) -> bool:
    """Whether an address is an ordinary one on the public Internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _REFUSED_IPV4)
    return _is_public_ipv6(ip)


def _is_public_ipv6(ip: IPv6Address) -> bool:
    # is_global alone admits translated and compatible IPv4 addresses, and multicast.
    plain = ip.scope_id is None and ip in _GLOBAL_IPV6
    return plain and not any(ip in network for network in _REFUSED_IPV6)


def _vetted_url(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchRefused(f"not a URL: {error}") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in PORTS or "@" in parts.netloc:
        raise FetchRefused("only http and https without user information are read")
    if not host.isascii() or not is_name(host):
        raise FetchRefused("only hosts with a public name are read")
    if port not in {None, PORTS[parts.scheme]}:
        raise FetchRefused("only the ports 80 (http) and 443 (https) are read")
    if not _TARGET.fullmatch(parts.path + parts.query):
        raise FetchRefused("the path has characters that must be escaped")
    return parts, host, PORTS[parts.scheme]


def _destination(host: str, port: int, deadline: float, resolve: Resolve) -> tuple[str, int]:
    """Return the address to connect to. Every answer must be public, not just the one used."""
    if settings.EMBEDDED and host in settings.FETCH_TEST_HOSTS:
        address, port = settings.FETCH_TEST_HOSTS[host]
        return address, port
    addresses = _resolved(host, port, deadline, resolve)
    if not addresses:
        raise FetchFailed(f"{host} has no address")
    if not all(map(is_public, addresses)):
        raise FetchRefused(f"{host} does not lead to the public Internet")
    return addresses[0], port


def _resolved(host: str, port: int, deadline: float, resolve: Resolve) -> list[str]:
    """Resolve in a thread: the system's resolver takes no deadline."""
    answers: list[list[str]] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            answers.append(resolve(host, port))
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if failures or not answers:
        raise FetchFailed(f"{host} could not be resolved in time")
    return answers[0]


def _get(  # noqa: PLR0913 - where, by when and what
    url: str,
    parts: SplitResult,
    host: str,
    destination: tuple[str, int],
    *,
    deadline: float,
    sent: Sent,
) -> Fetched:
    with socket.create_connection(destination, timeout=_left(deadline)) as plain:
        plain.settimeout(_left(deadline))
        if parts.scheme == "https" and host not in settings.FETCH_TEST_HOSTS:
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return _exchange(url, parts, host, secure, deadline=deadline, sent=sent)
        return _exchange(url, parts, host, plain, deadline=deadline, sent=sent)


def _exchange(  # noqa: PLR0913 - as above
    url: str, parts: SplitResult, host: str, sock: socket.socket, *, deadline: float, sent: Sent
) -> Fetched:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    more = "".join(f"{name}: {value}\r\n" for name, value in sent.headers)
    request = (
        f"{sent.method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n"
        f"Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n{more}\r\n"
    )
    sock.settimeout(_left(deadline))
    sock.sendall(request.encode("ascii") + sent.body)
    response = http.client.HTTPResponse(_Deadlined(sock, deadline), method=sent.method)  # type: ignore[arg-type]  # it only calls makefile
    try:
        response.begin()
        body = response.read(LARGEST_BODY + 1)
        headers = {name.lower(): value for name, value in response.getheaders()}
        if response.length and len(body) <= LARGEST_BODY:
            raise FetchFailed(f"{host} broke off its answer")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchFailed(f"{host} answered in an encoding that was not asked for")
        return Fetched(url, response.status, headers, body, str(sock.getpeername()[0]))
    finally:
        response.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _Deadlined(io.RawIOBase):
    """A socket whose every read has only the time that is left: timeouts are per read."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what http.client reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what comes in before the deadline."""
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv_into(buffer)

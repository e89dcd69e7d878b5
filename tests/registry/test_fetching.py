"""The guarded fetcher: what it refuses to reach, and that nobody holds it up."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from registry import fetching
from registry.errors import FetchFailed, FetchRefused

REFUSED_URLS = [
    "file:///etc/passwd",
    "ftp://ada.example/",
    "gopher://ada.example/",
    "http://localhost/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://ada.example:22/",
    "https://ada.example:8443/",
    "http://ada.example:443/",
    "http://ada@ada.example/",
    "http://ada.example\\@127.0.0.1/",
    "http://ada.example/a b",
    "http://ada.example/\r\nX: y",
    "http://ada.example:x/",
    "http://-ada.example/",
    "http://ada.0x7f/",
    "http://intranet/",
    "http://",
]

REFUSED_ADDRESSES = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "not an address",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_fetch_refuses_before_it_asks_for_an_address(url: str) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["192.0.2.1"]

    with pytest.raises(FetchRefused):
        fetching.fetch(url, resolve=resolve)
    assert asked == []


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_fetch_refuses_a_name_with_any_private_address(address: str) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", address]

    with pytest.raises(FetchRefused):
        fetching.fetch("http://ada.example/", resolve=resolve)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert fetching.is_public(address)


def test_fetch_fails_on_a_name_without_an_address() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchFailed):
        fetching.fetch("http://nobody.example/", resolve=resolve)


def test_fetch_does_not_wait_for_a_resolver_that_does_not_answer() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        time.sleep(3)
        return []

    began = time.monotonic()
    with pytest.raises(FetchFailed):
        fetching.fetch("http://slow.example/", seconds=0.3, resolve=resolve)
    assert time.monotonic() - began < 2


@contextmanager
def serving(talk: Callable[[socket.socket], None], settings: Any) -> Iterator[list[bytes]]:
    """A server on this machine that reads one request and then talks as it likes."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(4096))
                try:
                    talk(connection)
                except OSError as error:
                    requests.append(repr(error).encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        settings.FETCH_TEST_HOSTS = {"ada.example": listener.getsockname()}
        yield requests
        thread.join(10)


def test_fetch_returns_a_whole_answer(settings: Any) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello")

    with serving(talk, settings) as requests:
        fetched = fetching.fetch("http://ada.example/a?b=c")

    assert (fetched.status, fetched.body, fetched.headers["x-a"]) == (200, b"hello", "b")
    assert requests[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: ada.example\r\n")
    assert b"Accept-Encoding: identity\r\n" in requests[0]


def test_fetch_does_not_follow_a_redirect(settings: Any) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
        )

    with serving(talk, settings):
        assert fetching.fetch("http://ada.example/").status == 302


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(60):
        connection.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.1)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(60):
        connection.sendall(b"x")
        time.sleep(0.1)


def silence(connection: socket.socket) -> None:
    time.sleep(4)


@pytest.mark.parametrize("talk", [drip_headers, drip_body, silence])
def test_one_deadline_covers_everything(
    talk: Callable[[socket.socket], None], settings: Any
) -> None:
    with serving(talk, settings):
        began = time.monotonic()
        with pytest.raises(FetchFailed):
            fetching.fetch("http://ada.example/", seconds=0.6)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
def test_fetch_fails_on_an_answer_too_large_or_broken(answer: bytes, settings: Any) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(answer)

    with serving(talk, settings), pytest.raises(FetchFailed):
        fetching.fetch("http://ada.example/")


def test_the_beginning_of_a_long_page_is_enough_when_asked_so(settings: Any) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000)

    with serving(talk, settings):
        assert fetching.fetch_beginning("http://ada.example/").body == b"x" * 65_536


def test_test_hosts_are_for_demo_and_tests_only(settings: Any) -> None:
    settings.FETCH_TEST_HOSTS = {"ada.example": ("127.0.0.1", 9)}
    settings.EMBEDDED = False

    with pytest.raises(FetchRefused):
        fetching.fetch("http://ada.example/", resolve=lambda _host, _port: ["127.0.0.1"])

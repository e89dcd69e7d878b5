"""TXT records, read from a name server on this machine."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from registry import name_records
from registry.errors import LookUpFailed

NAME = "_tribute-challenge.ada.example"


@contextmanager
def name_server(
    records: list[str] | None, *, silent: bool = False
) -> Iterator[dns.resolver.Resolver]:
    """A server that knows one name's records; None: no such name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            asked, client = server.recvfrom(4096)
            query = dns.message.from_wire(asked)
            response = dns.message.make_response(query)
            if records is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
            elif records:
                response.answer.append(
                    dns.rrset.from_text_list(f"{NAME}.", 60, "IN", "TXT", records)
                )
            if not silent:
                server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.getsockname()[1]
        yield resolver
        thread.join(10)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (['"v=spf1 -all"', '"abc" "def"'], ["v=spf1 -all", "abcdef"]),
        (['"\\255"'], ["\ufffd"]),
        ([], []),
        (None, []),
    ],
)
def test_records_are_read_whole_and_an_unknown_name_has_none(
    records: list[str] | None, expected: list[str]
) -> None:
    with name_server(records) as resolver:
        assert sorted(name_records.txt(NAME, resolver=resolver)) == sorted(expected)


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    began = time.monotonic()
    with name_server([], silent=True) as resolver, pytest.raises(LookUpFailed):
        name_records.txt(NAME, seconds=0.4, resolver=resolver)
    assert time.monotonic() - began < 3


def test_a_name_that_cannot_be_is_refused_as_a_failure() -> None:
    with pytest.raises(LookUpFailed):
        name_records.txt("x" * 64 + ".example", resolver=dns.resolver.Resolver(configure=False))

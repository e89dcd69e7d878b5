"""The line that other tests send files over loses the end of what it carries, and no middle."""

import socket
from functools import partial

from tests.journeys.cut_lines import BLOCK, line_to

SENT = b"first" * BLOCK


def test_a_held_connection_carries_nothing_that_comes_later() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        line_to(server.getsockname()[1]) as line,
    ):
        line.hold_after = 1
        with socket.create_connection(("127.0.0.1", int(line.url.rpartition(":")[2]))) as near:
            far, _ = server.accept()
            near.sendall(SENT)
            assert line.held.wait(10)
            line.hold_after = None
            near.sendall(b"later")
        with far:
            assert SENT.startswith(came := b"".join(iter(lambda: far.recv(BLOCK), b"")))

    assert 0 < len(came) == line.sent < len(SENT)


def test_a_line_is_cut_once() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        line_to(server.getsockname()[1]) as line,
    ):
        line.cut_after = 1
        address = ("127.0.0.1", int(line.url.rpartition(":")[2]))
        for expected_cuts in (1, 1):
            with socket.create_connection(address) as near:
                far, _ = server.accept()
                near.sendall(b"all")
                near.shutdown(socket.SHUT_WR)
                with far:
                    assert b"".join(iter(partial(far.recv, BLOCK), b"")) == b"all"
            assert line.cuts == expected_cuts

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from server.broker import Broker
from server.embedded import EmbeddedServerError, free_port, held_port, living_in

ONCE = Retry(NoBackoff(), retries=0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Broker]:
    server = Broker(tmp_path / "a home")
    yield server
    server.stop()


def port_of(address: str) -> int:
    port = urlsplit(address).port
    assert port is not None
    return port


def test_killed_broker_keeps_its_queue_and_its_address(server: Broker) -> None:
    server.start()
    address = server.url()
    with redis.Redis.from_url(address) as queue:
        queue.rpush("settle", "batch:81")

    for process in living_in(server.data):
        process.kill()
        process.wait()
    assert not server.is_running()
    assert server.start()

    assert server.url() == address
    with redis.Redis.from_url(address) as queue:
        assert queue.lrange("settle", 0, -1) == [b"batch:81"]


def test_strangers_need_the_password(server: Broker) -> None:
    server.start()
    port = port_of(server.url())

    with redis.Redis(port=port, retry=ONCE) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()

    assert (server.home / "broker.json").stat().st_mode & 0o077 == 0
    assert (server.home / "broker.conf").stat().st_mode & 0o077 == 0


def test_borrowed_broker_is_named_and_stopped(server: Broker) -> None:
    with server.borrowed() as variables:
        assert variables == {"BROKER_URL": server.url()}
        assert server.is_running()

    assert not living_in(server.data)


def test_port_taken_by_somebody_else_is_left_to_them(server: Broker) -> None:
    server.start()
    address = server.url()
    server.stop()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", port_of(address)))
        squatter.listen()

        server.start()

        assert server.url() != address
        assert server.is_running()


def test_a_held_port_is_given_to_nobody_else_and_served_by_its_own_server() -> None:
    wanted = free_port()
    with held_port(wanted) as mine, held_port(wanted) as other, socket.socket() as server:
        assert mine == wanted != other
        assert free_port(wanted) != wanted
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", mine))
        server.listen()
        for _ in range(8):
            with socket.create_connection(("127.0.0.1", mine), timeout=5):
                server.accept()[0].close()


def test_free_port_keeps_the_wanted_one() -> None:
    wanted = free_port()

    assert free_port(wanted) == wanted


def test_missing_program_is_one_line(server: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.broker.importlib.util.find_spec", lambda _name: None)

    with pytest.raises(EmbeddedServerError, match="make install"):
        server.start()

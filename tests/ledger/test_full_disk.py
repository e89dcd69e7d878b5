"""A disk that fills up: posting fails with one passing error, and goes on when there is space."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.embedded import EmbeddedServerError
from tests.ledger.private_server import (
    WAL_SEGMENT_BYTES,
    PrivateServer,
    end,
    private_server,
    wait_until,
    written,
)

pytestmark = pytest.mark.timeout(600)
ENTRIES, PAIRS = 100, 75
"""An entry of 150 legs lies in its row whole, so that 1,600 of them fill a table."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    with private_server(tmp_path_factory.mktemp("disk")) as server:
        yield server


def post_until(server: PrivateServer, file: Path, *, trouble: bool) -> None:
    """Post until something keeps it from being done, or until something is done again."""
    size = (str(ENTRIES), str(PAIRS))
    poster = server.run("-m", "tests.ledger.posting_forever", str(file), file.name, *size)
    before = len(written(file))
    troubles = file.with_suffix(".trouble")
    try:
        wait_until(
            lambda: len(written(troubles)) > 3 if trouble else len(written(file)) > before,
            "the poster is stopped by a full disk" if trouble else "the poster goes on",
            seconds=120,
        )
    finally:
        end(poster)


def test_a_full_disk_keeps_entries_out_whole_and_loses_none(
    server: PrivateServer, tmp_path: Path
) -> None:
    file = tmp_path / "acknowledged"
    server.restart(file_bytes=3 * WAL_SEGMENT_BYTES)  # the log has space, the tables run out of it

    post_until(server, file, trouble=True)

    posted = server.keys()
    assert set(written(file)) <= set(posted)
    assert len(posted) - len(written(file)) in {0, ENTRIES}, (
        "one call may be unanswered, never in part"
    )
    assert server.is_sound(), "what is there can be read and proved while the disk is full"

    server.restart()
    post_until(server, file, trouble=False)
    assert set(written(file)) <= set(server.keys())
    assert server.is_sound()


def test_a_log_that_cannot_grow_stops_the_server_and_loses_nothing(
    server: PrivateServer, tmp_path: Path
) -> None:
    file = tmp_path / "acknowledged"
    try:
        server.restart(file_bytes=WAL_SEGMENT_BYTES // 4)
        post_until(server, file, trouble=True)
    except EmbeddedServerError:
        # The log stood beyond the limit already: the server cannot even start.
        assert not written(file)

    server.restart()
    assert set(written(file)) <= set(server.keys())
    post_until(server, file, trouble=False)
    assert set(written(file)) <= set(server.keys())
    assert server.is_sound()

"""kill -9 of PostgreSQL while posters run: what was acknowledged is there, the books are sound."""

from pathlib import Path

import pytest

from tests.ledger.private_server import end, private_server, wait_until, written

KILLS = 4


@pytest.mark.timeout(600)
def test_postgresql_killed_again_and_again_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with private_server(tmp_path) as server:
        files = [tmp_path / f"acknowledged-{name}" for name in "ab"]
        posters = [
            server.run("-m", "tests.ledger.posting_forever", str(file), file.name) for file in files
        ]
        try:
            for _ in range(KILLS):
                before = [len(written(file)) for file in files]
                wait_until(
                    lambda before=before: all(  # type: ignore[misc]
                        len(written(file)) > count
                        for file, count in zip(files, before, strict=True)
                    ),
                    "the posters go on after each crash",
                )
                server.kill()
                server.start()
        finally:
            end(*posters)
        acknowledged = {key for file in files for key in written(file)}
        assert len(acknowledged) >= 40 * KILLS
        assert acknowledged - set(server.keys()) == set()
        assert server.is_sound()

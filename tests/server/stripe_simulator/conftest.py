from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.stripe_simulator.stage import Stage, staged


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage

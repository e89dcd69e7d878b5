"""Chooses where the suite plays: ``make test-live`` means Stripe, everything else the simulation."""

import os
from collections.abc import Iterator

import pytest

from server.stripe_simulator import Settings
from tests.live.stand import LiveStand, SimulatedStand, Stand
from tests.server.stripe_simulator.stage import staged


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    if os.environ.get("TRIBUTE_TEST_LIVE") == "1":
        yield LiveStand.from_environment()
        return
    # A payee's balance stays at Stripe for a day or more, so that it can be taken back.
    slow = Settings(payout_delay_s=3_600, retry_base_s=0.02, fee_ppm=15_000)
    with staged(tmp_path_factory.mktemp("stripe"), slow) as stage:
        yield SimulatedStand(stage)

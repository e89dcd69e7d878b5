"""Another few thousand odd addresses at each run: every way of reading them gives the same answers."""

import random
import sys

from tests.fuzzed_urls import compare

COUNT = 4_000


def test_every_way_of_reading_urls_agrees() -> None:
    seed = random.randrange(10**9)
    sys.stdout.write(f"seed {seed}\n")

    found = compare(seed, COUNT)

    assert found.differences == [], seed
    assert found.counts["addresses"] == COUNT
    assert COUNT // 2 < found.counts["understood"] < COUNT

"""Read a million odd addresses every way, and count the differences: there must be none.

    make bench NAME=fuzz
    … python -m tests.benchmarks.fuzz --count 50000 --seed 7

Compared are plain Python, the compiled kernel, what web servers ask of it, and ada, the parser of
Node.js (requirements/bench.txt). Costs a hundred microseconds of processor an address.
"""

import argparse
import secrets
import sys
import time

import psycopg

from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.fuzzed_urls import ADA, compare
from tribute.snapshot.probing import KERNEL

AT_ONCE = 50_000


def main() -> int:
    """Compare, print, keep; 1 when there is a difference."""
    parser = argparse.ArgumentParser(description="Compare ways of reading URLs.")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    options = parser.parse_args()
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    say(f"seed {options.seed}; kernel {'yes' if KERNEL else 'no'}; ada {'yes' if ADA else 'no'}")
    counts: dict[str, int] = {}
    started = time.process_time()
    for first in range(0, options.count, AT_ONCE):
        found = compare(options.seed + first, min(AT_ONCE, options.count - first))
        for name, count in found.counts.items():
            counts[name] = counts.get(name, 0) + count
        for how, url in found.differences[:5]:
            say(f"  {how}: {url[:200]!a}")
        say(f"{counts['addresses']:>10,} addresses, {counts.get('differences', 0)} differences")
    spent = time.process_time() - started
    figures = {
        **counts,
        "differences": counts.get("differences", 0),
        "seed": options.seed,
        "kernel": KERNEL is not None,
        "ada": ADA is not None,
        "cpu_us_an_address": round(spent / options.count * 1e6),
    }
    path = machine.record("fuzz", figures, described)
    say(f"Written to {path}")
    return 1 if figures["differences"] else 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

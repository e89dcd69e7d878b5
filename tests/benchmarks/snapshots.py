"""What it takes to publish a registry's decisions for use offline, and to bring a copy home.

    make bench NAME=snapshots
    … python -m tests.benchmarks.snapshots --urls 10000000 --rounds 1

A registry of addresses with one statement each, and places with theirs. In turn: a base; next to it
PostgreSQL's own ``COPY`` of the same rows in the order of keys, to a client that throws them away; a client's
first copy of that base, downloaded from a folder, verified, written and opened; next to it hashing the same
files once; a delta after some keys changed, and the copy that follows it. Counted is processor time, of each
step's own process and of its PostgreSQL backend, and the most memory its process held.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import django
import psycopg

django.setup()

from server.postgres import superuser_url  # noqa: E402 - models need the set-up above
from tests.benchmarks import machine  # noqa: E402
from tests.benchmarks.checks_service import filled  # noqa: E402
from tests.benchmarks.checks_world import Sizes  # noqa: E402

DATABASE = "bench_snapshots"
CHANGED = 10_000
STEPS = ("ordered_copy", "base", "hashing", "first_copy", "delta", "later_copy")
# Each counts as changed; nothing else about it does.
CHANGE_SOME = """UPDATE registry_decisionindex SET tier = tier
 WHERE key IN (SELECT key FROM registry_decisionindex ORDER BY key LIMIT %(most)s)"""

Taken = dict[str, float]


def main() -> None:
    """Fill, take each step in turn, print, keep."""
    options = _options()
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    sizes = Sizes(options.urls, options.domains, options.paths, 0)
    with tempfile.TemporaryDirectory() as place, filled(sizes, DATABASE) as keys:
        rounds = [_round(Path(place)) for _ in range(options.rounds)]
        at_rest = _take("rest", Path(place))["memory"]
    figures: dict[str, Any] = {"keys": keys, "memory_at_rest_mib": round(at_rest)}
    for step in STEPS:
        figures[step] = _joined([taken[step] for taken in rounds], keys)
    _report(figures)
    say(f"\nWritten to {machine.record('snapshots', figures, described)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the publishing of snapshots.")
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--domains", type=int, default=30_000)
    parser.add_argument("--paths", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _round(home: Path) -> dict[str, Taken]:
    for folder in ("mine", "snapshots"):
        shutil.rmtree(home / folder, ignore_errors=True)
    taken = {}
    for step in STEPS:
        if step == "delta":
            _change_some()
        taken[step] = _take(step, home)
    return taken


def _take(step: str, home: Path) -> Taken:
    command = [sys.executable, "-m", "tests.benchmarks.snapshot_steps", step, DATABASE, str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken: Taken = json.loads(done.stdout)
    return taken


def _change_some() -> None:
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as server:
        server.execute(CHANGE_SOME, {"most": CHANGED})


def _joined(taken: list[Taken], keys: int) -> dict[str, float]:
    """Return the medians of rounds: microseconds a key, seconds, MiB."""
    middle = {name: median(each[name] for each in taken) for name in taken[0]}
    return {
        "worker_us": round(middle["worker"] / keys * 1e6, 2),
        "postgresql_us": round(middle["postgresql"] / keys * 1e6, 2),
        "processor_s": round(middle["worker"] + middle["postgresql"], 1),
        "keys_per_s": round(keys / (middle["worker"] + middle["postgresql"])),
        "clock_s": round(middle["clock"], 1),
        "memory_mib": round(middle["memory"]),
    }


def _report(figures: dict[str, Any]) -> None:
    say(f"{figures['keys']:,} keys; {figures['memory_at_rest_mib']} MiB at rest; µs a key\n")
    say(
        f"{'':<14}{'worker':>9}{'PostgreSQL':>12}{'keys/s':>12}{'both, s':>10}{'clock, s':>10}"
        f"{'MiB':>7}"
    )
    for step in STEPS:
        taken = figures[step]
        say(
            f"{step:<14}{taken['worker_us']:>9.2f}{taken['postgresql_us']:>12.2f}"
            f"{taken['keys_per_s']:>12,}{taken['processor_s']:>10.1f}{taken['clock_s']:>10.1f}{taken['memory_mib']:>7}"
        )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

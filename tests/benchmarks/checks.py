"""How fast a snapshot answers, next to three yardsticks, on one core and in one interleaved run.

    make bench NAME=checks
    … python -m tests.benchmarks.checks --urls 100000 --rows 100000    (a quick look)

Counted is processor time, since neighbours make clocks swing. Yardsticks: datatrove's URLFilter
with the same lists (from requirements/bench.txt; without it that column is left out), our own
plain Python, and for the API (the real endpoint: see ``checks_endpoint``) ``= ANY`` in PostgreSQL. Every
contender but datatrove and ``= ANY`` reads Parquet and writes Parquet; those two get their input for free.
Answers are compared first: the kernel against plain Python, on a million invented addresses.
"""

import argparse
import importlib
import operator
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from server.embedded import PROJECT
from server.postgres import superuser_url
from tests.benchmarks import checks_endpoint, machine
from tests.benchmarks.checks_world import (
    NOW,
    PUBLIC,
    Sizes,
    keys_and_bytes,
    lists,
    publish,
    write_crawl,
)
from tribute.snapshot import Snapshot
from tribute.snapshot.parquet import Rules, filter_file
from tribute.vocabulary import Purpose

ROUNDS = 5
SAMPLE = 20_000
RULES = Rules((Purpose.TRAIN_AI,), unknown="keep")
BARS = {"datatrove": 10.0, "pure_python": 5.0, "api_vs_any": 10.0}

Work = Callable[[], int]


def main() -> None:
    """Build the world, compare answers, measure, print, keep."""
    options = _options()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    sizes = Sizes(options.urls, options.domains, options.paths, options.rows)
    with (
        tempfile.TemporaryDirectory() as place,
        psycopg.connect(superuser_url(), autocommit=True) as server,
    ):
        folder = Path(place)
        described = machine.describe(server)
        machine.show(described)
        say(f"Publishing {sizes.urls:,} URLs, {sizes.domains:,} domains, {sizes.paths:,} paths …")
        fast = publish(folder, sizes)
        plain = Snapshot.open(folder / "mine", public_key=PUBLIC, at=NOW, plain=True)
        figures: dict[str, Any] = {"bytes_per_key": _bytes_per_key(folder, fast)}
        crawls = {}
        for regime in ("dense", "sparse"):
            crawls[regime] = folder / f"{regime}.parquet"
            write_crawl(crawls[regime], sizes, dense=regime == "dense")
        figures["differences"] = _differences(fast, plain, crawls["dense"], options.differences)
        filters = _url_filter(sizes)
        for regime, crawl in crawls.items():
            per_row = _play(_contenders(folder, crawl, fast, plain, filters))
            _report(regime, crawl, fast, per_row)
            figures.setdefault("rows_per_s", {})[regime] = round(1 / per_row["snapshot"])
            ratios = {name: round(t / per_row["snapshot"], 1) for name, t in per_row.items()}
            ratios.pop("snapshot")
            figures["ratios" if regime == "dense" else "ratios_sparse"] = ratios
    figures["online"] = checks_endpoint.measure(sizes)
    for regime, name in (("dense", "ratios"), ("sparse", "ratios_sparse")):
        reached = figures["online"][regime]
        figures[name]["api_vs_any"] = max(reached["json_vs_any"], reached["arrow_vs_any"])
        figures[name]["decisions_vs_any"] = reached["decisions_vs_any"]
    _conclude(figures, described)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure offline checks.")
    parser.add_argument("--urls", type=int, default=10_000_000)
    parser.add_argument("--domains", type=int, default=300_000)
    parser.add_argument("--paths", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--differences", type=int, default=1_000_000)
    return parser.parse_args()


def _bytes_per_key(folder: Path, snapshot: Snapshot) -> float:
    keys, size = keys_and_bytes(folder, snapshot)
    say(f"{keys:,} keys in {size / 1e6:,.0f} MB")
    return round(size / keys, 2)


def _differences(fast: Snapshot, plain: Snapshot, crawl: Path, count: int) -> int:
    """Answer many mangled addresses both ways; there must be no difference."""
    chance = random.Random(3)
    seen = pq.read_table(crawl, columns=["url"]).column("url").to_pylist()
    different = done = 0
    while done < count:
        urls = [_mangled(chance, chance.choice(seen)) for _ in range(min(50_000, count - done))]
        one, other = (s.check(urls, list(Purpose), at=NOW) for s in (fast, plain))
        different += int((one.scores != other.scores).any(axis=1).sum())
        different += int((one.understood != other.understood).sum())
        done += len(urls)
    say(f"{done:,} mangled addresses: {different} differences between kernel and plain Python")
    assert different == 0, "both ways give the same answers"
    return different


def _mangled(chance: random.Random, url: str) -> str:
    """Change an address in up to three places: often harmlessly, sometimes beyond repair."""
    text = list(url)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(text))
        text[at] = chance.choice(
            (text[at].upper(), f"%{ord((text[at] or 'a')[0]):02x}", "/./", "/../", "%", "é", ":80", "@", "\\",
             "#", "?", " ", "..", "xn--", "\t", text[at] * 2, "")
        )  # fmt: skip
    return "".join(text)


def _url_filter(sizes: Sizes) -> Any:
    """datatrove's filter with the same lists, and no others."""
    try:
        filters = importlib.import_module("datatrove.pipeline.filters")
        suffixes = importlib.import_module("tldextract")
    except ImportError:
        say("datatrove is not here (requirements/bench.txt); its column is left out.")
        return None
    urls, domains, _ = lists(sizes)
    url_filter = filters.URLFilter(
        extra_domains=list(domains),
        extra_urls=[f"https://{url}" for url in urls],
        use_integrated_lists=False,
    )
    # The list of public suffixes that the package brings, not one fetched now.
    url_filter.tldextractor = suffixes.TLDExtract(suffix_list_urls=())
    return url_filter


def _contenders(
    folder: Path, crawl: Path, fast: Snapshot, plain: Snapshot, filters: Any
) -> dict[str, Work]:
    sample = folder / f"sample-{crawl.name}"
    table = pq.read_table(crawl)
    pq.write_table(table.slice(0, SAMPLE), sample)
    out = folder / "out.parquet"
    contenders: dict[str, Work] = {
        "snapshot": lambda: filter_file(crawl, out, fast, RULES, at=NOW).rows,
        "pure_python": lambda: filter_file(sample, out, plain, RULES, at=NOW).rows,
    }
    if filters is not None:
        document = importlib.import_module("datatrove.data").Document
        urls = table.slice(0, SAMPLE).column("url").to_pylist()
        documents = [document(text="", id="", metadata={"url": url}) for url in urls]
        contenders["datatrove"] = partial(_filter_all, filters, documents)
    return contenders


def _filter_all(filters: Any, documents: Sequence[Any]) -> int:
    for document in documents:
        filters.filter(document)
    return len(documents)


def _play(contenders: dict[str, Work]) -> dict[str, float]:
    """Let everybody work in turn; return the median processor seconds per row of each."""
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS + 1):
        for name, work in contenders.items():
            busy = time.process_time()
            rows = work()
            # The first round warms up.
            spent[name] += [(time.process_time() - busy) / rows] if number else []
    return {name: median(times) for name, times in spent.items()}


def _report(regime: str, crawl: Path, fast: Snapshot, per_row: dict[str, float]) -> None:
    urls = pq.read_table(crawl, columns=["url"]).column("url")
    matched = float((fast.check(urls, at=NOW).scores != 0).mean())
    say(f"\n{regime}: {matched:.1%} of {len(urls):,} rows match")
    for name, seconds in per_row.items():
        times = "" if name == "snapshot" else f"{seconds / per_row['snapshot']:8.1f} × the snapshot"
        say(f"  {name:<12}{seconds * 1e6:8.2f} µs a row{1 / seconds:>14,.0f} rows/s{times}")


def _conclude(figures: dict[str, Any], described: dict[str, str]) -> None:
    say(f"\n{'':<14}{'reached':>10}{'bar':>10}")
    for name, bar in BARS.items():
        reached = figures["ratios"].get(name)
        verdict = "" if reached is None or operator.ge(reached, bar) else "   missed"
        say(f"{name:<14}{reached if reached is not None else 'left out':>10}{bar:>10g}{verdict}")
    path = machine.record("checks", figures, described)
    say(f"\nWritten to {path.relative_to(PROJECT)}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

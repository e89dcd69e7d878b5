"""The world that the benchmark of checks measures in: rules, a snapshot of them, and a crawl.

Addresses are invented: hosts after Zipf, paths of the usual lengths, some with queries, ports,
escapes or dot segments, a few unusual. Owns inventing and publishing; measures nothing.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.changes import KEY_BYTES
from tribute.snapshot.publishing import (
    CodeBook,
    Edition,
    Publisher,
    Signer,
    files_folder,
    state_folder,
)
from tribute.snapshot.scores import PURPOSES, Segment, score
from tribute.snapshot.tables import GATE_SHIFT, GATE_URLS, Columns, Numbers, split_keys
from tribute.verdict import Tier
from tribute.vocabulary import Decision

PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"checks").digest())
PUBLIC = PRIVATE.public_key().public_bytes_raw()
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TAGS = {"domain": b"\x01", "path": b"\x02", "url": b"\x03", "host": b"\x04"}
ENDINGS = ("com", "org", "net", "co.uk", "de", "info")
WORDS = ("news", "article", "story", "blog", "a", "page", "item", "some-longer-title-of-it", "img")
MOST_ON_A_HOST = 200_000
EMPTY_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each: URLs, domain rules and path rules registered; rows of a crawl."""

    urls: int
    domains: int
    paths: int
    rows: int


def domain_name(number: int) -> str:
    """The registered domain of that number; numbers past the rules are nobody's."""
    return f"{WORDS[number % 7]}{number * 2_654_435_761 % 2**32:x}.{ENDINGS[number % 6]}"


def url_of(number: int, sizes: Sizes) -> str:
    """The registered URL of that number, canonical: most lie on few hosts."""
    spread = (number * 0.618033988749895) % 1.0
    host = int(sizes.domains * spread**4)
    word = WORDS[number % len(WORDS)]
    query = f"?id={number % 97}" if number % 7 == 0 else ""
    return f"{domain_name(host)}/{word}/{2000 + number % 25}/{number:08x}.html{query}"


def path_of(number: int, sizes: Sizes) -> str:
    """The registered path prefix of that number, canonical."""
    host = int(sizes.domains * ((number * 0.7548776662466927) % 1.0))
    return f"{domain_name(host)}/{WORDS[number % len(WORDS)]}/"


def lists(sizes: Sizes) -> tuple[Iterator[str], Iterator[str], Iterator[str]]:
    """The registered URLs, domains and path prefixes, canonical. Rules stand on every other domain."""
    return (
        (url_of(n, sizes) for n in range(sizes.urls)),
        (domain_name(n) for n in range(sizes.domains)),
        (path_of(n, sizes) for n in range(sizes.paths)),
    )


def publish(folder: Path, sizes: Sizes) -> Snapshot:
    """Publish all rules as one base, synchronise a copy, and open that."""
    codes, numbers = CodeBook(), {}
    for table, tier, decision in (
        ("url", Tier.WORK, Decision.DENY),
        ("path", Tier.COLLECTION, Decision.ALLOW),
        ("domain", Tier.COLLECTION, Decision.DENY),
    ):
        numbers[table] = codes.number((Segment(0, (score(tier, 0, decision),) * len(PURPOSES)),))
    urls, domains, paths = lists(sizes)
    pieces = [
        ("url", _rows("url", urls, numbers["url"])),
        ("domain", _rows("domain", domains, numbers["domain"])),
        ("path", _rows("path", paths, numbers["path"])),
        ("host", _gates(sizes)),
    ]
    edition = Edition(None, NOW, NOW + timedelta(days=7), 0)
    counts = {table: len(columns["code"]) for table, columns in pieces}
    publisher = Publisher(folder / "registry", Signer(PUBLIC, PRIVATE.sign))
    data = publisher.base(iter(pieces), codes, edition, sizes=counts)
    served = files_folder(publisher.root)
    (served / "manifest.json").write_bytes(data)
    sync(FolderSource(served), folder / "mine", public_key=PUBLIC, at=NOW)
    return Snapshot.open(folder / "mine", public_key=PUBLIC, at=NOW)


def keys_and_bytes(folder: Path, snapshot: Snapshot) -> tuple[int, int]:
    """How many keys were published, and what they take on a client's disk."""
    state = state_folder(folder / "registry", 0)
    size = sum(path.stat().st_size for path in state.iterdir())
    return sum(s.rows for name, s in snapshot.manifest.tables.items() if name != "codes"), size


def write_crawl(path: Path, sizes: Sizes, *, dense: bool, seed: int = 1) -> None:
    """Write a crawl of ``sizes.rows`` rows; about 72 % of a dense one and 4 % of a sparse one match."""
    chance = random.Random(seed)
    rows: list[str] = []
    while len(rows) < sizes.rows:
        registered = chance.random() < (0.72 if dense else EMPTY_SHARE)
        rows.append(_seen(chance, sizes, registered=registered))
    table = pa.table({"n": np.arange(len(rows)), "url": rows})
    pq.write_table(table, path, row_group_size=1 << 17)


def _seen(chance: random.Random, sizes: Sizes, *, registered: bool) -> str:
    """An address as a crawler meets it."""
    if registered and chance.random() < 0.15:
        address = url_of(chance.randrange(sizes.urls), sizes)
    else:
        rank = int(sizes.domains * chance.random() ** 4)
        host = domain_name(rank if registered else rank + sizes.domains)
        below = chance.choice(("", "", "", "blog.", "m.", "a.b."))
        word = chance.choice(WORDS)
        query = f"?utm_source=x&p={chance.randrange(99)}" if chance.random() < 0.2 else ""
        number = chance.randrange(10**8)
        address = f"{below}{host}/{word}/{2000 + number % 25}/{word}-{number}.html{query}"
    odd = chance.random()
    if odd < 0.003:
        return f"https://user@{address}"
    if odd < 0.02:
        address = address.replace("/", chance.choice((":443/", "/%7Ex/../", "/./")), 1)
    return f"{chance.choice(('https://', 'https://', 'https://www.', 'http://'))}{address}"


def _rows(table: str, canonical: Iterator[str], code: int) -> Columns:
    tag = TAGS[table]
    keys = b"".join(hashlib.sha256(tag + c.encode()).digest()[:KEY_BYTES] for c in canonical)
    high, low = split_keys(keys, len(keys) // KEY_BYTES)
    return _ordered(high, low, np.full(len(high), code, "<u4"))


def _gates(sizes: Sizes) -> Columns:
    """Every host on which a URL or a path is registered."""
    gates: dict[str, int] = {}
    for number in range(sizes.urls):
        host = url_of(number, sizes).partition("/")[0]
        gates[host] = GATE_URLS
    for number in range(sizes.paths):
        host = path_of(number, sizes).partition("/")[0]
        gates[host] = gates.get(host, 0) & GATE_URLS | 2
    keys = b"".join(hashlib.sha256(TAGS["host"] + h.encode()).digest()[:KEY_BYTES] for h in gates)
    high, low = split_keys(keys, len(gates))
    return _ordered(high, low, np.fromiter(gates.values(), "<u4", len(gates)) << GATE_SHIFT)


def _ordered(high: Numbers, low: Numbers, code: Numbers) -> Columns:
    order = np.lexsort((low, high))
    fresh = np.ones(len(order), bool)
    fresh[1:] = np.diff(high[order]) != 0
    kept = order[fresh]
    return {"high": high[kept], "low": low[kept], "code": code[kept]}

"""Compare every way of reading URLs, on addresses that nobody writes: there must be no difference.

The reference is ``identifiers.candidate_keys``. Against it stand the compiled kernel (canonical forms,
what keys lead to, and which are there at all, as web servers ask), the plain ways beside it, and, where it
is installed, the parser ada by way of can_ada. Used by a test and by a benchmark of a million.
"""

import importlib
import random
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import idna
import numpy as np
import pyarrow as pa

from tests.odd_urls import odd_url
from tribute.identifiers import (
    MAX_CHARACTERS,
    InvalidIdentifier,
    Key,
    candidate_keys,
    canonical_url,
)
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.presence import Presence, tagged
from tribute.snapshot.probing import KERNEL, prober

ADA: Any
try:
    ADA = importlib.import_module("can_ada")
except ImportError:  # a benchmark's package
    ADA = None

KNOWN_ONE_IN = 3
MOST_CODES = 200
BATCH = 2_000
# What this project refuses though a URL may hold it: the URL Standard escapes or drops it.
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_STRIPPED = "".join(map(chr, range(33)))

Keys = tuple[Key, ...] | None


@dataclass(slots=True)
class Comparison:
    """What was compared. counts: by outcome. differences: the first few, each with the URL."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[str, str]] = field(default_factory=list)

    def differ(self, how: str, url: str) -> None:
        """Note a difference."""
        self.counts["differences"] += 1
        if len(self.differences) < BATCH:
            self.differences.append((how, url))


def compare(seed: int, count: int) -> Comparison:
    """Read ``count`` addresses every way."""
    chance, found = random.Random(seed), Comparison()
    while count > 0:
        urls = [odd_url(chance) for _ in range(min(count, BATCH))]
        _compare_batch(chance, urls, found)
        count -= len(urls)
    return found


def _compare_batch(chance: random.Random, urls: list[str], found: Comparison) -> None:
    reference = [_keys(url) for url in urls]
    layers, known = _worlds(chance, reference)
    column = pa.array(urls, pa.string())
    kernel = Presence(layers[0]).with_changed(layers[1]).of_urls(column)
    codes: Any = np.arange(MOST_CODES, dtype="<u4").reshape(-1, 1)
    scores, understood = prober(layers[0]).scores(column, codes)
    for row, (url, keys) in enumerate(zip(urls, reference, strict=True)):
        found.counts["addresses"] += 1
        found.counts["understood"] += keys is not None
        there = None if keys is None else b"".join(tagged(k) for k in keys if k.digest in known)
        if kernel[row] != there:
            found.differ("present", url)
        best = max((known.get(key.digest, 0) for key in keys or ()), default=0)
        if bool(understood[row]) != (keys is not None) or (keys and scores[row, 0] != best):
            found.differ("scores", url)
        form = KERNEL.canonical(url.encode()) if KERNEL else None
        found.counts["in the kernel"] += form is not None
        if form is not None and (keys is None or form.decode() != keys[0].canonical):
            found.differ("canonical", url)
        if ADA is not None and not _as_ada_does(url, keys, found):
            found.differ("ada", url)
    plain = Presence(layers[0], plain=True).with_changed(layers[1])
    few = slice(0, BATCH // 20)
    if plain.of_urls(column[few]) != kernel[few]:
        found.differ("plain", urls[0])


def _worlds(chance: random.Random, reference: list[Keys]) -> tuple[list[Any], dict[bytes, int]]:
    """Register some of the keys: in a snapshot, and in what changed since; return both and all codes."""
    known: dict[bytes, int] = {}
    layers = [Changes(), Changes()]
    for keys in reference:
        for key in keys or ():
            if key.digest in known or chance.randrange(KNOWN_ONE_IN):
                continue
            later = chance.random() < 0.5
            known[key.digest] = 0 if later else chance.randrange(1, MOST_CODES)
            layers[later].put(key.kind, key.digest, known[key.digest] or 1)
            if gate := gate_of(key.kind, key.canonical):
                layers[later].open_gate(*gate)
    return [layer.columns() for layer in layers], known


def _keys(url: str) -> Keys:
    try:
        return candidate_keys(url)
    except InvalidIdentifier:
        return None


def _as_ada_does(url: str, keys: Keys, found: Comparison) -> bool:
    """Whether ada reads the same: what it parses has our canonical form, and what it refuses has none.

    We refuse more: control characters, names that cannot be looked up, excessive length.
    """
    try:
        parsed = ADA.parse(url)
    except ValueError:
        # The URL Standard has taken bad Punycode in ASCII names since June 2026; ada 3 had not.
        return keys is None or "xn--" in keys[0].canonical.partition("/")[0]
    found.counts["parsed by ada"] += 1
    try:
        # Without the fragment, which belongs to no key but may grow past the length we read.
        theirs = canonical_url(parsed.href.partition("#")[0])
    except InvalidIdentifier:
        return keys is None
    text = url.strip(_STRIPPED)
    refused = len(url) > MAX_CHARACTERS or bool(_REFUSED.search(text))
    if keys is None:
        return refused or not _keeps_direction(parsed.hostname)
    return keys[0].canonical == theirs


def _keeps_direction(name: str) -> bool:
    """Whether all labels obey the rule for names written right to left in part (RFC 5893, section 2).

    ada asks it of the labels that are written so; UTS #46 of every label of such a name.
    """
    labels = [
        each.removeprefix("xn--").encode().decode("punycode") if each.startswith("xn--") else each
        for each in filter(None, name.split("."))
    ]
    if not any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for each in labels for c in each):
        return True
    try:
        return all(idna.check_bidi(each, check_ltr=True) for each in labels)
    except idna.IDNABidiError:
        return False

"""Find the works an output may have drawn on, near-copies counted as one.

Owns the reading of the index and the making of clusters. Only works of the model's manifest that
were allowed when they were ingested are ever looked at. What a match is worth is the method's.
"""

from collections.abc import Collection, Mapping

from django.db import connection

from attribution import rosters
from attribution.indexing import signed
from attribution.methods.evidence import Candidate, Evidence
from attribution.sql import statement
from registry.models import Manifest
from tribute import ids
from tribute.features import Features

SCAN_TEXTS = 256
"""An n-gram in more texts than this is only looked for in the earliest registered of them."""

NGRAMS_AT_ONCE = 50_000


def find(outputs: Mapping[str, Features], manifest: Manifest) -> dict[str, Evidence]:
    """Return, by the same keys, where each output repeats works of ``manifest``."""
    works_with = _look_up({each for output in outputs.values() for each in output.hashes}, manifest)
    leader_of = rosters.of_manifest(manifest).leader_of(set().union(*works_with.values()))
    leaders_with = {
        ngram: {leader_of[work] for work in works if work in leader_of}
        for ngram, works in works_with.items()
    }
    return {key: _evidence(output, leaders_with) for key, output in outputs.items()}


def _look_up(ngrams: Collection[int], manifest: Manifest) -> dict[int, list[str]]:
    """Return the manifest's works that contain each n-gram."""
    unsigned = dict(zip(signed(ngrams), ngrams, strict=True))
    wanted = sorted(unsigned)
    found: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), NGRAMS_AT_ONCE):
            cursor.execute(
                statement("find_candidates"),
                {
                    "hashes": wanted[start : start + NGRAMS_AT_ONCE],
                    "manifest": ids.decode("mft", manifest.pk),
                    "scan": SCAN_TEXTS,
                },
            )
            for ngram, work in cursor.fetchall():
                found.setdefault(unsigned[ngram], []).append(ids.encode("wrk", work))
    return found


def _evidence(output: Features, leaders_with: Mapping[int, Collection[str]]) -> Evidence:
    positions: dict[str, list[int]] = {}
    for position, ngram in enumerate(output.hashes):
        for work in leaders_with.get(ngram, ()):
            positions.setdefault(work, []).append(position)
    candidates = tuple(Candidate(work, tuple(positions[work])) for work in sorted(positions))
    return Evidence(output.words, output.ngram_size, candidates)

"""Find the works an output may have drawn on, near-copies counted as one.

Owns the reading of the index and the making of clusters. Only works of the model's manifest that
were allowed when they were ingested are ever looked at. What a match is worth is the method's.
"""

from collections.abc import Collection, Mapping

import numpy as np

from attribution import ngram_index, rosters
from attribution.methods.evidence import Candidate, Evidence
from attribution.rosters import Roster
from registry.models import Manifest
from tribute.features import Features

SCAN_TEXTS = 256
"""An n-gram in more texts than this is only looked for in those of them indexed first."""


def find(outputs: Mapping[str, Features], manifest: Manifest) -> dict[str, Evidence]:
    """Return, by the same keys, where each output repeats works of ``manifest``."""
    roster = rosters.of_manifest(manifest)
    works_with = _look_up({each for output in outputs.values() for each in output.hashes}, roster)
    leader_of = roster.leader_of(set().union(*works_with.values()))
    leaders_with = {
        ngram: {leader_of[work] for work in works if work in leader_of}
        for ngram, works in works_with.items()
    }
    return {key: _evidence(output, leaders_with) for key, output in outputs.items()}


def _look_up(ngrams: Collection[int], roster: Roster) -> dict[int, list[str]]:
    """Return the manifest's works that contain each n-gram."""
    index = ngram_index.current()
    wanted = np.sort(np.fromiter(ngrams, np.uint64, len(ngrams)))
    places, texts = index.find(wanted, most=SCAN_TEXTS)
    distinct, of_pair = np.unique(texts, return_inverse=True)
    numbers = roster.numbers_of(index.ids_of(distinct))[of_pair]
    found: dict[int, list[str]] = {}
    known = numbers >= 0
    for ngram, number in zip(wanted[places[known]].tolist(), numbers[known].tolist(), strict=True):
        found.setdefault(ngram, []).append(roster.works[number])
    return found


def _evidence(output: Features, leaders_with: Mapping[int, Collection[str]]) -> Evidence:
    positions: dict[str, list[int]] = {}
    for position, ngram in enumerate(output.hashes):
        for work in leaders_with.get(ngram, ()):
            positions.setdefault(work, []).append(position)
    candidates = tuple(Candidate(work, tuple(positions[work])) for work in sorted(positions))
    return Evidence(output.words, output.ngram_size, candidates)

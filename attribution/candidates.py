"""Find the works an output may have drawn on, near-copies counted as one.

Owns the reading of the index and the making of clusters. Only works of the model's manifest that
were allowed when they were ingested are ever looked at. What a match is worth is the method's.
"""

from collections.abc import Collection, Mapping

from django.db import connection
from django.db.models import Q, QuerySet

from attribution.indexing import signed
from attribution.methods.clusters import leaders
from attribution.methods.evidence import Candidate, Evidence
from attribution.models import NearDuplicate
from attribution.sql import statement
from registry import clusters
from registry.manifests import allowed_works
from registry.models import ClaimConflict, Manifest, Work
from tribute import ids
from tribute.features import Features

SCAN_TEXTS = 256
"""An n-gram in more texts than this is only looked for in the earliest registered of them."""

NGRAMS_AT_ONCE = 50_000


def find(outputs: Mapping[str, Features], manifest: Manifest) -> dict[str, Evidence]:
    """Return, by the same keys, where each output repeats works of ``manifest``."""
    works_with = _look_up({each for output in outputs.values() for each in output.hashes}, manifest)
    leader_of = cluster(set().union(*works_with.values()), manifest)
    leaders_with = {
        ngram: {leader_of[work] for work in works if work in leader_of}
        for ngram, works in works_with.items()
    }
    return {key: _evidence(output, leaders_with) for key, output in outputs.items()}


def cluster(works: Collection[str], manifest: Manifest) -> dict[str, str]:
    """Map those of ``works`` that ``manifest`` allows to the work that stands for each.

    Near-duplicates are what the index or the registry paired, unless a claim was decided to be
    distinct; clusters that people reviewed stand as they left them. The earliest registration stands for a cluster; a claim that was lost comes last.
    """
    either = Q(work__in=works) | Q(other__in=works)
    pairs, lost = _pairs(either, works)
    involved = {*works, *(work for pair in pairs for work in pair)}
    return _leaders(allowed_works(manifest).filter(pk__in=involved).distinct(), pairs, lost)


def followers(manifest: Manifest) -> set[str]:
    """Return all works of ``manifest`` that another work stands for."""
    allowed = allowed_works(manifest)
    pairs, lost = _pairs(Q(work__in=allowed, other__in=allowed), allowed)
    if not pairs:
        return set()
    leader_of = _leaders(allowed, pairs, lost)
    return {work for work, leader in leader_of.items() if work != leader}


def _pairs(
    which: Q, works: Collection[str] | QuerySet[Work]
) -> tuple[set[frozenset[str]], set[str]]:
    """Return the pairs of near-duplicates among ``which``, and the works whose claim was lost.

    which: rows of pairs; works: of whose clusters the rest is asked.
    """
    reviewed = clusters.pairs_of(works)
    near = NearDuplicate.objects.filter(which)
    pairs = {frozenset(pair) for pair in near.values_list("work_id", "other_id")}
    pairs |= reviewed.proposed
    lost: set[str] = set()
    claims = ClaimConflict.objects.filter(which)
    for work, other, outcome in claims.values_list("work_id", "other_id", "outcome"):
        if outcome == ClaimConflict.Outcome.DISTINCT:
            pairs.discard(frozenset((work, other)))
            continue
        pairs.add(frozenset((work, other)))
        lost |= {work} if outcome == ClaimConflict.Outcome.OTHER_UPHELD else set()
        lost |= {other} if outcome == ClaimConflict.Outcome.WORK_UPHELD else set()
    return reviewed.corrected(pairs), lost


def _leaders(
    works: QuerySet[Work], pairs: Collection[Collection[str]], lost: Collection[str]
) -> dict[str, str]:
    earliest_first = sorted(
        works.values_list("pk", "registered_at"),
        key=lambda row: (row[0] in lost, row[1], row[0]),
    )
    return leaders([work for work, _ in earliest_first], pairs)


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

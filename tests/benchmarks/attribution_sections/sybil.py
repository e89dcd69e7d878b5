"""What copying a work gains: the share of a rival who is no source, with and without clusters.

Owns the attack. A rival registers copies of the work he already has, word for word or with some
words exchanged, and outputs that come from other works are weighed again. Copies are found as the
registry's index finds them, by the n-grams that two texts share.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from attribution.indexing import LEAST_OVERLAP_PPM
from attribution.methods import shapley, similarity, verbatim
from attribution.methods.clusters import leaders
from attribution.methods.evidence import Candidate, Evidence
from attribution.methods.similarity import Calibration, Passage, Resemblance
from tests.benchmarks.attribution_sections.corpus import Chapter, edited
from tests.benchmarks.attribution_sections.figures import shares
from tests.benchmarks.attribution_sections.lexical import Index
from tests.benchmarks.attribution_sections.retrieval_world import Output, World
from tribute.features import reduce

COPIES = (1, 5, 20)
EDITS = (0.0, 0.01, 0.05, 0.1, 0.2)
LEAST_OVERLAPS = (500_000, 350_000, 200_000, 100_000)
QUOTED = (0.2, 0.33, 0.5)

_REGISTERED = 60
_OUTPUTS = 40
_SOFTMAX = 0.05
_MILLION = 1_000_000

Members = Mapping[str, Sequence[str]]
Method = Callable[[Output, Members], Mapping[str, float]]


def run(world: World, calibration: Calibration) -> dict[str, Any]:
    """Return gains by method, edit and number of copies, before and after clustering."""
    registered = {each.work: each.text for each in world.chapters[:_REGISTERED]}
    others = [o for o in world.test if o.origins and o.origins.keys() <= registered.keys()]
    rival = next(work for work in registered if not any(work in o.origins for o in others))
    found: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for share in EDITS:
        chance = random.Random(0)
        copies = {
            f"{rival}-{at:02d}": edited(registered[rival], chance, share=share)
            for at in range(max(COPIES))
        }
        attack = _Attack(registered, rival, copies, calibration)
        found += [attack.row(others[:_OUTPUTS], share, count) for count in COPIES]
        gains += [attack.gain(others[:_OUTPUTS], share, least) for least in LEAST_OVERLAPS]
    exact = [row for row in found if row["edited"] == 0]
    return {
        "rows": found,
        "merging": [_merging(world.chapters, gains, least) for least in LEAST_OVERLAPS],
        "outputs": min(_OUTPUTS, len(others)),
        "gain_before_clustering": max(max(row["before"].values()) for row in exact),
        "gain_after_clustering": max(max(row["after"].values()) for row in exact),
        "gain_after_clustering_by_edit": {
            f"{share:g}": max(max(row["after"].values()) for row in found if row["edited"] == share)
            for share in EDITS
        },
        "largest_overlap_of_different_works": max(overlaps(registered).values()),
        "least_overlap_of_a_cluster": LEAST_OVERLAP_PPM / _MILLION,
    }


def _merging(
    chapters: Sequence[Chapter], gains: Sequence[Mapping[str, Any]], least: int
) -> dict[str, Any]:
    """Return what one limit puts together: copies, and what is none."""
    chance = random.Random(0)
    texts = {each.work: each.text for each in chapters}
    revised = [overlap(each.text, "\n".join(each.reworded)) for each in chapters]
    different = list(overlaps(texts).values())
    return {
        "least": least / _MILLION,
        "gains": {f"{row['edited']:g}": row["gain"] for row in gains if row["least"] == least},
        "quoting": {
            f"{part:g}": _over([overlap(*_quoting(chapters, part, chance)) for _ in range(100)], least)
            for part in QUOTED
        },
        "revised": _over(revised, least),
        "different": _over(different, least),
        "pairs": len(different),
    }  # fmt: skip


def _over(found: Sequence[float], least: int) -> float:
    return float(np.mean([each * _MILLION >= least for each in found]))


def _quoting(chapters: Sequence[Chapter], part: float, chance: random.Random) -> tuple[str, str]:
    """Return a text that is for a part a quotation, and the equally long one that it quotes."""
    one, other = (each.text.split() for each in chance.sample(list(chapters), 2))
    words = min(len(one), len(other))
    quoted = round(part * words)
    return " ".join([*one[: words - quoted], *other[:quoted]]), " ".join(other[:words])


def overlap(one: str, other: str) -> float:
    """Return the n-grams that two texts share over all n-grams of the two."""
    (found,) = overlaps({"one": one, "other": other}).values()
    return found


def overlaps(texts: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Return, for every two texts, the n-grams that they share over all n-grams of the two."""
    grams = {work: set(reduce(text).hashes) for work, text in texts.items()}
    return {
        (one, other): len(grams[one] & grams[other]) / max(1, len(grams[one] | grams[other]))
        for one, other in combinations(grams, 2)
    }


class _Attack:
    """Registered works, and the rival's copies beside them."""

    def __init__(
        self,
        registered: Mapping[str, str],
        rival: str,
        copies: Mapping[str, str],
        calibration: Calibration,
    ) -> None:
        self._registered, self._rival, self._copies = list(registered), rival, list(copies)
        texts = {**registered, **copies}
        self._index = Index(texts)
        found = overlaps({rival: texts[rival], **copies})
        self.overlaps = [found[rival, copy] for copy in copies]
        self._found = found
        self._methods: dict[str, Method] = {
            "softmax": self._softmax,
            "shapley": self._shapley,
            "similarity": lambda output, members: shares(
                similarity.weigh([self._passage(output, members)], calibration)
            ),
            "verbatim": self._verbatim,
        }

    def row(self, outputs: Sequence[Output], edit: float, count: int) -> dict[str, Any]:
        """Return the gain of ``count`` copies: what the rival and they get, over him alone."""
        works = [*self._registered, *self._copies[:count]]
        clustered = self._clustered(works, LEAST_OVERLAP_PPM)
        alone: Members = {work: [work] for work in self._registered}
        apart: Members = {work: [work] for work in works}
        own = {self._rival, *self._copies}

        def paid(method: Method, members: Members) -> float:
            found = [method(output, members) for output in outputs]
            return float(np.mean([sum(f[w] for w in f.keys() & own) for f in found]))

        before: dict[str, float] = {}
        after: dict[str, float] = {}
        amounts: dict[str, float] = {}
        for name, method in self._methods.items():
            # A rival who is paid nothing alone must be paid nothing with copies; a gain has no
            # meaning then, and what he is paid is in its place under ``paid``.
            base = paid(method, alone)
            amounts[name] = paid(method, apart)
            if base:
                before[name] = amounts[name] / base
                after[name] = paid(method, clustered) / base
        merged = len(clustered[self._rival]) - 1
        return {
            "edited": edit, "copies": count, "clustered": merged / count,
            "median_overlap": float(np.median(self.overlaps)),
            "before": before, "after": after, "paid": amounts,
        }  # fmt: skip

    def gain(self, outputs: Sequence[Output], edit: float, least: int) -> dict[str, Any]:
        """Return the gain of all copies by softmax, which pays everybody, under another limit."""
        works = [*self._registered, *self._copies]
        alone: Members = {work: [work] for work in self._registered}
        own = {self._rival, *self._copies}
        paid = [
            float(np.mean([sum(f[w] for w in f.keys() & own) for f in found]))
            for members in (alone, self._clustered(works, least))
            for found in [[self._softmax(output, members) for output in outputs]]
        ]
        return {"edited": edit, "least": least, "gain": paid[1] / paid[0]}

    def _clustered(self, works: Sequence[str], least: int) -> dict[str, list[str]]:
        """Return the members of each cluster by the work that stands for it."""
        pairs = [pair for pair, part in self._found.items() if part * _MILLION >= least]
        leader = leaders(works, pairs)
        found: dict[str, list[str]] = {work: [] for work in works if leader[work] == work}
        for work in works:
            found[leader[work]].append(work)
        return found

    def _scores(self, output: Output, members: Members) -> dict[str, float]:
        """Return each cluster's BM25: the best of its members'."""
        found = dict(zip(self._index.works, self._index.bm25(output.text).tolist(), strict=True))
        return {work: max(found[each] for each in of) for work, of in members.items()}

    def _softmax(self, output: Output, members: Members) -> dict[str, float]:
        scores = self._scores(output, members)
        highest = max(scores.values())
        powers = {work: np.exp((s - highest) / _SOFTMAX) for work, s in scores.items()}
        total = sum(powers.values())
        return {work: float(power / total) for work, power in powers.items()}

    def _shapley(self, output: Output, members: Members) -> dict[str, float]:
        scores = self._scores(output, members)
        relevances = {work: round(score * _MILLION) for work, score in scores.items()}
        return shares(shapley.weigh([relevances]))

    def _passage(self, output: Output, members: Members) -> Passage:
        scores = self._scores(output, members)
        covered = dict(zip(self._index.works, self._index.coverage(output.text), strict=True))
        rising = similarity.stand_out(list(scores.values()))
        candidates = tuple(
            Resemblance(work, 0.0, score, float(max(covered[each] for each in members[work])))
            for work, score in zip(scores, rising, strict=True)
        )
        return Passage(0, 1, candidates)

    def _verbatim(self, output: Output, members: Members) -> dict[str, float]:
        whole = self._index.evidence(output.text)
        at = {each.work: set(each.positions) for each in whole.candidates}
        merged = {
            work: set().union(*(at.get(each, set()) for each in of)) for work, of in members.items()
        }
        candidates = tuple(
            Candidate(work, tuple(sorted(merged[work]))) for work in sorted(merged) if merged[work]
        )
        return shares(verbatim.weigh(Evidence(whole.words, whole.ngram, candidates)))

"""Known origins: how near the paid shares are to the true ones, and what strangers are paid.

Owns the features of each output, the calibration on one half of the outputs and the measurement
of every method on the other half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.methods import cascade, similarity, uniform, verbatim
from attribution.methods.evidence import Evidence, Weights
from attribution.methods.similarity import Calibration, Example, Resemblance
from tests.benchmarks.attribution_sections.figures import (
    chance_of_order,
    estimate,
    share_error,
    shares,
)
from tests.benchmarks.attribution_sections.lexical import Index
from tests.benchmarks.attribution_sections.retrieval_world import KINDS, Output, World

LEXICAL = cascade.CALIBRATION.space
MILLION = 1_000_000
BUDGETS_PPM = (10_000, 20_000, 35_000, 50_000, 75_000, 100_000, 150_000, 200_000)

Cosines = Callable[[Sequence[str]], NDArray[np.float32]]
Method = Callable[[Output], Mapping[str, float]]


class Bench:
    """A world with everything the methods read.

    embed: returns (n, d) unit embeddings of texts; without it all cosines are 0.
    """

    def __init__(self, world: World, *, embed: Cosines | None = None) -> None:
        self.world = world
        self.works = [chapter.work for chapter in world.chapters]
        self._outputs = [*world.calibration, *world.test]
        self._embed = embed
        texts = {chapter.work: chapter.text for chapter in world.chapters}
        self._index = Index(texts)
        cut = [passage for work in self.works for passage in world.passages[work]]
        self._passages = Index({f"{at}": passage.text for at, passage in enumerate(cut)})
        place = {work: at for at, work in enumerate(self.works)}
        self._owners = np.array([place[passage.work] for passage in cut])
        self._texts = [passage.text for passage in cut]

    @cached_property
    def evidence(self) -> dict[str, Evidence]:
        """Where each output repeats works."""
        return {output.text: self._index.evidence(output.text) for output in self._outputs}

    @cached_property
    def resemblances(self) -> dict[str, tuple[Resemblance, ...]]:
        """How much each output resembles every work."""
        cosines = self._cosines()
        return {
            output.text: self._resemblances(output.text, row)
            for output, row in zip(self._outputs, cosines, strict=True)
        }

    def example(self, output: Output, *, after_verbatim: bool) -> Example:
        """Return an output for calibration, or what ``verbatim`` leaves of it."""
        candidates = self.resemblances[output.text]
        if not after_verbatim:
            return Example(candidates, output.origins)
        given = shares(verbatim.weigh(self.evidence[output.text]))
        rest = 1 - sum(given.values())
        due = {work: max(0.0, s - given.get(work, 0.0)) for work, s in output.origins.items()}
        whole = max(rest, sum(due.values())) or 1.0
        return Example(candidates, {work: part / whole for work, part in due.items()}, rest)

    def _cosines(self) -> NDArray[np.float64]:
        if self._embed is None:
            return np.zeros((len(self._outputs), len(self.works)))
        embedded = self._embed([*self._texts, *(output.text for output in self._outputs)])
        passages, outputs = np.split(embedded, [len(self._texts)])
        return self._best((outputs @ passages.T).astype(np.float64), floor=-1.0)

    def _best(self, scores: NDArray[np.float64], *, floor: float) -> NDArray[np.float64]:
        """Return (n, n_works) the best of each work's passages, from (n, n_passages)."""
        best = np.full((len(scores), len(self.works)), floor)
        np.maximum.at(best.T, self._owners, scores.T)
        return best

    def _resemblances(self, text: str, cosines: NDArray[np.float64]) -> tuple[Resemblance, ...]:
        bm25 = similarity.stand_out(
            self._best(self._passages.bm25(text)[None, :], floor=0.0)[0].tolist()
        )
        coverage = self._index.coverage(text)
        return tuple(
            Resemblance(work, float(np.clip(cosine, -1, 1)), score, float(covered))
            for work, cosine, score, covered in zip(
                self.works, cosines, bm25, coverage, strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class Row:
    """What one method reached on the test half: one number for each kind of output, and overall."""

    method: str
    by_kind: Mapping[str, float]
    overall: Any
    paid_strangers: Any
    first_right: Mapping[str, float]
    order: float

    def to_json(self) -> dict[str, Any]:
        """Return it for the record."""
        return {
            "share_error": self.overall.mean,
            "share_error_interval": self.overall.to_json(),
            "share_error_by_kind": dict(self.by_kind),
            "paid_on_negatives": self.paid_strangers.mean,
            "paid_on_negatives_interval": self.paid_strangers.to_json(),
            "first_right": dict(self.first_right),
            "auroc_strangers": self.order,
        }


def measure(method: str, weigh: Method, outputs: Sequence[Output]) -> Row:
    """Measure a method on outputs; kinds are equally many."""
    found = [weigh(output) for output in outputs]
    errors = [share_error(f, output.origins) for f, output in zip(found, outputs, strict=True)]
    paid = [sum(each.values()) for each in found]
    kinds = np.array([output.kind for output in outputs])
    strange = kinds == "stranger"
    by_kind = {kind: float(np.mean(np.array(errors)[kinds == kind])) for kind in KINDS}
    first = {
        kind: float(np.mean([_is_first(f, o) for f, o in zip(found, outputs, strict=True)
                             if o.kind == kind]))
        for kind in ("verbatim", "reworded", "noisy")
    }  # fmt: skip
    return Row(
        method,
        by_kind,
        estimate(errors),
        estimate(np.array(paid)[strange]),
        first,
        chance_of_order(np.array(paid)[~strange].tolist(), np.array(paid)[strange].tolist()),
    )


def run(bench: Bench, *, space: str = LEXICAL) -> dict[str, Any]:
    """Measure every method and the cascade's trade-off; returns the record."""
    test, budget = bench.world.test, similarity.DEFAULT_BUDGET_PPM
    chance = np.random.default_rng(0)
    alone, strangers = _fitted(bench, space=space, after_verbatim=False)
    alone = similarity.within_budget(alone, strangers, budget_ppm=budget)
    second, strangers = _fitted(bench, space=space, after_verbatim=True)
    shipped = similarity.within_budget(second, strangers, budget_ppm=budget)

    def randomly(_: Output) -> Mapping[str, float]:
        drawn = chance.dirichlet(np.ones(len(bench.works)))
        return dict(zip(bench.works, drawn.tolist(), strict=True))

    def by(weigh: Callable[[str], Weights]) -> Method:
        return lambda output: shares(weigh(output.text))

    def in_cascade(calibration: Calibration) -> Method:
        return by(lambda text: cascade.weigh(
            bench.evidence[text], bench.resemblances[text], calibration))  # fmt: skip

    rows = [
        measure("uniform", by(lambda _: uniform.weigh(bench.works)), test),
        measure("random", randomly, test),
        measure("softmax, always pays", lambda output: _always(bench, output), test),
        measure("verbatim", by(lambda text: verbatim.weigh(bench.evidence[text])), test),
        measure("similarity", by(lambda t: similarity.weigh(bench.resemblances[t], alone)), test),
        measure("cascade", in_cascade(shipped), test),
    ]
    curve = []
    for budget_ppm in BUDGETS_PPM:
        at = similarity.within_budget(second, strangers, budget_ppm=budget_ppm)
        row = measure("cascade", in_cascade(at), test)
        curve.append({
            "budget": budget_ppm / MILLION, "share_error": row.overall.mean,
            "paid_on_negatives": row.paid_strangers.mean,
        })  # fmt: skip
    return {
        **rows[-1].to_json(),
        "rows": [{"method": row.method, **row.to_json()} for row in rows],
        "trade_off": curve,
        "calibration": shipped.parameters(),
        "calibration_alone": alone.parameters(),
        "calibration_is_shipped": (alone, shipped) == (similarity.CALIBRATION, cascade.CALIBRATION),
        "works": len(bench.works),
        "outputs": len(test),
    }


def _fitted(bench: Bench, *, space: str, after_verbatim: bool) -> tuple[Calibration, list[Example]]:
    """Fit on the other half of the outputs; returns that half's strangers too."""
    known, strangers = (
        [
            bench.example(output, after_verbatim=after_verbatim)
            for output in bench.world.calibration
            if (output.kind == "stranger") == strange
        ]
        for strange in (False, True)
    )
    with_rest = [example for example in known if example.rest > 0]
    return similarity.fit(with_rest, strangers, space=space), strangers


def _always(bench: Bench, output: Output) -> dict[str, float]:
    """Divide by a softmax of BM25, without the possibility of nobody."""
    scores = np.array([each.bm25 for each in bench.resemblances[output.text]]) / 0.05
    powers = np.exp(scores - scores.max())
    return dict(zip(bench.works, (powers / powers.sum()).tolist(), strict=True))


def _is_first(found: Mapping[str, float], output: Output) -> bool:
    return bool(found) and max(sorted(found), key=found.__getitem__) in output.origins

"""Known origins: how near the paid shares are to the true ones, and what strangers are paid.

Owns the measurement of every method on one half of the works, and the calibration on the other.
Outputs are weighed as they are deployed (``deployed``); the coefficients are the shipped ones, and
are fitted again here to show where they come from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attribution import calibrations, judging, lexical
from attribution.methods import calibrating, verbatim
from attribution.methods.calibrating import Example
from attribution.methods.evidence import Weights
from attribution.methods.similarity import MILLION, Calibration, Passage
from attribution.weighing import Finding
from tests.benchmarks.attribution_sections.deployed import Deployed
from tests.benchmarks.attribution_sections.figures import (
    chance_of_order,
    estimate,
    share_error,
)
from tests.benchmarks.attribution_sections.retrieval_world import KINDS, Output, World
from tribute.features import reduce, words_of

THRESHOLDS = (-6, -4, -2, 0, 2, 4)
"""Above the shipped one, in units of the logit."""

LENGTHS = (8, 15, 30, 50, 80)
_SHIPPED = {"cascade": calibrations.CASCADE, "similarity": calibrations.SIMILARITY}

Method = Callable[[Output], Mapping[str, float]]


class Bench:
    """A world, deployed, with what each output was found to repeat and resemble."""

    def __init__(self, world: World, deployed: Deployed) -> None:
        self.world, self.deployed = world, deployed
        self.works = [chapter.work for chapter in world.chapters]
        texts = list(dict.fromkeys(each.text for each in [*world.calibration, *world.test]))
        self.found = {method: deployed.weigh(method, texts) for method in deployed.models}

    def by(self, method: str) -> Method:
        """Return a method with all that is shipped with it."""
        return lambda output: self.deployed.shares(self.found[method][output.text])

    def by_calibration(self, method: str, calibration: Calibration) -> Method:
        """Return a method with other coefficients."""

        def weigh(output: Output) -> Mapping[str, float]:
            finding = self.found[method][output.text]
            parameters = finding.parameters | calibration.parameters()
            return self._shares(judging.weigh(method, finding.inputs, parameters))

        return weigh

    def examples(self, method: str, outputs: Sequence[Output]) -> list[Example]:
        """Return the passages of outputs for calibration, or what ``verbatim`` leaves of them."""
        return [
            example
            for output in outputs
            for example in self._examples(self.found[method][output.text], output)
        ]

    def _examples(self, finding: Finding, output: Output) -> list[Example]:
        evidence = finding.inputs.evidence
        words = sum(passage.words for passage in finding.inputs.alike)
        free = [True] * words if evidence is None else verbatim.unattributed(evidence)
        found = []
        for passage in finding.inputs.alike:
            inside = range(passage.first, passage.first + passage.words)
            left = [word for word in inside if free[word]]
            if left or not output.origins:
                origins = output.origins_of(left)
                found.append(
                    Example(
                        self._named(passage),
                        origins,
                        rest=len(left) / passage.words,
                        part=passage.words / words,
                    )
                )
        return found

    def _named(self, passage: Passage) -> Any:
        """Call works by their chapters, as origins do."""
        chapter_of = self.deployed.chapter_of
        return tuple(
            type(each)(chapter_of[each.work], each.cosine, each.bm25, each.coverage)
            for each in passage.candidates
        )

    def _shares(self, weights: Weights) -> dict[str, float]:
        chapter_of = self.deployed.chapter_of
        return {chapter_of[each.work]: each.weight / weights.total for each in weights.works}


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


def run(bench: Bench) -> dict[str, Any]:
    """Measure every method and what budgets cost; returns the record."""
    test, works = bench.world.test, bench.works
    chance = np.random.default_rng(0)

    def randomly(_: Output) -> Mapping[str, float]:
        return dict(zip(works, chance.dirichlet(np.ones(len(works))).tolist(), strict=True))

    methods: dict[str, Method] = {
        "uniform": lambda _: dict.fromkeys(works, 1 / len(works)),
        "random": randomly,
        "softmax, always pays": lambda output: _always(bench, output),
        "verbatim": bench.by("verbatim"),
        "shapley": bench.by("shapley"),
        "similarity": bench.by("similarity"),
        "cascade": bench.by("cascade"),
        "told the works, not their parts": _told,
    }
    rows = {name: measure(name, method, test) for name, method in methods.items()}
    fitted = {method: fitted_again(bench, method) for method in _SHIPPED}
    return {
        **rows["cascade"].to_json(),
        "rows": [{"method": name, **row.to_json()} for name, row in rows.items()],
        "trade_off": [_at_threshold(bench, higher) for higher in THRESHOLDS],
        "by_length": [_of_length(bench, words) for words in LENGTHS],
        "calibration": _SHIPPED["cascade"].parameters(),
        "calibration_alone": _SHIPPED["similarity"].parameters(),
        "fitted_again": {name: each.parameters() for name, each in fitted.items()},
        "calibration_is_shipped": fitted == _SHIPPED,
        "works": len(works),
        "outputs": len(test),
    }


def fitted_again(bench: Bench, method: str) -> Calibration:
    """Fit a method's coefficients to the calibration half."""
    known, strangers = (
        bench.examples(
            method,
            [o for o in bench.world.calibration if (o.kind == "stranger") == strange],
        )
        for strange in (False, True)
    )
    return calibrating.calibrate(
        known, strangers, space=calibrations.SPACE, budget_ppm=calibrations.BUDGET_PPM
    )


def _at_threshold(bench: Bench, higher: int) -> dict[str, float]:
    shipped = calibrations.CASCADE
    shifted = replace(shipped, outside=shipped.outside + higher * MILLION)
    row = measure("cascade", bench.by_calibration("cascade", shifted), bench.world.test)
    return {
        "higher": higher,
        "share_error": row.overall.mean,
        "paid_on_negatives": row.paid_strangers.mean,
    }


def _of_length(bench: Bench, words: int) -> dict[str, Any]:
    """Measure the cascade on the first words of outputs."""
    paid: list[float] = []
    errors: list[float] = []
    for kind, kept in (("stranger", paid), ("reworded", errors)):
        outputs = [each for each in bench.world.test if each.kind == kind]
        texts = {" ".join(words_of(each.text)[:words]): each for each in outputs}
        for text, finding in bench.deployed.weigh("cascade", list(texts)).items():
            kept.append(share_error(bench.deployed.shares(finding), texts[text].origins))
    return {
        "words": words,
        "paid_on_negatives": estimate(paid).to_json(),
        "share_error_reworded": estimate(errors).to_json(),
    }


def _told(output: Output) -> dict[str, float]:
    """Divide evenly over the works that an output in truth comes from."""
    return {work: 1 / len(output.origins) for work in output.origins}


def _always(bench: Bench, output: Output) -> dict[str, float]:
    """Divide by a softmax of BM25, without the possibility of nobody."""
    index = lexical.of_manifest(bench.deployed.manifest)
    found = index.best(reduce(output.text))
    scores = np.array(list(found.values())) / 0.05
    powers = np.exp(scores - scores.max())
    works = [bench.deployed.chapter_of[work] for work in found]
    return dict(zip(works, (powers / powers.sum()).tolist(), strict=True))


def _is_first(found: Mapping[str, float], output: Output) -> bool:
    return bool(found) and max(sorted(found), key=found.__getitem__) in output.origins

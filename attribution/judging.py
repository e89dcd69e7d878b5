"""Weigh what was found, by any method: the one step that a payment can be recomputed from.

Owns what the methods are given, in a form that is kept with each settled query, and the choice of
method. Pure: the same inputs and parameters give the same weights, today and in ten years.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from attribution.methods import cascade, reported, shapley, similarity, uniform, verbatim
from attribution.methods.evidence import Candidate, Evidence, Weights
from attribution.methods.similarity import Calibration, Passage, Resemblance

Parameters: TypeAlias = dict[str, Any]

VERSIONS: Mapping[str, str] = {
    each.NAME: each.VERSION for each in (cascade, reported, shapley, similarity, uniform, verbatim)
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What methods read of one query: numbers and works, nothing of the output's words.

    evidence: where the output repeats works. alike: for each passage of the output, how far works
    stand out. passages: for each passage, relevances in millionths by work. scores: by manifest row; of_works:
    the works of these rows. works: those that share alike.
    """

    evidence: Evidence | None = None
    alike: tuple[Passage, ...] = ()
    passages: tuple[Mapping[str, int], ...] = ()
    scores: Mapping[int, float] = field(default_factory=dict)
    of_works: Mapping[int, str] = field(default_factory=dict)
    works: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it for the record; what a method does not read is left out."""
        form: dict[str, Any] = {}
        if self.evidence is not None:
            form["words"], form["ngram"] = self.evidence.words, self.evidence.ngram
            form["candidates"] = {
                each.work: _runs(each.positions) for each in self.evidence.candidates
            }
        if self.alike:
            form["alike"] = [
                [passage.first, passage.words,
                 [[e.work, e.cosine, e.bm25, e.coverage] for e in passage.candidates]]
                for passage in self.alike
            ]  # fmt: skip
        if self.passages:
            form["passages"] = [dict(passage) for passage in self.passages]
        if self.scores:
            form["scores"] = [[row, score] for row, score in self.scores.items()]
            form["of_works"] = [[row, work] for row, work in self.of_works.items()]
        if self.works:
            form["works"] = list(self.works)
        return form

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Self:
        """Read a record again."""
        evidence = None
        if "words" in form:
            candidates = sorted(form["candidates"].items())
            evidence = Evidence(
                form["words"],
                form["ngram"],
                tuple(Candidate(work, _positions(runs)) for work, runs in candidates),
            )
        return cls(
            evidence=evidence,
            alike=tuple(
                Passage(first, words, tuple(Resemblance(*each) for each in candidates))
                for first, words, candidates in form.get("alike", ())
            ),
            passages=tuple(form.get("passages", ())),
            scores={row: float(score) for row, score in form.get("scores", ())},
            of_works=dict(form.get("of_works", ())),
            works=tuple(form.get("works", ())),
        )


def weigh(method: str, inputs: Inputs, parameters: Parameters) -> Weights:
    """Weigh inputs by a method with recorded parameters; KeyError for an unknown method."""
    return _METHODS[method](inputs, parameters)


def calibration_of(parameters: Parameters) -> Calibration:
    """Read the coefficients that ``Calibration.parameters`` wrote."""
    return Calibration(
        parameters["space"],
        *(parameters[f"{name}_ppm"] for name in ("cosine", "bm25", "coverage", "outside")),
    )


def _verbatim(inputs: Inputs, parameters: Parameters) -> Weights:
    assert inputs.evidence is not None, "verbatim reads where an output repeats works"
    return verbatim.weigh(inputs.evidence, **_lengths(parameters))


def _similarity(inputs: Inputs, parameters: Parameters) -> Weights:
    return similarity.weigh(inputs.alike, calibration_of(parameters))


def _cascade(inputs: Inputs, parameters: Parameters) -> Weights:
    assert inputs.evidence is not None, "the cascade begins with what is repeated"
    calibration = calibration_of(parameters)
    return cascade.weigh(inputs.evidence, inputs.alike, calibration, **_lengths(parameters))


def _shapley(inputs: Inputs, parameters: Parameters) -> Weights:
    return shapley.weigh(inputs.passages, neighbours=parameters["neighbours"])


def _reported(inputs: Inputs, parameters: Parameters) -> Weights:
    return reported.weigh(
        inputs.scores,
        inputs.of_works,
        higher_is_proponent=parameters["orientation"] == "higher",
        outside_mass=float(parameters["outside_mass"]),
        floor_ppm=parameters["floor_ppm"],
    )


def _uniform(inputs: Inputs, _parameters: Parameters) -> Weights:
    return uniform.weigh(inputs.works)


def _lengths(parameters: Parameters) -> dict[str, int]:
    return {name: parameters[name] for name in ("min_words", "max_sharers")}


def _runs(positions: tuple[int, ...]) -> list[list[int]]:
    """Write strictly increasing numbers as [first, last] of each unbroken run."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and runs[-1][1] == position - 1:
            runs[-1][1] = position
        else:
            runs.append([position, position])
    return runs


def _positions(runs: list[list[int]]) -> tuple[int, ...]:
    return tuple(at for first, last in runs for at in range(first, last + 1))


_METHODS = {
    verbatim.NAME: _verbatim,
    similarity.NAME: _similarity,
    cascade.NAME: _cascade,
    shapley.NAME: _shapley,
    reported.NAME: _reported,
    uniform.NAME: _uniform,
}

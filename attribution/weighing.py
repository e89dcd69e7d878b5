"""Open a query's evidence and let its model's method weigh it.

Owns the way from evidence to what the methods read, and their parameters. It writes nothing; what
it returns is everything needed to weigh the query again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from attribution import (
    calibrations,
    candidates,
    judging,
    lexical,
    neighbours,
    ngram_index,
    resemblance,
    rosters,
)
from attribution.errors import (
    EvidenceUnreadable,
    InvalidEvidence,
    ManifestReplaced,
    SpaceNotCalibrated,
)
from attribution.judging import Inputs, Parameters
from attribution.methods import shapley, uniform, verbatim
from attribution.methods.evidence import Evidence, Weights
from attribution.methods.reported import diverges, total_variation
from attribution.methods.similarity import Calibration
from attribution.models import EmbeddingSpace, GenerativeModel, Query
from attribution.resemblance import Cut, Heights
from attribution.sealing import Sealed, unseal
from attribution.waiting import ReportedScores, Waiting
from registry.manifests import allowed_works
from registry.models import Manifest
from tribute.features import Features

Method = GenerativeModel.Method
MILLION = 1_000_000
_CALIBRATED: Mapping[str, Calibration] = {
    Method.CASCADE: calibrations.CASCADE,
    Method.SIMILARITY: calibrations.SIMILARITY,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a method found for one query, with all that is needed to find it again.

    ``words``: the output's length in words, None when the method does not read outputs.
    """

    weights: Weights
    method: str
    version: str
    parameters: Parameters
    words: int | None
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Unweighable:
    """A query that can never be weighed, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Near:
    """Works that stand out by an output's vector, and what that is worth in its space."""

    heights: Heights
    calibration: Calibration
    compared: Mapping[str, str]


def weigh(queries: Sequence[Query], manifest: Manifest) -> dict[str, Finding | Unweighable]:
    """Weigh queries to models that learned from ``manifest``; answer by query id."""
    found: dict[str, Finding | Unweighable] = {}
    opened: dict[str, Waiting] = {}
    for query in queries:
        try:
            opened[query.pk] = open_evidence(query)
        except (EvidenceUnreadable, InvalidEvidence) as error:
            found[query.pk] = Unweighable(error.code)
    models = {query.pk: query.model for query in queries if query.pk in opened}
    return found | weigh_opened(opened, models, manifest)


def weigh_opened(
    opened: Mapping[str, Waiting], models: Mapping[str, GenerativeModel], manifest: Manifest
) -> dict[str, Finding | Unweighable]:
    """Weigh evidence by the method of each query's model; answer by the same keys."""
    found: dict[str, Finding | Unweighable] = {}
    scored: dict[str, ReportedScores] = {}
    outputs: dict[str, tuple[str, Features]] = {}
    for key, model in models.items():
        scores, output = opened[key].scores, opened[key].features
        if model.method == Method.UNIFORM:
            found[key] = _uniform(key, manifest)
            continue
        if model.method == Method.REPORTED:
            if (reason := _unusable(scores, manifest)) or scores is None:
                found[key] = Unweighable(reason)
                continue
            scored[key] = scores
        if output is not None:
            # Beside reported scores, an output is weighed for the comparison.
            outputs[key] = (Method.CASCADE if key in scored else model.method, output)
        elif key not in scored and opened[key].vector is None:
            found[key] = Unweighable(InvalidEvidence.code)
    near = _near(opened, models, manifest)
    found |= {key: each for key, each in near.items() if isinstance(each, Unweighable)}
    known = {key: each for key, each in near.items() if isinstance(each, Near)}
    outputs = {key: each for key, each in outputs.items() if key not in found}
    found |= {key: _by_vector(each) for key, each in known.items() if key not in outputs}
    own = _by_words(outputs, known, manifest)
    floors = {key: models[key].floor_ppm for key in scored}
    return found | own | _reported(scored, floors, own, manifest)


def _unusable(scores: ReportedScores | None, manifest: Manifest) -> str:
    """Say why scores pay nobody; "" when they do. Their row numbers mean works in one manifest."""
    if scores is None:
        return InvalidEvidence.code
    named = scores.are_of(manifest.pk, manifest.digest)
    return "" if named else ManifestReplaced.code


def open_evidence(query: Query) -> Waiting:
    """Decrypt what a query waits with. Raises EvidenceUnreadable, InvalidEvidence."""
    assert query.evidence is not None, "query_keeps_evidence_only_while_it_waits"
    sealed = Sealed(query.evidence_key_id, bytes(query.evidence))
    return Waiting.from_bytes(unseal(sealed, beside=query.pk))


def _near(
    opened: Mapping[str, Waiting], models: Mapping[str, GenerativeModel], manifest: Manifest
) -> dict[str, Near | Unweighable]:
    """Return, for outputs with vectors, which works stand out by them, a space at a time."""
    found: dict[str, Near | Unweighable] = {}
    asked: dict[EmbeddingSpace, dict[str, NDArray[np.float32]]] = defaultdict(dict)
    for key, model in models.items():
        vector, space = opened[key].vector, model.space
        if vector is None:
            continue
        if space is None or model.method not in space.calibrations:
            found[key] = Unweighable(SpaceNotCalibrated.code)
        else:
            asked[space][key] = np.array(vector, np.float32)
    for space, queries in asked.items():
        compared = neighbours.of_manifest(manifest, space).parameters()
        for key, heights in neighbours.heights(queries, manifest, space).items():
            calibration = judging.calibration_of(space.calibrations[models[key].method])
            found[key] = Near(heights, calibration, compared)
    return found


def _by_vector(near: Near) -> Finding:
    """Weigh an output of which only the vector is known."""
    inputs = Inputs(alike=resemblance.by_vector(near.heights))
    parameters = near.calibration.parameters() | dict(near.compared)
    return _found(Method.SIMILARITY, inputs, parameters, words=None)


def _by_words(
    outputs: Mapping[str, tuple[str, Features]], near: Mapping[str, Near], manifest: Manifest
) -> dict[str, Finding]:
    """Weigh outputs, each by a method of its own, by words repeated, alike, or both."""
    if not outputs:
        return {}
    repeated = candidates.find({key: each for key, (_, each) in outputs.items()}, manifest)
    cuts = {
        key: resemblance.cut(output)
        for key, (method, output) in outputs.items()
        if method != Method.VERBATIM
    }
    above = _heights(cuts, outputs, repeated, near, manifest)
    found = {}
    for key, (method, output) in outputs.items():
        inputs, parameters = Inputs(), Parameters()
        if method in _CALIBRATED:
            by_vector = near[key].heights if key in near else {}
            alike = resemblance.of_passages(cuts[key], repeated[key], above.get(key, ()), by_vector)
            inputs = replace(inputs, alike=alike)
            parameters |= _of_resemblance(method, near.get(key)) | _of_index(manifest)
        if method in {Method.VERBATIM, Method.CASCADE}:
            inputs = replace(inputs, evidence=repeated[key])
            parameters |= _of_repetition(repeated[key])
        if method == Method.SHAPLEY:
            inputs = replace(
                inputs,
                passages=tuple(resemblance.in_millionths(each) for each in above.get(key, ())),
            )
            parameters |= _of_index(manifest) | {"neighbours": shapley.DEFAULT_NEIGHBOURS}
        found[key] = _found(method, inputs, parameters, words=output.words)
    return found


def _heights(
    cuts: Mapping[str, Sequence[Cut]],
    outputs: Mapping[str, tuple[str, Features]],
    repeated: Mapping[str, Evidence],
    near: Collection[str],
    manifest: Manifest,
) -> dict[str, list[Heights]]:
    """Return what stands out for each passage; what the cascade need not ask is left empty.

    near: the keys of outputs with vectors.
    """
    asked: dict[tuple[str, int], Features] = {}
    for key, passages in cuts.items():
        free = verbatim.unattributed(repeated[key])
        for number, cut in enumerate(passages):
            left = any(free[cut.first : cut.first + cut.features.words])
            if left or outputs[key][0] != Method.CASCADE:
                asked[key, number] = cut.features
    if not asked or not resemblance.can_tell(manifest):
        # By their words nothing stands out; by a vector it may.
        return {key: [{} for _ in cuts[key]] for key in near if key in cuts}
    found = resemblance.heights(asked, manifest)
    return {
        key: [found.get((key, number), {}) for number in range(len(passages))]
        for key, passages in cuts.items()
    }


def _of_repetition(repeated: Evidence) -> Parameters:
    return {
        "ngram_words": repeated.ngram,
        "min_words": verbatim.DEFAULT_MIN_WORDS,
        "max_sharers": verbatim.MAX_SHARERS,
        "scan_texts": candidates.SCAN_TEXTS,
        "indexed_texts": ngram_index.snapshot(),
    }


def _of_resemblance(method: str, near: Near | None) -> Parameters:
    if near is None:
        return _CALIBRATED[method].parameters()
    return near.calibration.parameters() | dict(near.compared)


def _of_index(manifest: Manifest) -> Parameters:
    digest = lexical.of_manifest(manifest).digest
    return {"index": digest, "least_words": resemblance.LEAST_WORDS}


def _found(method: str, inputs: Inputs, parameters: Parameters, *, words: int | None) -> Finding:
    weights = judging.weigh(method, inputs, parameters)
    return Finding(weights, method, judging.VERSIONS[method], parameters, words, inputs)


def _reported(
    scored: Mapping[str, ReportedScores],
    floors: Mapping[str, int],
    own: Mapping[str, Finding],
    manifest: Manifest,
) -> dict[str, Finding]:
    """Weigh by the operators' scores; ``divergence_ppm`` is how far our own evidence lies."""
    if not scored:
        return {}
    rows = list(chain.from_iterable([each.of_rows.rows for each in scored.values()]))
    works = iter(rosters.of_manifest(manifest).works_of_rows(rows))
    found = {}
    for key, reported in scored.items():
        origin, scores = reported.origin, reported.of_rows
        parameters: Parameters = {
            "orientation": origin.orientation.value,
            "outside_mass": scores.outside_mass,
            "floor_ppm": floors[key],
            "tool": origin.tool,
            "settings": dict(origin.settings),
            "measured_lds": origin.measured_lds,
        }
        inputs = Inputs(
            scores=dict(zip(scores.rows, scores.scores, strict=True)),
            of_works={row: work for row, work in zip(scores.rows, works, strict=False) if work},
        )
        found[key] = _found(Method.REPORTED, inputs, parameters, words=None)
        if key in own:
            distance = total_variation(found[key].weights, own[key].weights)
            parameters["divergence_ppm"] = round(distance * MILLION)
            parameters["diverges"] = diverges(round(distance * MILLION))
    return found


def _uniform(key: str, manifest: Manifest) -> Finding:
    """Weigh the works of a window drawn from the query's id; copies of a work count once."""
    allowed = allowed_works(manifest).distinct().order_by("pk")
    count = allowed.count()
    first, many = uniform.window(count, seed=key)
    in_order = allowed.values_list("pk", flat=True)
    works = list(in_order[first : first + many])
    works += list(in_order[: many - len(works)])
    leader_of = rosters.of_manifest(manifest).leader_of(works)
    inputs = Inputs(works=tuple(work for work in works if leader_of[work] == work))
    parameters: Parameters = {"works": count, "first": first, "window": many}
    return _found(Method.UNIFORM, inputs, parameters, words=None)

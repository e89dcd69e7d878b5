"""The way of an operator's own scores: from a TRAK folder to shares of works, on handwritten digits.

Owns a small classifier, its retraining on random halves, TRAK's estimator for it, and the folder
that TRAK would have written. It proves that import keeps values and direction; the classifier is
a toy.
"""

import gzip
import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.methods import reported
from tests.benchmarks.attribution_sections.figures import estimate, rank_correlation
from tribute import scores
from tribute.foreign_scores import read_trak
from tribute.scores import Orientation

TRAINING, QUERIES = 1_000, 200
MODELS = 10
DIMENSIONS = 256
DAMPING = 0.01

_HALVES = 80
_WEIGHED = 40
_CLASSES = 10
_RIDGE = 0.01
_STEPS = 12

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def is_installed() -> bool:
    """Tell whether the images are there; only a file of the package is read."""
    return find_spec("sklearn") is not None


def run(folder: Path) -> dict[str, Any]:
    """Train, score, export, import and weigh; ``folder`` is an empty one to write in."""
    images, labels = _load()
    train = images[:TRAINING], labels[:TRAINING]
    asked = images[TRAINING : TRAINING + QUERIES], labels[TRAINING : TRAINING + QUERIES]
    chance = np.random.default_rng(0)
    halves = np.stack([
        np.isin(np.arange(TRAINING), chance.permutation(TRAINING)[: TRAINING // 2])
        for _ in range(_HALVES + MODELS)
    ])  # fmt: skip
    models = [_fit(train[0][half], train[1][half]) for half in halves]
    margins = np.stack([_margins(model, *asked) for model in models[:_HALVES]])
    trak = np.mean([_trak(model, train, asked, chance) for model in models[_HALVES:]], axis=0)
    _export(folder, trak.astype(np.float32))
    matrix = read_trak(folder)
    names = [f"q{at}" for at in range(QUERIES)]
    whole = scores.convert(matrix, names, manifest="mft_digits", top=TRAINING)
    part = scores.convert(matrix, names, manifest="mft_digits", top=100)
    backwards = scores.convert(
        replace(matrix, orientation=Orientation.LOWER), names, manifest="mft_digits", top=TRAINING
    )
    even = halves[:_HALVES:2], margins[::2]
    odd = halves[1:_HALVES:2], margins[1::2]
    linear = _best_linear(*even)
    return {
        "lds_imported": _lds(_table(whole), halves[:_HALVES], margins),
        "lds_top_100": _lds(_table(part), halves[:_HALVES], margins),
        "lds_read_backwards": _lds(_table(backwards), halves[:_HALVES], margins),
        "lds_weights": _lds(_weights(whole), halves[:_HALVES], margins[:, :_WEIGHED]),
        "lds_random": _lds(chance.normal(size=(TRAINING, QUERIES)), halves[:_HALVES], margins),
        "lds_linear_fit_40_halves": _lds(linear, *odd),
        "largest_change_by_import": float(np.abs(_table(whole) - trak.astype(np.float32)).max()),
        "outside_mass_top_100": estimate([each.outside_mass for each in part.queries]).to_json(),
        "retrainings": _HALVES,
    }


def _load() -> tuple[Floats, Integers]:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("scikit-learn is not installed: see requirements/bench-data.in")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path) as stream:
        table = np.loadtxt(stream, delimiter=",")
    table = np.random.default_rng(1).permutation(table)
    images = np.hstack([table[:, :-1] / 16, np.ones((len(table), 1))])
    return images, table[:, -1].astype(np.int64)


def _fit(images: Floats, labels: Integers) -> Floats:
    """Return (pixels, classes): softmax regression, ridge, by Newton's method."""
    pixels = images.shape[1]
    model = np.zeros((pixels, _CLASSES))
    target = np.eye(_CLASSES)[labels]
    for _ in range(_STEPS):
        likely = _softmax(images @ model)
        gradient = images.T @ (likely - target) / len(images) + _RIDGE * model
        if np.abs(gradient).max() < 1e-6:
            break
        curvature = np.zeros((_CLASSES, pixels, _CLASSES, pixels))
        for one in range(_CLASSES):
            for other in range(one, _CLASSES):
                weight = likely[:, one] * ((one == other) - likely[:, other]) / len(images)
                block = (images * weight[:, None]).T @ images
                curvature[one, :, other, :] = curvature[other, :, one, :] = block
        size = pixels * _CLASSES
        square = curvature.reshape(size, size) + _RIDGE * np.eye(size)
        model -= np.linalg.solve(square, gradient.T.ravel()).reshape(_CLASSES, pixels).T
    return model


def _trak(
    model: Floats,
    train: tuple[Floats, Integers],
    asked: tuple[Floats, Integers],
    chance: np.random.Generator,
) -> Floats:
    """Return (training, queries) scores of one model (Park et al., "TRAK", 2023, equation 15)."""
    projection = chance.normal(size=(model.size, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    learned = _gradients(model, *train) @ projection
    queried = _gradients(model, *asked) @ projection
    square = learned.T @ learned
    square += DAMPING * np.trace(square) / DIMENSIONS * np.eye(DIMENSIONS)
    unsure = 1 - _softmax(train[0] @ model)[np.arange(len(train[1])), train[1]]
    return np.asarray(learned @ np.linalg.solve(square, queried.T) * unsure[:, None])


def _gradients(model: Floats, images: Floats, labels: Integers) -> Floats:
    """Return (n, parameters) gradients of the margin log(p / (1 - p)) of the true class."""
    likely = _softmax(images @ model)
    true = np.eye(_CLASSES)[labels]
    others = likely * (1 - true)
    others /= others.sum(axis=1, keepdims=True)
    outer = images[:, :, None] * (true - others)[:, None, :]
    return np.asarray(outer.reshape(len(images), -1))


def _margins(model: Floats, images: Floats, labels: Integers) -> Floats:
    true = _softmax(images @ model)[np.arange(len(labels)), labels]
    return np.asarray(np.log(true) - np.log1p(-true))


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _export(folder: Path, values: NDArray[np.float32]) -> None:
    """Write what TRAK leaves in its ``save_dir``."""
    (folder / "scores").mkdir(parents=True)
    path = folder / "scores" / "digits.mmap"
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=values.shape)
    mapped[:] = values
    mapped.flush()
    about = {"num_targets": QUERIES, "scores_path": str(path), "scores_finalized": 1}
    (folder / "experiments.json").write_text(json.dumps({"digits": about}))
    (folder / "metadata.json").write_text(
        json.dumps({"JL dimension": DIMENSIONS, "JL matrix type": "normal",
                    "train set size": TRAINING})
    )  # fmt: skip


def _table(imported: scores.Scores) -> Floats:
    """Return (training, queries) scores, 0 where a row was left out; manifest rows count from 1."""
    table = np.zeros((TRAINING, QUERIES))
    for at, query in enumerate(imported.queries):
        table[np.array(query.rows) - 1, at] = query.scores
    return table


def _weights(imported: scores.Scores) -> Floats:
    """Return (training, _WEIGHED) what ``reported`` pays each image, one work an image."""
    works = {row: f"{row:04d}" for row in range(1, TRAINING + 1)}
    table = np.zeros((TRAINING, _WEIGHED))
    for at, query in enumerate(imported.queries[:_WEIGHED]):
        found = reported.weigh(
            dict(zip(query.rows, query.scores, strict=True)),
            works,
            higher_is_proponent=imported.origin.orientation is Orientation.HIGHER,
            outside_mass=query.outside_mass,
        )
        for each in found.works:
            table[int(each.work) - 1, at] = each.weight / found.total
    return table


def _best_linear(halves: NDArray[np.bool_], margins: Floats) -> Floats:
    """Return scores fitted to retrainings: what so few of them can teach (a datamodel)."""
    design = halves - 0.5
    square = design @ design.T + np.eye(len(design))
    return np.asarray(design.T @ np.linalg.solve(square, margins - margins.mean(axis=0)))


def _lds(table: Floats, halves: NDArray[np.bool_], margins: Floats) -> dict[str, float]:
    sums = halves.astype(np.float64) @ table
    found = [rank_correlation(sums[:, at], margins[:, at]) for at in range(table.shape[1])]
    return estimate(found).to_json()

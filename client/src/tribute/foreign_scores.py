"""Read the score files of the common attribution tools, without running or unpickling anything.

Owns what each tool's files look like: TRAK 0.3, Bergson 2.5, Kronfluence 1.0, dattri 0.3 (a tensor
that was saved) and dattri-llm 0.1, and plain arrays as NumPy writes them. Sizes are checked
against headers, and files that were not finished are refused. A ``.pt`` file is a program that
runs when it is unpickled; ``torch_files`` reads the tensor in it instead, and refuses all else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tribute import torch_files
from tribute.scores import InvalidScores, Matrix, Orientation

Floats = NDArray[np.floating[Any]]

_TABLE = 2
_LENGTH_BYTES = 8
_MAX_HEADER = 2**27
_BFLOAT16 = "bfloat16"
_BERGSON_TYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", _BFLOAT16: "<u2"}
_SAFETENSORS_TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
_PARTITION = re.compile(
    r"pairwise_scores_data_partition(\d+)_module_partition(\d+)\.safetensors", re.ASCII
)
_ORIENTED = re.compile(r"^\s*higher_is_better:\s*(true|false)\s*$", re.MULTILINE)


def read(  # noqa: PLR0913 - what one tool or another has to be told
    tool: str,
    path: Path,
    *,
    experiment: str | None = None,
    queries_first: bool | None = None,
    train_ids: Sequence[str] | None = None,
    orientation: Orientation | None = None,
) -> Matrix:
    """Read what ``tool`` (trak, bergson, kronfluence, dattri, npy) wrote, as the functions below do.

    train_ids: makes ``dattri`` a folder of dattri-llm. orientation: overrules what the tool says of itself. Raises InvalidScores, OSError.
    """
    if tool == "trak":
        matrix = read_trak(path, experiment=experiment)
    elif tool == "bergson":
        matrix = read_bergson(path, orientation=orientation)
    elif tool == "kronfluence":
        matrix = read_kronfluence(path)
    elif tool == "dattri" and train_ids is not None:
        matrix = read_dattri_llm(path, train_ids=train_ids)
    elif tool == "dattri" and queries_first is not None:
        matrix = read_dattri(path, queries_first=queries_first)
    elif tool == "npy" and queries_first is not None:
        matrix = read_npy(path, queries_first=queries_first)
    else:
        raise InvalidScores(
            "say which tool made the scores, of an array its layout, of dattri-llm the samples' ids"
        )
    return replace(matrix, orientation=orientation or matrix.orientation)


def read_trak(folder: Path, *, experiment: str | None = None) -> Matrix:
    """Read one experiment of a TRAK ``save_dir``; its only one when none is named.

    Layout: ``experiments.json``, ``metadata.json`` and ``scores/<experiment>.mmap``, which is an
    .npy file of shape (training rows, targets), higher scores being proponents.
    Raises InvalidScores, OSError.
    """
    experiments = _object(folder / "experiments.json")
    if experiment is None:
        if len(experiments) != 1:
            raise InvalidScores(f"name one of the experiments {', '.join(sorted(experiments))}")
        (experiment,) = experiments
    about = experiments.get(experiment)
    if not isinstance(about, dict) or Path(experiment).name != experiment:
        raise InvalidScores(f"{folder} has no experiment {experiment!r}")
    metadata = _object(folder / "metadata.json")
    values = _npy(folder / "scores" / f"{experiment}.mmap")
    if values.shape != (metadata.get("train set size"), about.get("num_targets")):
        raise InvalidScores(f"{experiment} has the shape {values.shape}, not what TRAK recorded")
    # TRAK makes the file full of zeros and fills it at the end; it records no reliable mark.
    if not values.any(axis=0).all():
        raise InvalidScores(f"{experiment} was not finished: a target has only zeros")
    names = ("JL dimension", "JL matrix type")
    settings: dict[str, Any] = {name: metadata[name] for name in names if name in metadata}
    settings["checkpoints"] = len(list(folder.glob("id_*.json")))
    return _matrix(values, "trak", settings | {"experiment": experiment})


def read_bergson(folder: Path, *, orientation: Orientation | None = None) -> Matrix:
    """Read a Bergson score directory.

    Layout: ``info.json`` and ``scores.bin``, records of score_j and written_j for each query j;
    a per-token store has ``offsets.npy``, and its tokens' scores add up to their document's;
    ``candidates.npy`` holds the training row of each row. orientation: by default as recorded in
    ``config.yaml``; influences of loss are lower for proponents. Raises InvalidScores, OSError.
    """
    info = _object(folder / "info.json")
    records = _records(folder / "scores.bin", info)
    columns = []
    for query in range(_count(info, "num_scores")):
        if not records[f"written_{query}"].all():
            raise InvalidScores(f"{folder} was not finished: query {query} lacks rows")
        columns.append(_decoded(records[f"score_{query}"], info["dtype"]["formats"][2 * query]))
    values = np.stack(columns, axis=1)
    if info.get("attribute_tokens"):
        values = _summed(values, _npy(folder / "offsets.npy", dimensions=1))
    rows = np.arange(len(values), dtype=np.int64)
    if (folder / "candidates.npy").exists():
        rows = _npy(folder / "candidates.npy", dimensions=1).astype(np.int64)
    if len(rows) != len(values) or len(values) != _count(info, "num_items"):
        raise InvalidScores(f"{folder} has {len(values)} rows, not what Bergson recorded")
    settings = {"per_token": bool(info.get("attribute_tokens"))}
    told = orientation or _recorded_orientation(folder / "config.yaml")
    return Matrix(values, rows, told, "bergson", settings)


def read_kronfluence(folder: Path) -> Matrix:
    """Read the pairwise scores of one Kronfluence ``scores_<name>`` folder, or one file of it.

    Layout: safetensors, one tensor for all modules or one for each (they add up), of shape
    (queries, training rows). Of partitioned scores, data partitions are laid side by side and
    module partitions add up. Higher scores are proponents. Raises InvalidScores, OSError.
    """
    whole = folder if folder.is_file() else folder / "pairwise_scores.safetensors"
    if whole.exists():
        return _matrix(_sum_of_tensors(whole).T, "kronfluence", {})
    parts: dict[int, dict[int, Floats]] = {}
    for path in folder.iterdir():
        if found := _PARTITION.fullmatch(path.name):
            parts.setdefault(int(found[1]), {})[int(found[2])] = _sum_of_tensors(path)
    modules = len(parts.get(0, {}))
    if not parts or sorted(parts) != list(range(len(parts))):
        raise InvalidScores(f"{folder} lacks pairwise scores, or a partition of them")
    if any(sorted(each) != list(range(modules)) for each in parts.values()):
        raise InvalidScores(f"{folder} lacks a module partition")
    try:
        sums = [sum(each.values(), np.zeros(1)) for _, each in sorted(parts.items())]
        values = np.concatenate(sums, axis=1)
    except ValueError as error:
        raise InvalidScores(f"the partitions in {folder} differ in shape") from error
    settings = {"data_partitions": len(parts), "module_partitions": modules}
    return _matrix(values.T, "kronfluence", settings)


def read_dattri(path: Path, *, queries_first: bool) -> Matrix:
    """Read a tensor that dattri returned and ``torch.save`` or ``numpy.save`` wrote.

    (training rows, queries) unless ``queries_first``, as of its KNNShapleyAttributor. Higher scores
    are proponents. Raises InvalidScores, OSError.
    """
    values = _npy(path) if path.suffix == ".npy" else _tensor_in(path)
    return _matrix(values.T if queries_first else values, "dattri", {})


def read_dattri_llm(folder: Path, *, train_ids: Sequence[str]) -> Matrix:
    """Read an AttributionScore that dattri-llm saved.

    Layout: ``scores.pt``, a tensor (rows, queries), and ``metadata.json`` with each row's sample in
    ``row_train_ids``, a hash of its content; a sample's rows (its tokens, its steps) add up.
    train_ids: the hash of each row of the training set, in its order. Higher scores are proponents.
    Raises InvalidScores, OSError.
    """
    about = _object(folder / "metadata.json")
    values = _tensor_in(folder / "scores.pt")
    of_rows, of_columns = about.get("row_train_ids"), about.get("test_ids")
    if not isinstance(of_rows, list) or not isinstance(of_columns, list):
        raise InvalidScores(f"{folder} does not say whose rows its scores are")
    if values.shape != (len(of_rows), len(of_columns)):
        raise InvalidScores(f"{folder} has the shape {values.shape}, not what dattri recorded")
    if len(set(train_ids)) != len(train_ids):
        raise InvalidScores("two rows of the training set have one id")
    places = {name: place for place, name in enumerate(train_ids)}
    if unknown := {str(each) for each in of_rows} - places.keys():
        raise InvalidScores(f"{len(unknown)} samples are not in the training set's ids")
    rows = np.array([places[str(each)] for each in of_rows], np.int64)
    names = ("algorithm", "algorithm_meta", "granularity", "layer_name")
    settings = {name: about[name] for name in names if name in about}
    return Matrix(values, rows, Orientation.HIGHER, "dattri-llm", settings)


def read_npy(path: Path, *, queries_first: bool) -> Matrix:
    """Read a plain array of scores, (training rows, queries) unless ``queries_first``.

    Higher scores are taken for proponents. Tools differ, and some from their own documentation, so the layout has no default.
    Raises InvalidScores, OSError.
    """
    values = _npy(path)
    return _matrix(values.T if queries_first else values, "npy", {})


def read_safetensors(path: Path) -> dict[str, Floats]:
    """Map the floating-point tensors of a safetensors file; tensors of other types are left out.

    Format: 8 bytes of header length, little-endian; a JSON header that gives each tensor's type,
    shape and place; the tensors. Raises InvalidScores, OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if length > min(size - _LENGTH_BYTES, _MAX_HEADER):
            raise InvalidScores(f"{path} is cut off")
        header = _parsed(stream.read(length), path)
    start = _LENGTH_BYTES + length
    tensors = {name: about for name, about in header.items() if name != "__metadata__"}
    ends = [_extent(about, path)[1] for about in tensors.values()]
    if max(ends, default=0) != size - start:
        raise InvalidScores(f"{path} is not as long as its header says")
    return {
        name: _tensor(path, start, about)
        for name, about in tensors.items()
        if about["dtype"] in _SAFETENSORS_TYPES
    }


def _matrix(values: Floats, tool: str, settings: Mapping[str, Any]) -> Matrix:
    if values.ndim != _TABLE:
        raise InvalidScores(f"scores of {tool} are a table, not of shape {values.shape}")
    rows = np.arange(len(values), dtype=np.int64)
    return Matrix(values, rows, Orientation.HIGHER, tool, settings)


def _object(path: Path) -> dict[str, Any]:
    return _parsed(path.read_bytes(), path)


def _parsed(text: bytes, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidScores(f"{path} does not hold JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidScores(f"{path} does not hold an object")
    return value


def _npy(path: Path, *, dimensions: int = _TABLE) -> NDArray[Any]:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidScores(f"{path} is no .npy file of numbers: {error}") from error
    if not isinstance(values, np.memmap) or values.dtype.kind not in "fiu":
        raise InvalidScores(f"{path} is no .npy file of numbers")
    if path.stat().st_size != values.offset + values.nbytes:
        raise InvalidScores(f"{path} is not as long as its header says")
    if values.ndim != dimensions:
        raise InvalidScores(f"{path} has the shape {values.shape}")
    return values


def _tensor_in(path: Path) -> Floats:
    try:
        found = torch_files.read(path)
    except torch_files.InvalidTensors as error:
        raise InvalidScores(str(error)) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fi" or found.ndim != _TABLE:
        raise InvalidScores(f"{path} holds no single table of numbers")
    return found


def _count(info: Mapping[str, Any], name: str) -> int:
    value = info.get(name)
    if type(value) is not int or value < 1:
        raise InvalidScores(f"{name} is a whole number above zero")
    return value


def _records(path: Path, info: Mapping[str, Any]) -> NDArray[Any]:
    """Map Bergson's records, after making sure that they hold numbers where it says."""
    described, scores = info.get("dtype"), _count(info, "num_scores")
    names = [name for at in range(scores) for name in (f"score_{at}", f"written_{at}")]
    if not isinstance(described, dict) or described.get("names") != names:
        raise InvalidScores(f"{path}: the records are not described as Bergson does")
    formats = described.get("formats")
    if not isinstance(formats, list) or len(formats) != len(names):
        raise InvalidScores(f"{path}: the records are not described as Bergson does")
    if set(formats[1::2]) != {"bool"} or not set(formats[::2]) <= set(_BERGSON_TYPES):
        raise InvalidScores(f"{path}: scores of the types {sorted(set(formats))} are not read")
    plain = [_BERGSON_TYPES.get(each, "?") for each in formats]
    try:
        layout: Any = {**described, "formats": plain}
        record = np.dtype(layout)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidScores(f"{path}: the records overlap or lack a part: {error}") from error
    rows = _count(info, "num_rows" if "num_rows" in info else "num_items")
    if path.stat().st_size != rows * record.itemsize:
        raise InvalidScores(f"{path} is not as long as {rows} rows are")
    return np.memmap(path, record, "r", shape=(rows,))


def _decoded(values: NDArray[Any], kind: str) -> Floats:
    """Return floats; bfloat16 is the upper half of a float32."""
    if kind not in {_BFLOAT16, "BF16"}:
        return values
    return (values.astype(np.uint32) << 16).view(np.float32)


def _summed(values: Floats, offsets: NDArray[Any]) -> Floats:
    """Add up each document's tokens, rows offsets[i] to offsets[i + 1]."""
    starts = offsets.astype(np.int64)
    if (
        len(starts) < 1
        or starts[0] != 0
        or starts[-1] != len(values)
        or (np.diff(starts) < 0).any()
    ):
        raise InvalidScores("offsets do not divide the tokens into documents")
    sums = np.zeros((len(starts) - 1, values.shape[1]))
    filled = np.diff(starts) > 0
    if filled.any():
        sums[filled] = np.add.reduceat(values.astype(np.float64), starts[:-1][filled], axis=0)
    return sums


def _recorded_orientation(config: Path) -> Orientation:
    said = set(_ORIENTED.findall(config.read_text("utf-8"))) if config.exists() else set()
    if len(said) != 1:
        raise InvalidScores(f"{config} does not say whether higher scores are proponents: say it")
    return Orientation.HIGHER if said == {"true"} else Orientation.LOWER


def _sum_of_tensors(path: Path) -> Floats:
    tensors = read_safetensors(path)
    shapes = {tensor.shape for tensor in tensors.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != _TABLE:
        raise InvalidScores(f"{path} holds no scores of one shape (queries, training rows)")
    if len(tensors) == 1:
        return next(iter(tensors.values()))
    total = np.zeros(shapes.pop())
    for tensor in tensors.values():
        total += tensor
    return total


def _extent(about: object, path: Path) -> tuple[int, int]:
    """Return where a tensor lies, after making sure that its shape fills it."""
    if not isinstance(about, dict) or not {"dtype", "shape", "data_offsets"} <= set(about):
        raise InvalidScores(f"{path}: a tensor lacks its type, shape or place")
    shape, place = about["shape"], about["data_offsets"]
    numbers = [*shape, *place] if isinstance(shape, list) and isinstance(place, list) else [-1]
    if not all(type(number) is int and number >= 0 for number in numbers) or len(place) != _TABLE:
        raise InvalidScores(f"{path}: a tensor's shape and place are whole numbers")
    first, last = place
    kind = _SAFETENSORS_TYPES.get(about["dtype"])
    if last < first or (kind and prod(shape) * np.dtype(kind).itemsize != last - first):
        raise InvalidScores(f"{path}: a tensor does not fill its place")
    return first, last


def _tensor(path: Path, start: int, about: Mapping[str, Any]) -> Floats:
    first, last = about["data_offsets"]
    kind = np.dtype(_SAFETENSORS_TYPES[about["dtype"]])
    if first == last:
        return np.zeros(about["shape"], kind)
    raw = np.memmap(path, kind, "r", offset=start + first, shape=tuple(about["shape"]))
    return _decoded(raw, about["dtype"])

"""Files of other tools, made here byte for byte as those tools make them."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from client.tests.torch_writer import Tensor, write_archive
from tribute.foreign_scores import (
    read,
    read_bergson,
    read_dattri_llm,
    read_kronfluence,
    read_npy,
    read_safetensors,
    read_trak,
)
from tribute.scores import InvalidScores, Orientation, convert

TABLE = np.array([[0.5, -1.0], [2.0, 0.25], [-4.0, 8.0]], np.float32)
"""Three training rows, two queries; exact in every type of float."""


def trak(folder: Path, values: NDArray[Any] = TABLE, *, rows: int = 3, targets: int = 2) -> Path:
    """As trak.savers.MmapSaver does."""
    (folder / "scores").mkdir(parents=True)
    path = folder / "scores" / "answers.mmap"
    written = open_memmap(path, mode="w+", shape=values.shape, dtype=values.dtype)
    written[:] = values
    written.flush()
    about = {"num_targets": targets, "scores_path": str(path), "scores_finalized": 0}
    (folder / "experiments.json").write_text(json.dumps({"answers": about}))
    metadata = {"JL dimension": 512, "JL matrix type": "normal", "train set size": rows}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "id_0.json").write_text("{}")
    return folder


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_trak_is_read(tmp_path: Path, kind: type[np.floating[Any]]) -> None:
    found = read_trak(trak(tmp_path / "run", TABLE.astype(kind)))

    assert found.values.tolist() == TABLE.tolist()
    assert found.training_rows.tolist() == [0, 1, 2]
    assert found.orientation == Orientation.HIGHER
    assert (found.tool, found.settings) == (
        "trak",
        {
            "JL dimension": 512,
            "JL matrix type": "normal",
            "checkpoints": 1,
            "experiment": "answers",
        },
    )


def test_trak_scores_stay_on_disk_until_they_are_needed(tmp_path: Path) -> None:
    assert isinstance(read_trak(trak(tmp_path / "run")).values, np.memmap)


@pytest.mark.parametrize(("rows", "targets"), [(4, 2), (3, 3), (2, 3)])
def test_trak_of_another_shape_than_recorded_is_refused(
    tmp_path: Path, rows: int, targets: int
) -> None:
    with pytest.raises(InvalidScores, match="not what TRAK recorded"):
        read_trak(trak(tmp_path / "run", rows=rows, targets=targets))


def test_trak_that_was_not_finished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidScores, match="not finished"):
        read_trak(trak(tmp_path / "run", np.array([[1.0, 0], [2, 0], [3, 0]], np.float32)))


@pytest.mark.parametrize("experiment", ["other", "../scores/answers"])
def test_trak_has_no_experiment_elsewhere(tmp_path: Path, experiment: str) -> None:
    folder = trak(tmp_path / "run")
    listed = json.loads((folder / "experiments.json").read_text())
    if experiment != "other":
        listed[experiment] = listed["answers"]
    (folder / "experiments.json").write_text(json.dumps(listed))

    with pytest.raises(InvalidScores, match="no experiment"):
        read_trak(folder, experiment=experiment)


def test_trak_with_two_experiments_must_be_told_which(tmp_path: Path) -> None:
    folder = trak(tmp_path / "run")
    listed = json.loads((folder / "experiments.json").read_text())
    (folder / "experiments.json").write_text(json.dumps(listed | {"b": {}}))

    with pytest.raises(InvalidScores, match="name one of the experiments answers, b"):
        read_trak(folder)


def bergson(
    folder: Path,
    values: NDArray[Any] = TABLE,
    *,
    kind: str = "float32",
    higher: bool | None = True,
    unwritten: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """As bergson.score.score_writer.MemmapSequenceScoreWriter does."""
    folder.mkdir()
    size = {"float32": 4, "float16": 2, "bfloat16": 2}[kind]
    pair = 1 << size.bit_length()
    queries = values.shape[1]
    dtype = {
        "names": [f"{name}_{at}" for at in range(queries) for name in ("score", "written")],
        "formats": [kind, "bool"] * queries,
        "offsets": [at * pair + extra for at in range(queries) for extra in (0, size)],
        "itemsize": (queries * pair + 7) // 8 * 8,
    }
    plain = {**dtype, "formats": ["<u2" if kind == "bfloat16" else kind, "bool"] * queries}
    record: Any = plain
    records: NDArray[Any] = np.zeros(len(values), np.dtype(record))
    for at in range(queries):
        column = values[:, at].astype(np.float32)
        upper = (column.view(np.uint32) >> 16).astype(np.uint16)
        records[f"score_{at}"] = upper if kind == "bfloat16" else column
        records[f"written_{at}"] = np.arange(len(values)) != unwritten
    records.tofile(folder / "scores.bin")
    info = {
        "attribute_tokens": False, "num_items": len(values), "num_rows": len(values),
        "num_scores": queries, "dtype": dtype,
    }  # fmt: skip
    (folder / "info.json").write_text(json.dumps(info | dict(changes or {}), indent=2))
    if higher is not None:
        config = (
            f"steps:\n- score:\n    score_cfg:\n      higher_is_better: {str(higher).lower()}\n"
        )
        (folder / "config.yaml").write_text(config)
    return folder


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_bergson_is_read(tmp_path: Path, kind: str) -> None:
    found = read_bergson(bergson(tmp_path / "run", kind=kind))

    assert found.values.tolist() == TABLE.tolist()
    assert found.training_rows.tolist() == [0, 1, 2]
    assert found.orientation == Orientation.HIGHER


def test_bergson_rows_of_candidates_keep_their_training_rows(tmp_path: Path) -> None:
    folder = bergson(tmp_path / "run")
    np.save(folder / "candidates.npy", np.array([30, 10, 20]))

    assert read_bergson(folder).training_rows.tolist() == [30, 10, 20]


def test_bergson_tokens_add_up_to_documents(tmp_path: Path) -> None:
    """Three tokens in three documents: two, none, one."""
    folder = bergson(tmp_path / "run", changes={"attribute_tokens": True})
    np.save(folder / "offsets.npy", np.array([0, 2, 2, 3]))

    assert read_bergson(folder).values.tolist() == [[2.5, -0.75], [0.0, 0.0], [-4.0, 8.0]]


@pytest.mark.parametrize("offsets", [[0, 2, 2, 4], [1, 2, 3, 3], [0, 2, 1, 3]])
def test_bergson_offsets_must_divide_the_tokens(tmp_path: Path, offsets: list[int]) -> None:
    folder = bergson(tmp_path / "run", changes={"attribute_tokens": True})
    np.save(folder / "offsets.npy", np.array(offsets))

    with pytest.raises(InvalidScores, match="do not divide"):
        read_bergson(folder)


def test_bergson_that_was_not_finished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidScores, match="not finished"):
        read_bergson(bergson(tmp_path / "run", unwritten=1))


def test_bergson_says_which_scores_are_proponents_or_is_told(tmp_path: Path) -> None:
    lower = bergson(tmp_path / "lower", higher=False)
    silent = bergson(tmp_path / "silent", higher=None)

    assert read_bergson(lower).orientation == Orientation.LOWER
    with pytest.raises(InvalidScores, match="say it"):
        read_bergson(silent)
    assert read_bergson(silent, orientation=Orientation.LOWER).orientation == Orientation.LOWER


@pytest.mark.parametrize(
    "changes",
    [
        {"num_rows": 4},
        {"num_rows": 0},
        {"num_items": 2},
        {"num_scores": 3},
        {"num_scores": "2"},
        {"dtype": None},
        {"dtype": {"names": ["score_0", "written_0", "score_1", "written_1"]}},
    ],
)
def test_bergson_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidScores):
        read_bergson(bergson(tmp_path / "run", changes=changes))


def test_bergson_records_hold_numbers_and_no_objects(tmp_path: Path) -> None:
    """An object field would be read as a pointer into the reader's own memory."""
    folder = bergson(tmp_path / "run")
    info = json.loads((folder / "info.json").read_text())
    info["dtype"]["formats"][0] = "O"
    (folder / "info.json").write_text(json.dumps(info))

    with pytest.raises(InvalidScores, match="types"):
        read_bergson(folder)


def safetensors(path: Path, tensors: Mapping[str, NDArray[Any]], *, extra: bytes = b"") -> Path:
    """As the format's specification says, its header padded with spaces to 8 bytes."""
    kinds = {"float16": "F16", "float32": "F32", "float64": "F64", "int64": "I64", "uint16": "BF16"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": kinds[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data + extra)
    return path


def test_kronfluence_is_read_and_turned(tmp_path: Path) -> None:
    safetensors(tmp_path / "pairwise_scores.safetensors", {"all_modules": TABLE.T})

    found = read_kronfluence(tmp_path)

    assert found.values.tolist() == TABLE.tolist()
    assert found.orientation == Orientation.HIGHER


def test_kronfluence_scores_by_module_add_up(tmp_path: Path) -> None:
    path = safetensors(
        tmp_path / "pairwise_scores.safetensors",
        {"encoder": TABLE.T, "decoder": (2 * TABLE.T).astype(np.float16)},
    )

    assert read_kronfluence(path).values.tolist() == (3 * TABLE).tolist()


def test_kronfluence_partitions_are_put_together(tmp_path: Path) -> None:
    """Two parts of the data, each scored by two parts of the modules."""
    for data, rows in enumerate((TABLE[:2], TABLE[2:])):
        for module in range(2):
            name = f"pairwise_scores_data_partition{data}_module_partition{module}.safetensors"
            safetensors(tmp_path / name, {"all_modules": (module + 1) * rows.T})

    assert read_kronfluence(tmp_path).values.tolist() == (3 * TABLE).tolist()


@pytest.mark.parametrize("lost", ["data_partition0_module_partition1", "data_partition1_module_partition0"])  # fmt: skip
def test_kronfluence_with_a_part_lost_is_refused(tmp_path: Path, lost: str) -> None:
    for data in range(2):
        for module in range(2):
            name = f"data_partition{data}_module_partition{module}"
            if name != lost:
                safetensors(tmp_path / f"pairwise_scores_{name}.safetensors", {"m": TABLE.T})

    with pytest.raises(InvalidScores, match="lacks"):
        read_kronfluence(tmp_path)


def test_kronfluence_per_token_scores_are_refused(tmp_path: Path) -> None:
    safetensors(tmp_path / "pairwise_scores.safetensors", {"m": TABLE.reshape(1, 3, 2)})

    with pytest.raises(InvalidScores, match="one shape"):
        read_kronfluence(tmp_path)


def test_safetensors_of_all_float_types_are_read(tmp_path: Path) -> None:
    upper = (TABLE.view(np.uint32) >> 16).astype(np.uint16)
    path = safetensors(
        tmp_path / "t.safetensors",
        {"half": TABLE.astype(np.float16), "double": TABLE.astype(np.float64), "brain": upper,
         "ids": np.arange(4), "none": np.zeros((0, 3), np.float32)},
    )  # fmt: skip

    found = read_safetensors(path)

    assert sorted(found) == ["brain", "double", "half", "none"]
    assert [found[name].tolist() for name in ("half", "double", "brain")] == [TABLE.tolist()] * 3
    assert found["none"].shape == (0, 3)


def test_safetensors_of_another_length_than_the_header_says_are_refused(tmp_path: Path) -> None:
    longer = safetensors(tmp_path / "longer", {"m": TABLE}, extra=b"\0")
    shorter = safetensors(tmp_path / "shorter", {"m": TABLE})
    shorter.write_bytes(shorter.read_bytes()[:-1])
    headless = tmp_path / "headless"
    headless.write_bytes((2**60).to_bytes(8, "little"))

    for path in (longer, shorter, headless):
        with pytest.raises(InvalidScores):
            read_safetensors(path)


@pytest.mark.parametrize(
    "about",
    [
        None,
        {"dtype": "F32", "shape": [3, 2]},
        {"dtype": "F32", "shape": [3, 3], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [-3, -2], "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": 6, "data_offsets": [0, 24]},
        {"dtype": "F32", "shape": [3, 2], "data_offsets": [24, 0]},
        {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 12, 24]},
    ],
)
def test_safetensors_that_do_not_fill_their_place_are_refused(
    tmp_path: Path, about: object
) -> None:
    header = json.dumps({"m": about}).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(24))

    with pytest.raises(InvalidScores):
        read_safetensors(path)


@pytest.mark.parametrize("queries_first", [True, False])
def test_a_plain_array_is_read_as_it_is_said_to_lie(tmp_path: Path, queries_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    np.save(tmp_path / "s.npy", TABLE.T if queries_first else TABLE)

    assert read_npy(tmp_path / "s.npy", queries_first=queries_first).values.tolist() == (
        TABLE.tolist()
    )


@pytest.mark.parametrize(
    "content",
    [pickle.dumps([1.0]), b"", b"\x93NUMPY", b"PK\x05\x06" + bytes(18)],
    ids=["pickle", "empty", "cut", "zip"],
)
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.npy").write_bytes(content)

    with pytest.raises(InvalidScores):
        read_npy(tmp_path / "s.npy", queries_first=False)


def test_arrays_of_objects_texts_and_another_length_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([[{}]], object))
    np.save(tmp_path / "text.npy", np.array([["1.0"]]))
    np.save(tmp_path / "line.npy", TABLE[0])
    np.save(tmp_path / "longer.npy", TABLE)
    with (tmp_path / "longer.npy").open("ab") as stream:
        stream.write(b"\0")
    np.save(tmp_path / "shorter.npy", TABLE)
    (tmp_path / "shorter.npy").write_bytes((tmp_path / "shorter.npy").read_bytes()[:-1])

    for name in ("object", "text", "line", "longer", "shorter"):
        with pytest.raises(InvalidScores):
            read_npy(tmp_path / f"{name}.npy", queries_first=False)


def test_read_knows_the_tools_by_name(tmp_path: Path) -> None:
    folder = trak(tmp_path / "trak")
    bergson(tmp_path / "bergson", higher=None)
    safetensors(tmp_path / "kronfluence" / "pairwise_scores.safetensors", {"m": TABLE.T})

    assert read("trak", folder).tool == "trak"
    assert read("kronfluence", tmp_path / "kronfluence").tool == "kronfluence"
    assert read("bergson", tmp_path / "bergson", orientation=Orientation.LOWER).tool == "bergson"
    assert read("trak", folder, orientation=Orientation.LOWER).orientation == Orientation.LOWER
    with pytest.raises(InvalidScores, match="which tool"):
        read("quanda", folder)


def dattri_llm(folder: Path, **changes: Any) -> Path:
    """As dattri_llm.attribution.score.AttributionScore.save does: two tokens of ``b``, one of ``a``."""
    folder.mkdir()
    write_archive(folder / "scores.pt", Tensor(TABLE))
    about = {
        "row_train_ids": ["b", "a", "b"], "row_steps": [0, 0, 0], "test_ids": ["t", "u"],
        "algorithm": "kfac", "algorithm_meta": {"damping": 0.01}, "layer_name": None,
        "row_token_ids": [0, 0, 1], "granularity": "token", "num_train": 2, "num_test": 2,
        "num_rows": 3,
    }  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(about | changes, indent=2))
    return folder


def test_dattri_llms_rows_belong_to_their_samples(tmp_path: Path) -> None:
    found = read_dattri_llm(dattri_llm(tmp_path / "run"), train_ids=["a", "b", "c"])

    assert found.values.tolist() == TABLE.tolist()
    assert found.training_rows.tolist() == [1, 0, 1]
    assert (found.tool, found.settings["algorithm_meta"]) == ("dattri-llm", {"damping": 0.01})
    (first, _) = convert(found, ["q", "r"], manifest="mft_1").queries
    assert dict(zip(first.rows, first.scores, strict=True)) == {1: 2.0, 2: -3.5}


@pytest.mark.parametrize(
    ("changes", "train_ids"),
    [
        ({"row_train_ids": ["a", "b"]}, ["a", "b"]),
        ({"test_ids": ["t"]}, ["a", "b"]),
        ({"row_train_ids": None}, ["a", "b"]),
        ({}, ["a"]),
        ({}, ["a", "b", "b"]),
    ],
)
def test_dattri_llm_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], train_ids: list[str]
) -> None:
    with pytest.raises(InvalidScores):
        read_dattri_llm(dattri_llm(tmp_path / "run", **changes), train_ids=train_ids)


@pytest.mark.parametrize("queries_first", [True, False])
def test_a_tensor_of_dattri_is_read_from_either_file(tmp_path: Path, queries_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    values = TABLE.T if queries_first else TABLE
    write_archive(tmp_path / "s.pt", Tensor(np.ascontiguousarray(values)))
    np.save(tmp_path / "s.npy", values)

    for name in ("s.pt", "s.npy"):
        found = read("dattri", tmp_path / name, queries_first=queries_first)
        assert (found.tool, found.values.tolist()) == ("dattri", TABLE.tolist())


def test_a_pt_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "s.pt", {"scores": Tensor(TABLE)})
    (tmp_path / "p.pt").write_bytes(pickle.dumps([1.0]))

    for name in ("s.pt", "p.pt"):
        with pytest.raises(InvalidScores):
            read("dattri", tmp_path / name, queries_first=False)
    with pytest.raises(InvalidScores, match="layout"):
        read("dattri", tmp_path / "s.pt")

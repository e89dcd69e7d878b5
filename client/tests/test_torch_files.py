"""Tensors are read out of PyTorch's files, and nothing in them is ever run."""

import contextlib
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from client.tests.torch_writer import Tensor, write_archive, write_old
from tribute import torch_files
from tribute.torch_files import InvalidTensors

TABLE = np.array([[0.5, -1.0], [2.0, 0.25], [-4.0, 8.0]], np.float32)
both = pytest.mark.parametrize("write", [write_archive, write_old])
Write = Callable[[Path, object], Path]


@both
@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", "<i8"])
def test_a_tensor_is_read(tmp_path: Path, write: Write, kind: str) -> None:
    found = torch_files.read(write(tmp_path / "t.pt", Tensor(TABLE.astype(kind))))

    assert found.dtype == np.dtype(kind)
    assert found.tolist() == TABLE.astype(kind).tolist()


@both
def test_parameters_and_plain_values_are_read(tmp_path: Path, write: Write) -> None:
    said = OrderedDict(a=Tensor(TABLE), b=Tensor(TABLE[0]), c=[1, None, True, "x", (2.5,)])

    found = torch_files.read(write(tmp_path / "t.pt", said))

    assert list(found) == ["a", "b", "c"]
    assert found["b"].tolist() == [0.5, -1.0]
    assert found["c"] == [1, None, True, "x", (2.5,)]


@both
def test_a_transposed_tensor_keeps_its_strides(tmp_path: Path, write: Write) -> None:
    """As a view is saved: the numbers as they lay, and the steps through them."""
    view = Tensor(TABLE)
    view.shape, view.strides = (2, 3), (1, 2)

    assert torch_files.read(write(tmp_path / "t.pt", view)).tolist() == TABLE.T.tolist()


class Mine:
    """What a file of Mallory's would run."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("was-run",)


@pytest.mark.parametrize("value", [Mine(), [Mine()], {"a": Mine()}, print, OrderedDict(a=Mine())])
def test_programs_are_refused_and_not_run(
    tmp_path: Path, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for write in (write_archive, write_old):
        with pytest.raises(InvalidTensors, match="would have to be run"):
            torch_files.read(write(tmp_path / "t.pt", value))
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles_are_refused(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "t.pt"
    for value in (Mine(), {"a": 1}, 2**80):
        path.write_bytes(pickle.dumps(value, protocol=protocol))
        with pytest.raises(InvalidTensors):
            torch_files.read(path)


@both
@pytest.mark.parametrize(
    ("shape", "strides"),
    [((3, 3), (2, 1)), ((2, 3), (3, 2)), ((10**9,), (0,)), ((-3, -2), (2, 1)), ((6,), (-1,)), ((6,), ())],
)  # fmt: skip
def test_a_tensor_stays_within_its_storage(
    tmp_path: Path, write: Write, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    tensor = Tensor(TABLE)
    tensor.shape, tensor.strides = shape, strides

    with pytest.raises(InvalidTensors):
        torch_files.read(write(tmp_path / "t.pt", tensor))


def test_an_archive_that_unpacks_or_lacks_numbers_is_refused(tmp_path: Path) -> None:
    whole = write_archive(tmp_path / "t.pt", Tensor(TABLE))
    with zipfile.ZipFile(whole) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for change in ("deflated", "shorter", "missing", "big-endian"):
        path = tmp_path / change
        kind = zipfile.ZIP_DEFLATED if change == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", kind) as archive:
            for name, content in parts.items():
                if name == "archive/data/0" and change == "missing":
                    continue
                short = name == "archive/data/0" and change == "shorter"
                big = name == "archive/byteorder" and change == "big-endian"
                archive.writestr(name, b"big" if big else content[:-1] if short else content)
        with pytest.raises(InvalidTensors):
            torch_files.read(path)


@both
@settings(max_examples=60)
@example(cut=29, flip=2)
@example(cut=374, flip=64)
@example(cut=376, flip=1)
@example(cut=378, flip=8)
@example(cut=378, flip=12)
@example(cut=133, flip=8)
@given(cut=st.integers(0, 700), flip=st.integers(0, 255))
def test_files_that_were_cut_or_changed_fail_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, write: Write, cut: int, flip: int
) -> None:
    path = write(tmp_path_factory.mktemp("t") / "t.pt", Tensor(TABLE))
    content = bytearray(path.read_bytes())
    place = cut % len(content)
    content[place] ^= flip
    path.write_bytes(content)
    # Whatever is wrong, nothing but this may come of it; a flipped number is still a number.
    with contextlib.suppress(InvalidTensors):
        torch_files.read(path)
    path.write_bytes(content[:place])
    with pytest.raises(InvalidTensors):
        torch_files.read(path)

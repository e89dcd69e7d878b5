"""Write a ZIP archive one file at a time, so that each can be kept before the next is begun.

After APPNOTE.TXT 6.3.10 (PKWARE): local headers, the central directory, and ZIP64 where 32 bits do
not do. Each file is compressed whole in memory and must be smaller than 4 GiB; the archive need not.
Pure.
"""

import struct
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<4sIQI")
_EXTRA_64 = struct.Struct("<HHQ")
_PLAIN, _ZIP64 = 20, 45
_UTF8, _DEFLATED = 0x0800, 8
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFFFFFF
_MODE = 0o100644 << 16
_UNIX = 3 << 8


class File(NamedTuple):
    """A file in the archive. start: where its local header begins."""

    name: str
    crc: int
    packed: int
    size: int
    start: int
    dos_time: int


def local(name: str, content: bytes, *, start: int, at: datetime) -> tuple[bytes, File]:
    """Return the bytes of one file with its header, and what the directory has to say of it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    file = File(name, zlib.crc32(content), len(packed), len(content), start, _dos(at))
    encoded = name.encode()
    header = _LOCAL.pack(
        b"PK\3\4", _PLAIN, _UTF8, _DEFLATED, file.dos_time & _MOST_16, file.dos_time >> 16,
        file.crc, file.packed, file.size, len(encoded), 0,
    )  # fmt: skip
    return header + encoded + packed, file


def directory(files: Iterable[File], *, start: int) -> bytes:
    """Return the end of an archive whose files take the bytes up to ``start``."""
    entries = [_entry(file) for file in files]
    size = sum(map(len, entries))
    count = len(entries)
    end = b""
    if count >= _MOST_16 or start + size >= _MOST_32:
        end += _END_64.pack(
            b"PK\6\6", _END_64.size - 12, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, start
        )
        end += _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)
    few = min(count, _MOST_16)
    end += _END.pack(b"PK\5\6", 0, 0, few, few, min(size, _MOST_32), min(start, _MOST_32), 0)
    return b"".join(entries) + end


def _entry(file: File) -> bytes:
    far = file.start >= _MOST_32
    extra = _EXTRA_64.pack(1, 8, file.start) if far else b""
    version = _ZIP64 if far else _PLAIN
    encoded = file.name.encode()
    header = _CENTRAL.pack(
        b"PK\1\2", _UNIX | version, version, _UTF8, _DEFLATED,
        file.dos_time & _MOST_16, file.dos_time >> 16, file.crc, file.packed, file.size,
        len(encoded), len(extra), 0, 0, 0, _MODE, min(file.start, _MOST_32),
    )  # fmt: skip
    return header + encoded + extra


def _dos(at: datetime) -> int:
    """Return date and time as MS-DOS kept them: two seconds are the finest."""
    day = (at.year - 1980) << 9 | at.month << 5 | at.day
    return day << 16 | at.hour << 11 | at.minute << 5 | at.second // 2

"""Content codes in one file, mapped into memory, that a machine's processes share.

Owns the form of the file. It is a cache: spoilt, old or missing, PostgreSQL has it all.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from registry.likeness import WORD_BITS, Codes

NAME = "content_codes.bin"
MAGIC = b"tribute-codes/1\n"
HEADER_BYTES = 4_096
WORK_BYTES = 16

Works = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


class Kind(NamedTuple):
    """What codes compare among themselves: their type, packed into a number, and their length."""

    type: int
    bits: int

    @property
    def words(self) -> int:
        """How many words of 64 bits a code takes."""
        return -(-self.bits // WORD_BITS)


@dataclass(frozen=True, slots=True)
class Group:
    """Codes of one kind and whose they are. works: (n, 16), a UUID's bytes each."""

    works: Works
    codes: Codes

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def joined(cls, groups: Sequence["Group"]) -> "Group":
        """Put groups of one kind, at least one, behind each other."""
        if len(groups) == 1:
            return groups[0]
        words = np.concatenate([group.codes.words for group in groups], axis=1)
        works = np.concatenate([group.works for group in groups])
        return cls(works, Codes(words, groups[0].codes.bits))


@dataclass(frozen=True, slots=True)
class Filed:
    """All codes up to a row; number and work are that row's."""

    number: int
    work: bytes
    groups: Mapping[Kind, Group]


def write(folder: Path, filed: Filed) -> None:
    """Put everything into the folder's file, whole or not at all; readers keep the old one."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {
        "number": filed.number,
        "work": filed.work.hex(),
        "groups": [[kind.type, kind.bits, len(group)] for kind, group in filed.groups.items()],
    }
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{NAME}.", delete=False) as file:
        file.write((MAGIC + json.dumps(header).encode()).ljust(HEADER_BYTES))
        for group in filed.groups.values():
            file.write(np.ascontiguousarray(group.codes.words).data)
            file.write(np.ascontiguousarray(group.works).data)
    os.replace(file.name, folder / NAME)  # noqa: PTH105 - as the other atomic writers do


def read(folder: Path) -> Filed | None:
    """Map the folder's file into memory; None when there is none that can be read."""
    try:
        whole = np.memmap(folder / NAME, np.uint8, "r")
        start = whole[:HEADER_BYTES].tobytes()
        if not start.startswith(MAGIC):
            return None
        header = json.loads(start[len(MAGIC) :])
        return Filed(
            int(header["number"]), bytes.fromhex(header["work"]), dict(_groups(whole, header))
        )
    except (OSError, ValueError, KeyError):
        return None


def _groups(
    whole: np.ndarray[tuple[int], np.dtype[np.uint8]], header: Mapping[str, list[list[int]]]
) -> Sequence[tuple[Kind, Group]]:
    """Cut the file into its groups. Raises ValueError when it is too short."""
    groups, at = [], HEADER_BYTES
    for kind_type, bits, count in header["groups"]:
        kind = Kind(kind_type, bits)
        middle = at + kind.words * count * 8
        end = middle + count * WORK_BYTES
        words = whole[at:middle].view(np.uint64).reshape(kind.words, count)
        groups.append(
            (kind, Group(whole[middle:end].reshape(count, WORK_BYTES), Codes(words, bits)))
        )
        at = end
    return groups

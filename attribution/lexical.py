"""The words of a manifest's texts, indexed on disk, and which texts an output resembles by them.

Owns the files: one folder for each manifest below ``settings.HOME``, written once by whichever
worker needs it first and mapped into memory by all. They are derived from the registry's features
and may be deleted while no worker runs. How passages are scored is ``methods.bm25``'s.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from attribution import rosters
from attribution.methods import bm25
from registry.manifests import allowed_works
from registry.models import Manifest, WorkFeatures
from tribute import ids
from tribute.features import Features, sections

MAPPED = 8
"""Manifests whose files one process keeps mapped."""

_ARRAYS = ("terms", "starts", "passages", "offsets", "held", "counts", "lengths", "owners")


@dataclass(frozen=True, slots=True, eq=False)
class TextIndex:
    """The allowed texts of one manifest.

    digest: of all that it holds, in hexadecimal. names: typed ids by number, those asked for.
    """

    index: bm25.Index
    works: NDArray[np.uint8]
    digest: str
    names: dict[int, str] = field(default_factory=dict)

    def best(self, output: Features) -> dict[str, float]:
        """Return works by typed id and their best passage's score, of those proposed."""
        names = self.names
        found = self.index.best(output)
        return {names.get(number) or self._name(number): score for number, score in found.items()}

    def _name(self, number: int) -> str:
        name = ids.encode("wrk", UUID(bytes=self.works[number].tobytes()))
        return self.names.setdefault(number, name)


def of_manifest(manifest: Manifest) -> TextIndex:
    """Return the index of a manifest, made when it is needed first."""
    return _map(manifest.pk, str(settings.HOME))


@lru_cache(maxsize=MAPPED)
def _map(manifest_id: str, home: str) -> TextIndex:
    folder = Path(home) / "lexical" / f"{manifest_id}-{bm25.VERSION}"
    if not folder.exists():
        with _turn(folder):
            if not folder.exists():
                _write(Manifest.objects.get(pk=manifest_id), folder)
    arrays = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS}
    works = _mapped(folder / "works.npy")
    digest = json.loads((folder / "index.json").read_text())["sha256"]
    return TextIndex(bm25.Index(**arrays), works, digest)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Let one worker of a machine build an index, which takes gigabytes for a million texts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mapped(file: Path) -> NDArray[Any]:
    """Map a file; a plain array is sliced many times faster than numpy's own kind for files."""
    mapped: NDArray[Any] = np.load(file, mmap_mode="r")
    return mapped.view(np.ndarray)


def _write(manifest: Manifest, folder: Path) -> None:
    """Build the files beside their place and move them there at once."""
    works: list[bytes] = []
    built = bm25.build(_texts(manifest, works))
    arrays = {name: getattr(built, name) for name in _ARRAYS}
    arrays["works"] = np.frombuffer(b"".join(works), np.uint8).reshape(-1, 16)
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    digest = sha256()
    for name, array in arrays.items():
        np.save(beside / f"{name}.npy", array)
        digest.update(np.ascontiguousarray(array).data)
    (beside / "index.json").write_text(json.dumps({"sha256": digest.hexdigest()}))
    try:
        beside.rename(folder)
    except OSError:
        # Another machine's worker was faster; it wrote the same.
        shutil.rmtree(beside)
        if not folder.exists():
            raise


def _texts(manifest: Manifest, works: list[bytes]) -> Iterator[bytes]:
    """Yield the blocks of each allowed text, earliest registration first; note its id.

    Copies are left out: they would make their words seem frequent, and so harm the original.
    """
    copies = rosters.of_manifest(manifest).followers()
    rows = WorkFeatures.objects.filter(work__in=allowed_works(manifest))
    in_order = rows.order_by("work__registered_at", "work_id").values_list("work_id", "features")
    for work, features in in_order.iterator(chunk_size=1_000):
        if work not in copies:
            works.append(ids.decode("wrk", work).bytes)
            yield sections(bytes(features))[4]

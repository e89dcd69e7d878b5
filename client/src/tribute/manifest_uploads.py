"""Declare a manifest by its file: announce it, send it, wait until the registry has matched it.

Owns the note that remembers an upload beside its file, so that after a crash the same call goes on
where the registry stands. The note names no key and no row. Bytes are sent by ``tribute.tus``.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from tribute.connection import Connection, RegistryError, malformed, quoted
from tribute.tus import FileChanged, Upload

ASKED_EVERY_S = 2.0
BLOCK = 1024 * 1024
SUFFIX = ".tribute-upload"

_NOT_FOUND = 404
_PARQUET = b"PAR1"
_FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
_UPLOAD_ID = re.compile(r"/(upl_[0-9A-Za-z]+)\Z")


class InvalidManifestFile(ValueError):
    """A manifest is a file of JSON Lines or Parquet with a row or more."""


class ManifestRefused(Exception):
    """A manifest's rows must be what the registry takes; the one before stays in force."""


class ManifestReplaced(Exception):
    """A manifest counts only while no other is declared for its model."""


class ManifestUnfinished(Exception):
    """A manifest is matched within the time one is willing to wait."""


class Stage(StrEnum):
    """What happens to a manifest, in this order."""

    READING = "reading"
    SENDING = "sending"
    MATCHING = "matching"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: bytes read or sent, of ``total``; rows matched, whose total nobody knows."""

    stage: Stage
    done: int
    total: int | None


Report = Callable[[Progress], None]


def say_nothing(_progress: Progress) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What is remembered of an upload; the first five fields say which file it is of."""

    registry: str
    model: str
    format: str
    size: int
    sha256: str
    upload: str
    manifest: str


class ManifestUpload:
    """One file on its way to be one model's manifest.

    notes: the folder in which to remember the upload; that of the file by default.
    """

    def __init__(
        self, connection: Connection, model_id: str, path: Path, *, notes: Path | None = None
    ) -> None:
        self._connection = connection
        self._model = model_id
        self._path = path
        whole = "\n".join((connection.base_url, model_id, str(path.resolve())))
        name = f"{path.name}.{hashlib.sha256(whole.encode()).hexdigest()[:12]}{SUFFIX}"
        self._note_path = (notes or path.parent) / name
        self._manifest = ""

    def send(self, progress: Report) -> None:
        """Send the file, or what the registry lacks of it."""
        with self._path.open("rb") as file:
            form = _format_of(self._path, file)
            size, digest = _measure(file, progress)
            announced = {"format": form, "size": size, "sha256": digest}
            note = self._note_of(announced) or self._announce(announced)
            self._manifest = note.manifest

            def sent(offset: int) -> None:
                progress(Progress(Stage.SENDING, offset, size))

            try:
                Upload(self._connection, note.upload, size).send(file, sent)
            except FileChanged as error:
                raise InvalidManifestFile(f"{self._path}: {error}; start again") from error

    def wait(self, progress: Report, *, seconds: float | None) -> None:
        """Return once the manifest is in force, and forget the upload.

        Raises ManifestRefused, ManifestReplaced, ManifestUnfinished, RegistryError.
        """
        ends_at = None if seconds is None else time.monotonic() + seconds
        while not self._is_in_force(progress):
            if ends_at is not None and time.monotonic() + ASKED_EVERY_S > ends_at:
                raise ManifestUnfinished(f"{self._manifest} was received and is not matched yet")
            time.sleep(ASKED_EVERY_S)
        self._forget()

    def _is_in_force(self, progress: Report) -> bool:
        current, following = self._declared()
        if current.get("id") == self._manifest:
            progress(Progress(Stage.MATCHING, *_rows(current)))
            return True
        if following.get("id") != self._manifest:
            self._forget()
            raise ManifestReplaced(f"another manifest was declared for {self._model} since")
        if following.get("status") == "failed":
            self._forget()
            raise ManifestRefused(f"the manifest was refused: {following.get('failure')}")
        done, _ = _rows(following)
        progress(Progress(Stage.MATCHING, done, None))
        return False

    def _note_of(self, announced: dict[str, Any]) -> _Note | None:
        """Return what was remembered, if it is of these bytes and the registry still knows it."""
        note = _read_note(self._note_path)
        told = {"registry": self._connection.base_url, "model": self._model, **announced}
        if note is None or any(getattr(note, name) != said for name, said in told.items()):
            return None
        current, following = self._declared()
        if note.manifest not in {current.get("id"), following.get("id")}:
            return None
        if following.get("id") == note.manifest and following.get("status") == "failed":
            return None
        try:
            Upload(self._connection, note.upload, note.size).offset()
        except RegistryError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return note

    def _announce(self, announced: dict[str, Any]) -> _Note:
        path = f"/v1/models/{quoted(self._model)}/manifest:upload"
        made = self._connection.call("POST", path, announced)
        manifest, upload = made.get("id"), made.get("upload")
        address = upload.get("url") if isinstance(upload, dict) else None
        named = _UPLOAD_ID.search(address) if isinstance(address, str) else None
        if not isinstance(manifest, str) or named is None:
            raise malformed("an announced manifest has an id, and an upload with its address")
        note = _Note(
            self._connection.base_url, self._model, **announced, upload=named[1], manifest=manifest
        )
        _write_note(self._note_path, note)
        return note

    def _declared(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the manifest in force and the one to take its place, {} for none."""
        said = self._connection.call("GET", f"/v1/models/{quoted(self._model)}/manifest")
        both = [{} if said.get(name) is None else said[name] for name in ("current", "next")]
        if not all(isinstance(each, dict) for each in both):
            raise malformed("a model has a manifest, and perhaps a next one")
        return both[0], both[1]

    def _forget(self) -> None:
        self._note_path.unlink(missing_ok=True)


def _rows(manifest: dict[str, Any]) -> tuple[int, int]:
    rows = manifest.get("rows_count")
    if not isinstance(rows, int):
        raise malformed("a manifest counts its rows")
    return rows, rows


def _format_of(path: Path, file: BinaryIO) -> str:
    """Tell by the first bytes, and hold the name to it."""
    beginning = file.read(len(_PARQUET))
    found = "parquet" if beginning == _PARQUET else "jsonl"
    if not beginning:
        raise InvalidManifestFile(f"{path} is empty: a manifest has a row or more")
    if _FORMATS.get(path.suffix.lower(), found) != found:
        raise InvalidManifestFile(f"{path} is named like {path.suffix}, and is not that inside")
    if found == "jsonl" and not beginning.lstrip().startswith(b"{") and beginning.strip():
        raise InvalidManifestFile(f"{path} is neither Parquet nor JSON Lines, one object a line")
    return found


def _measure(file: BinaryIO, progress: Report) -> tuple[int, str]:
    """Return size and SHA-256: what is resumed must be the same file."""
    file.seek(0)
    total, digest, done = os.fstat(file.fileno()).st_size, hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        done += len(block)
        progress(Progress(Stage.READING, done, total))
    return done, digest.hexdigest()


def _read_note(path: Path) -> _Note | None:
    """Return a note; one that is not there, or is spoilt, costs a new upload and no more."""
    try:
        said = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    try:
        note = _Note(**said)
    except TypeError:
        return None
    return note if isinstance(note.upload, str) and isinstance(note.manifest, str) else None


def _write_note(path: Path, note: _Note) -> None:
    """Write a note whole or not at all, also when the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(note), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)

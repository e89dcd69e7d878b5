"""Report paid generations, numbered and signed, so that none is lost and none is said twice.

Owns a folder in which reports wait until the registry has acknowledged them. A report keeps its
bytes and its number over crashes and lost answers; one that is refused for good gives its number
to the next, so that the numbers the registry sees have no gaps. One process uses a folder at a
time. The folder holds whatever is reported: send features rather than outputs to keep texts out.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute import report_signatures
from tribute.transport import Registry, RegistryError

__all__ = ["ReportRefused", "Reporter"]

_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# Refusals that say nothing about the report: the key, the pace, the clock.
_OF_THE_CALLER = {401, 403, 408, 425, 429}


class ReportRefused(Exception):
    """A report was refused for good; it lies in the folder ``refused`` and waits for a person."""

    def __init__(self, reason: RegistryError, kept: Path) -> None:
        super().__init__(f"{reason} (kept as {kept})")
        self.reason = reason
        self.kept = kept


class Reporter:
    """Numbers, signs, sends and remembers reports.

    key: the private half of the report key that the registry knows as ``key_id`` (``rky_…``).
    folder: where reports wait; made when it is not there.
    """

    def __init__(
        self, registry: Registry, key: Ed25519PrivateKey, *, key_id: str, folder: Path
    ) -> None:
        self._registry = registry
        self._key = key
        self._key_id = key_id
        self._waiting = folder / "waiting"
        self._refused = folder / "refused"
        self._next = folder / "next"
        self._lock = folder / "lock"
        for each in (self._waiting, self._refused):
            each.mkdir(parents=True, exist_ok=True)

    def report(self, queries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Keep a report of 1 to 1,000 queries, and send everything that waits, in order.

        Returns the registry's answers, one a report. Raises RegistryError when the registry cannot
        be reached or is not willing now (nothing is lost: call ``send``), ReportRefused when it
        will never take a report; what came after that waits.
        """
        self.keep(queries)
        return self.send()

    def keep(self, queries: Sequence[Mapping[str, Any]]) -> None:
        """Keep a report on disk, to be sent later; it survives a crash from here on."""
        if not queries:
            raise ValueError("a report is about one query or more")
        body = json.dumps({"queries": list(queries)}, ensure_ascii=False, allow_nan=False)
        with self._alone():
            names = [int(path.stem) for path in self._in_order()]
            number = max([*names, self._number("last")]) + 1
            _write(self._lock.with_name("last"), str(number).encode())
            _write(self._waiting / f"{number:012}.json", body.encode())

    def send(self) -> list[dict[str, Any]]:
        """Send what waits, oldest first; see ``report``."""
        answers = []
        with self._alone():
            for path in self._in_order():
                answers.append(self._send(path))
                _write(self._next, str(self._number("next") + 1).encode())
                path.unlink()
        return answers

    def _send(self, path: Path) -> dict[str, Any]:
        body, sequence = path.read_bytes(), self._number("next") + 1
        signature = report_signatures.sign(body, self._key, key_id=self._key_id, sequence=sequence)
        try:
            return self._registry.report_signed(body, signature)
        except RegistryError as error:
            if not _CLIENT_ERROR <= error.status < _SERVER_ERROR or error.status in _OF_THE_CALLER:
                raise
            kept = self._refused / path.name
            path.rename(kept)
            raise ReportRefused(error, kept) from error

    def _in_order(self) -> list[Path]:
        return sorted(self._waiting.glob("*.json"))

    def _number(self, name: str) -> int:
        try:
            return int(self._lock.with_name(name).read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also when the machine stops."""
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Match rows of a manifest with what is registered, judge each as of its ingestion, store them.

A row is judged by what was known when it was ingested: a statement made later makes no violation,
and cures none. Rows are matched a batch at a time, by one look-up of all their keys.
"""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from registry import addresses, answers, checks, decision_index, history, log, near_copies
from registry.answers import Grants, Question
from registry.errors import InvalidManifestRow
from registry.history import Link
from registry.manifest_files import Numbered
from registry.models import Manifest
from tribute import identifiers, ids, verdict
from tribute.identifiers import Key
from tribute.vocabulary import Decision, IdentifierKind, Purpose

VIOLATIONS = (Decision.DENY, Decision.LICENSE)
COPY_ROWS = """COPY registry_manifestrow
 (manifest_id, row_number, kind, canonical, key, ingested_at, work_id, decision, statement_id)
 FROM STDIN"""
COPY_CODES = "COPY registry_manifestcode (manifest_id, row_number, type, code) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom rows are judged, and for what."""

    operator: str
    grants: Grants
    purpose: Purpose


class Recognisable(NamedTuple):
    """A row of a manifest by its own keys, the closest first, and the folder of its address."""

    number: int
    at: datetime
    own: list[Key]
    folder: str | None

    @property
    def keys(self) -> list[Key]:
        """Every key by which the row is looked up, the closest first, as a check does."""
        if self.folder is None:
            return self.own
        codes = [key for key in self.own if key.kind == IdentifierKind.ISCC]
        closest = self.own[: len(self.own) - len(codes)]
        return [*closest, *addresses.places(self.folder), *codes]


class Judged(NamedTuple):
    """What a row is found to be: a decision, the work, the statement that decided."""

    decision: Decision
    work: str | None = None
    statement: str | None = None


def take(manifest: Manifest, batch: Sequence[Numbered], asker: Asker) -> None:
    """Judge and store the next rows of a manifest, and count them in it. Saves nothing of it.

    Raises InvalidManifestRow with the row's number.
    """
    received_at = manifest.received_at
    rows = [recognisable(row, received_at) for row in batch]
    instants = [log.instant(row.at) for row in rows]
    digest = bytes(manifest.running_digest)
    for row, instant in zip(rows, instants, strict=True):
        said = {key.kind.value: key.canonical for key in row.own}
        said["ingested_at"] = instant
        digest = hashlib.sha256(digest + checks.canonical_json(said)).digest()
    judged = list(_judged(rows, asker))
    _store(manifest, rows, instants, judged)
    _store_codes(manifest, rows)
    manifest.matched_count += sum(found.work is not None for found in judged)
    manifest.violations_count += sum(found.decision in VIOLATIONS for found in judged)
    manifest.running_digest = digest
    manifest.rows_count = batch[-1].number
    manifest.read_to = batch[-1].read_to


def recognisable(row: Numbered, received_at: datetime) -> Recognisable:
    """Return what a row is recognised by. Raises InvalidManifestRow with its number."""
    number, item, _ = row
    at, url, sha256, iscc = item
    if (at.tzinfo is not UTC and at.utcoffset() is None) or at > received_at:
        raise InvalidManifestRow(f"row {number}: ingested_at is an instant in the past with zone")
    own: list[Key] = []
    folder = None
    try:
        if sha256 is not None:
            own.append(identifiers.key_of(IdentifierKind.SHA256, sha256))
        if url is not None:
            key = addresses.key_of(url)
            folder = addresses.folder_of(key.canonical)
            own.append(key)
        if iscc is not None:
            own.append(identifiers.key_of(IdentifierKind.ISCC, iscc))
    except identifiers.InvalidIdentifier as error:
        raise InvalidManifestRow(f"row {number}: {error}") from error
    if not own:
        raise InvalidManifestRow(f"row {number}: it has none of url, sha256, iscc")
    return Recognisable(number, at, own, folder)


def _judged(rows: Sequence[Recognisable], asker: Asker) -> Iterator[Judged]:
    """Yield what each row is found to be, by one look-up of all their keys."""
    works = {key.digest for row in rows for key in row.own}
    folders = {row.folder for row in rows if row.folder is not None}
    places_of = {folder: addresses.places(folder) for folder in folders}
    places = {key.digest for keys in places_of.values() for key in keys}
    judge = _Judge(history.load(works, places=places), asker)
    known = judge.known
    open_folders: set[str | None] = {
        folder for folder, keys in places_of.items() if any(key.digest in known for key in keys)
    }
    for row in rows:
        if row.folder in open_folders or any(key.digest in known for key in row.own):
            yield judge.judged([key for key in row.keys if key.digest in known], row.at)
        else:
            yield judge.nothing


class _Judge:
    """Judges whatever some keys lead to.

    Rows that are known by the same keys are judged alike between two instants at which anything
    about those changed, and so only once.
    """

    def __init__(self, links: Iterable[Link], asker: Asker) -> None:
        self._links: dict[bytes, list[Link]] = defaultdict(list)
        for link in links:
            self._links[link.key].append(link)
        self.known = self._links.keys()
        self._asker = asker
        self._instants: dict[tuple[bytes, ...], list[datetime]] = {}
        self._found: dict[tuple[tuple[bytes, ...], int], Judged] = {}
        self.nothing = Judged(Decision.UNKNOWN)

    def judged(self, keys: Sequence[Key], at: datetime) -> Judged:
        """Return what a thing is that has these keys, all known, as of an instant."""
        digests = tuple([key.digest for key in keys])
        changes = self._instants.get(digests)
        if changes is None:
            changes = self._instants[digests] = self._changes(digests)
        case = digests, bisect_right(changes, at)
        found = self._found.get(case)
        if found is None:
            found = self._found[case] = self._judge(keys, at)
        return found

    def _changes(self, digests: Iterable[bytes]) -> list[datetime]:
        """Return every instant from which on these keys may be judged otherwise than before."""
        links = [link for digest in digests for link in self._links[digest]]
        changes = set(decision_index.instants(links))
        changes |= {said.statement.effective_from for link in links for said in link.sayings}
        for subject in {link.subject for link in links}:
            for grant in self._asker.grants.get(subject, ()):
                changes |= {grant.effective_from, grant.effective_until or grant.effective_from}
        return sorted(changes)

    def _judge(self, keys: Sequence[Key], at: datetime) -> Judged:
        links = [link for key in keys for link in self._links[key.digest]]
        answer = answers.answer(
            Question("", tuple(keys)),
            decision_index.rows_at(links, at),
            self._asker.grants,
            purposes=[self._asker.purpose],
            asker=self._asker.operator,
            at=at,
        )
        (said,) = answer.verdicts.values()
        statement = next((s for s in said.deciding if isinstance(s, verdict.Statement)), None)
        return Judged(
            said.decision,
            answer.works[0] if answer.works else None,
            statement.id if statement else None,
        )


def _store(
    manifest: Manifest,
    rows: Sequence[Recognisable],
    instants: Sequence[str],
    judged: Sequence[Judged],
) -> None:
    manifest_uuid = ids.decode("mft", manifest.pk)
    endings: dict[Judged, str] = {}
    lines: list[str] = []
    for row, instant, found in zip(rows, instants, judged, strict=True):
        key = row.own[0]
        ending = endings.get(found)
        if ending is None:
            ending = endings[found] = _ending(found)
        # Canonical forms hold no tab and no line end; a backslash they may.
        canonical = key.canonical.replace("\\", "\\\\")
        lines.append(
            f"{manifest_uuid}\t{row.number}\t{key.kind.value}\t{canonical}\t"
            f"\\\\x{key.digest.hex()}\t{instant}\t{ending}"
        )
    _copy(COPY_ROWS, lines)


def _ending(found: Judged) -> str:
    """Return the columns of a row that say what it was found to be."""
    work, statement = _uuid("wrk", found.work), _uuid("stm", found.statement)
    return f"{work}\t{found.decision.value}\t{statement}\n"


def _uuid(prefix: str, public_id: str | None) -> str:
    """Return what COPY reads as the UUID behind an id, or as NULL."""
    return "\\N" if public_id is None else str(ids.decode(prefix, public_id))


def _store_codes(manifest: Manifest, rows: Sequence[Recognisable]) -> None:
    manifest_uuid = ids.decode("mft", manifest.pk)
    lines: list[str] = []
    for row in rows:
        iscc = row.own[-1]
        if iscc.kind != IdentifierKind.ISCC:
            continue
        code = near_copies.content_code_of_canonical(iscc.canonical)
        if code is not None:
            digits = f"{int(code.bits, 2):0{len(code.bits) // 4}x}"
            lines.append(f"{manifest_uuid}\t{row.number}\t{code.type}\t\\\\x{digits}\n")
    if lines:
        _copy(COPY_CODES, lines)


def _copy(statement: str, lines: list[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines).encode())

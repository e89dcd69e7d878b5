"""Match rows of a manifest with what is registered, judge each as of its ingestion, store them.

A row is judged by what was known when it was ingested: a statement made later makes no violation,
and cures none. Rows are matched a batch at a time, by one look-up of all their keys.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.db import connection

from registry import answers, checks, decision_index, history, log, near_copies
from registry.answers import Answer, CheckItem, Grants, Question
from registry.errors import InvalidManifestRow
from registry.history import Link
from registry.manifest_files import Numbered
from registry.models import Manifest
from tribute import identifiers, ids, verdict
from tribute.identifiers import Key
from tribute.vocabulary import Decision, IdentifierKind, Purpose

VIOLATIONS = (Decision.DENY, Decision.LICENSE)
PLACES_KEPT = 20_000
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


def take(manifest: Manifest, batch: Sequence[Numbered], asker: Asker) -> None:
    """Judge and store the next rows of a manifest, and count them in it. Saves nothing of it.

    Raises InvalidManifestRow with the row's number.
    """
    questions = [_question(row, manifest.received_at) for row in batch]
    digest = bytes(manifest.running_digest)
    for row, question in zip(batch, questions, strict=True):
        digest = hashlib.sha256(digest + _canonical_row(row, question)).digest()
    found = _answered(batch, questions, asker)
    _store(manifest, batch, questions, found)
    _store_codes(manifest, batch)
    manifest.running_digest = digest
    manifest.rows_count = batch[-1].number
    manifest.read_to = batch[-1].read_to


def _question(row: Numbered, at: datetime) -> Question:
    number, item = row.number, row.item
    if item.ingested_at.utcoffset() is None or item.ingested_at > at:
        raise InvalidManifestRow(f"row {number}: ingested_at is an instant in the past with zone")
    if item.url is None:
        (question,) = answers.questions([CheckItem(str(number), None, item.sha256, item.iscc)])
    else:
        try:
            # The places that contain an address are those of its folder, which are kept.
            url = identifiers.key_of(IdentifierKind.URL, item.url)
            others = [
                identifiers.key_of(IdentifierKind(kind), value)
                for kind, value in (("sha256", item.sha256), ("iscc", item.iscc))
                if value is not None
            ]
        except identifiers.InvalidIdentifier as error:
            raise InvalidManifestRow(f"row {number}: {error}") from error
        folder = url.canonical.partition("?")[0].rpartition("/")[0]
        hashes = [key for key in others if key.kind == IdentifierKind.SHA256]
        codes = [key for key in others if key.kind == IdentifierKind.ISCC]
        question = Question(str(number), (*hashes, url, *_places(folder), *codes))
    if question.problem is not None:
        raise InvalidManifestRow(f"row {number}: {question.problem.detail}")
    return question


@lru_cache(maxsize=PLACES_KEPT)
def _places(folder: str) -> tuple[Key, ...]:
    """Return the keys of the places that contain the addresses in a folder, narrowest first."""
    return identifiers.candidate_keys(f"https://{folder}/")[1:]


def _canonical_row(row: Numbered, question: Question) -> bytes:
    own: dict[str, str] = {key.kind.value: key.canonical for key in _own_keys(row, question)}
    return checks.canonical_json(own | {"ingested_at": log.instant(row.item.ingested_at)})


def _own_keys(row: Numbered, question: Question) -> list[Key]:
    given = {"url": row.item.url, "sha256": row.item.sha256, "iscc": row.item.iscc}
    return [key for key in question.keys if given.get(key.kind.value) is not None]


def _answered(
    batch: Sequence[Numbered], questions: Sequence[Question], asker: Asker
) -> list[Answer]:
    links: Mapping[bytes, list[Link]] = _links(questions)
    answered = []
    for row, question in zip(batch, questions, strict=True):
        known = [key for key in question.keys if key.digest in links]
        concerned = [link for key in known for link in links[key.digest]]
        answered.append(
            answers.answer(
                replace(question, keys=tuple(known)),
                decision_index.rows_at(concerned, row.item.ingested_at) if concerned else {},
                asker.grants,
                purposes=[asker.purpose],
                asker=asker.operator,
                at=row.item.ingested_at,
            )
        )
    return answered


def _links(questions: Sequence[Question]) -> dict[bytes, list[Link]]:
    keys = {key.digest for question in questions for key in question.keys}
    grouped: dict[bytes, list[Link]] = defaultdict(list)
    for link in history.load(keys):
        grouped[link.key].append(link)
    return dict(grouped)


def _store(
    manifest: Manifest,
    batch: Sequence[Numbered],
    questions: Sequence[Question],
    found: Sequence[Answer],
) -> None:
    manifest_uuid = ids.decode("mft", manifest.pk)
    lines: list[str] = []
    for row, question, answer in zip(batch, questions, found, strict=True):
        key = _own_keys(row, question)[0]
        (said,) = answer.verdicts.values()
        statement = next((s for s in said.deciding if isinstance(s, verdict.Statement)), None)
        work = answer.works[0] if answer.works else None
        manifest.matched_count += work is not None
        manifest.violations_count += said.decision in VIOLATIONS
        # Canonical forms hold no tab and no line end; a backslash they may.
        canonical = key.canonical.replace("\\", "\\\\")
        lines.append(
            f"{manifest_uuid}\t{row.number}\t{key.kind.value}\t{canonical}\t"
            f"\\\\x{key.digest.hex()}\t{row.item.ingested_at.isoformat()}\t"
            f"{_uuid('wrk', work)}\t{said.decision.value}\t"
            f"{_uuid('stm', statement.id if statement else None)}\n"
        )
    _copy(COPY_ROWS, lines)


def _uuid(prefix: str, public_id: str | None) -> str:
    """Return what COPY reads as the UUID behind an id, or as NULL."""
    return "\\N" if public_id is None else str(ids.decode(prefix, public_id))


def _store_codes(manifest: Manifest, batch: Sequence[Numbered]) -> None:
    manifest_uuid = ids.decode("mft", manifest.pk)
    lines: list[str] = []
    for row in batch:
        code = near_copies.content_code(row.item.iscc) if row.item.iscc is not None else None
        if code is not None:
            digits = f"{int(code.bits, 2):0{len(code.bits) // 4}x}"
            lines.append(f"{manifest_uuid}\t{row.number}\t{code.type}\t\\\\x{digits}\n")
    if lines:
        _copy(COPY_CODES, lines)


def _copy(statement: str, lines: list[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("".join(lines).encode())

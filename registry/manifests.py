"""Manifests: what a model was trained on, matched against what was allowed at the time.

Each row is judged as of its own ingestion, from what was known then: a statement made later makes
no violation, and cures none.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.models import Count, QuerySet

from registry import answers, checks, decision_index, history, log
from registry.answers import Answer, CheckItem, Grants, Question
from registry.errors import EmptyManifest, InvalidManifestRow
from registry.history import Link
from registry.models import Grant, Manifest, ManifestRow, Operator, Work
from tribute import ids, verdict
from tribute.identifiers import Key
from tribute.vocabulary import Decision, Purpose

ROWS_AT_ONCE = 5_000
VIOLATIONS = (Decision.DENY, Decision.LICENSE)
COPY_ROWS = """COPY registry_manifestrow
 (manifest_id, row_number, kind, canonical, key, ingested_at, work_id, decision, statement_id)
 FROM STDIN"""


@dataclass(frozen=True, slots=True)
class ManifestItem:
    """One thing ingested, by one or more identifiers, and when; ``ingested_at`` is aware."""

    ingested_at: datetime
    url: str | None = None
    sha256: str | None = None
    iscc: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a manifest holds.

    matched: rows recognised as a registered work; allowed, denied: rows by their decision at
    ingestion, licences without a grant among the denied; duplicated: rows whose identifier an
    earlier row has.
    """

    rows: int
    matched: int
    works: int
    allowed: int
    unknown: int
    denied: int
    duplicated: int
    violations: Sequence[ManifestRow] = field(default=())


@transaction.atomic
def receive(
    operator: Operator,
    rows: Iterable[ManifestItem],
    *,
    purpose: Purpose = Purpose.TRAIN_AI,
    at: datetime,
) -> Manifest:
    """Store and match a manifest, streaming; its digest goes into the log. All of it or nothing.

    Raises InvalidManifestRow with the row's number (from 1), EmptyManifest.
    """
    manifest = Manifest.objects.create(operator=operator, received_at=at)
    grants = answers.by_subject(grants_of(operator))
    digest = hashlib.sha256()
    numbered = iter(enumerate(rows, start=1))
    while batch := list(islice(numbered, ROWS_AT_ONCE)):
        questions = [_question(number, item, at) for number, item in batch]
        for (_, item), question in zip(batch, questions, strict=True):
            digest.update(_canonical_row(item, question) + b"\n")
        _store(manifest, batch, questions, _answered(operator, batch, questions, grants, purpose))
        manifest.rows_count = batch[-1][0]
    if manifest.rows_count == 0:
        raise EmptyManifest("the manifest has no rows")
    _close(manifest, digest.digest(), at)
    return manifest


def report(manifest: Manifest, *, most_violations: int = 100) -> Report:
    """Return what a manifest holds, with the first of its violations."""
    counts = dict(
        manifest.rows.values_list("decision").annotate(rows=Count("pk")).order_by("decision")
    )
    distinct = manifest.rows.aggregate(keys=Count("key", distinct=True))["keys"]
    violations = manifest.rows.filter(decision__in=VIOLATIONS).select_related("work", "statement")
    return Report(
        rows=manifest.rows_count,
        matched=manifest.matched_count,
        works=works_of(manifest).count(),
        allowed=counts.get(Decision.ALLOW, 0),
        unknown=counts.get(Decision.UNKNOWN, 0),
        denied=manifest.violations_count,
        duplicated=manifest.rows_count - distinct,
        violations=list(violations.order_by("row_number")[:most_violations]),
    )


def works_of(manifest: Manifest) -> QuerySet[Work]:
    """Return the registered works in a manifest."""
    rows = manifest.rows.exclude(work=None)
    return Work.objects.filter(pk__in=rows.values("work_id"))


def allowed_works(manifest: Manifest) -> QuerySet[Work]:
    """Return the works in a manifest that were allowed when they were ingested."""
    rows = manifest.rows.filter(decision=Decision.ALLOW).exclude(work=None)
    return Work.objects.filter(pk__in=rows.values("work_id"))


def grants_of(operator: Operator) -> Iterator[verdict.Grant]:
    """Yield an operator's grants as the verdict takes them, each from when it was recorded."""
    for grant in Grant.objects.filter(operator=operator):
        # Not known before it was recorded, whatever it says.
        begins = max(grant.effective_from, grant.recorded_at)
        yield verdict.Grant(
            id=grant.pk,
            operator=operator.pk,
            subject=grant.subject_id,
            purpose=Purpose(grant.purpose),
            effective_from=begins,
            effective_until=grant.effective_until,
        )


def _question(number: int, item: ManifestItem, at: datetime) -> Question:
    if item.ingested_at.utcoffset() is None or item.ingested_at > at:
        raise InvalidManifestRow(f"row {number}: ingested_at is an instant in the past with zone")
    asked = CheckItem(str(number), item.url, item.sha256, item.iscc)
    (question,) = answers.questions([asked])
    if question.problem is not None:
        raise InvalidManifestRow(f"row {number}: {question.problem.detail}")
    return question


def _canonical_row(item: ManifestItem, question: Question) -> bytes:
    own = {key.kind.value: key.canonical for key in _own_keys(item, question)}
    return checks.canonical_json(own | {"ingested_at": log.instant(item.ingested_at)})


def _own_keys(item: ManifestItem, question: Question) -> list[Key]:
    given = {"url": item.url, "sha256": item.sha256, "iscc": item.iscc}
    return [key for key in question.keys if given.get(key.kind.value) is not None]


def _answered(
    operator: Operator,
    batch: Sequence[tuple[int, ManifestItem]],
    questions: Sequence[Question],
    grants: Grants,
    purpose: Purpose,
) -> list[Answer]:
    links: Mapping[bytes, list[Link]] = _links(questions)
    answered = []
    for (_, item), question in zip(batch, questions, strict=True):
        concerned = [link for key in question.keys for link in links.get(key.digest, ())]
        answered.append(
            answers.answer(
                question,
                decision_index.rows_at(concerned, item.ingested_at),
                grants,
                purposes=[purpose],
                asker=operator.pk,
                at=item.ingested_at,
            )
        )
    return answered


def _links(questions: Sequence[Question]) -> dict[bytes, list[Link]]:
    keys = {key.digest for question in questions for key in question.keys}
    grouped: dict[bytes, list[Link]] = defaultdict(list)
    for link in history.load(keys):
        grouped[link.key].append(link)
    return grouped


def _store(
    manifest: Manifest,
    batch: Sequence[tuple[int, ManifestItem]],
    questions: Sequence[Question],
    found: Sequence[Answer],
) -> None:
    number_of = ids.decode("mft", manifest.pk)
    with connection.cursor() as cursor, cursor.copy(COPY_ROWS) as copy:
        for (number, item), question, answer in zip(batch, questions, found, strict=True):
            key = _own_keys(item, question)[0]
            (said,) = answer.verdicts.values()
            statement = next((s for s in said.deciding if isinstance(s, verdict.Statement)), None)
            work = answer.works[0] if answer.works else None
            manifest.matched_count += work is not None
            manifest.violations_count += said.decision in VIOLATIONS
            copy.write_row(
                (
                    number_of,
                    number,
                    key.kind.value,
                    key.canonical,
                    key.digest,
                    item.ingested_at,
                    work and ids.decode("wrk", work),
                    said.decision.value,
                    statement and ids.decode("stm", statement.id),
                )
            )


def _close(manifest: Manifest, digest: bytes, at: datetime) -> None:
    manifest.digest = digest
    manifest.status = Manifest.Status.READY
    manifest.save()
    leaf: dict[str, log.LeafValue] = {
        "t": "manifest.digest",
        "manifest": manifest.pk,
        "digest": digest.hex(),
        "rows": manifest.rows_count,
    }
    log.append(leaf, at=at)

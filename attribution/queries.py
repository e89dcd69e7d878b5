"""Receive reports of paid generation requests, each once.

Owns what a report must say and what is kept of it. A plain-text output is reduced to features
here, at the door, and only the features are kept, encrypted, until settlement. Prompts have no
place in a report at all. Weighing and paying come later, in the worker.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import rfc8785
from django.db import transaction

from attribution import usage_reports
from attribution.errors import (
    InvalidEvidence,
    ManifestMissing,
    OccurredInFuture,
    OutputTooLarge,
    QueriesOutOfBounds,
    QueryReused,
)
from attribution.generative_models import fee_of
from attribution.models import GenerativeModel, Query
from attribution.sealing import digests, seal
from attribution.usage_reports import Occurred, Said
from attribution.waiting import ReportedScores, Waiting
from ledger.money import Money
from registry.errors import NotFound
from registry.models import Operator
from tribute import features, ids
from tribute.features import Features, InvalidFeatures

MOST_REPORTS = 1_000
LARGEST_OUTPUT_BYTES = 64 * 1024
MOST_WORDS = 65_536
"""A text of 64 KiB has fewer; features say so themselves and so need their own limit."""

MOST_SCORES = 1_000
LARGEST_SETTINGS_BYTES = 4_096

CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class QueryReport:
    """One paid generation request, as its operator reports it.

    external_id: the operator's own name for it, unique for ever.
    price: what the operator's customer paid; needed when the model's fee is a share of it.
    output, features: the generated text, or what the client reduced it to; at most one, and
    neither for a model whose method reads no outputs. Neither is ever printed.
    scores: of rows of the model's manifest, for a model whose method is ``reported``; an output
    beside them is compared with them.
    """

    model_id: str
    external_id: str
    occurred_at: datetime
    price: Money | None = None
    output: str | None = field(default=None, repr=False)
    features: Features | None = field(default=None, repr=False)
    scores: ReportedScores | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one report; ``duplicate`` when the same had been received before."""

    query_id: str
    external_id: str
    state: str
    duplicate: bool


def receive(
    operator: Operator,
    reports: Sequence[QueryReport],
    *,
    said: Said | None = None,
    at: datetime,
) -> list[Received]:
    """Record 1 to 1,000 reports, all or none; answer in their order.

    A report said before with the same content changes nothing and hears the same answer. ``said``:
    what the signature over them all says. Raises
    QueriesOutOfBounds, NotFound for a model that is not the operator's, QueryReused, and for
    what a single report says: ManifestMissing, InvalidPrice, OccurredInFuture, OutputTooLarge,
    InvalidEvidence.
    """
    if not 1 <= len(reports) <= MOST_REPORTS:
        raise QueriesOutOfBounds(f"{len(reports)} queries; a call reports 1 to {MOST_REPORTS}")
    models = _models(operator, reports)
    fresh: dict[str, Query] = {}
    known_by: list[list[bytes]] = []
    for report in reports:
        query, accepted = _accept(report, models[report.model_id], at=at)
        known_by.append(accepted)
        fresh.setdefault(report.external_id, query)
    with transaction.atomic():
        # In one order, so that two calls with the same reports never wait for each other in a ring.
        in_order = [fresh[external_id] for external_id in sorted(fresh)]
        Query.objects.bulk_create(in_order, ignore_conflicts=True)
        kept = {
            query.external_id: query
            for query in Query.objects.of(operator).filter(external_id__in=fresh).defer("evidence")
        }
        answers = _answer(reports, known_by, fresh, kept)
        usage_reports.note(operator, _first_time(reports, answers), said, at=at)
        return answers


def _first_time(reports: Sequence[QueryReport], answers: Sequence[Received]) -> list[Occurred]:
    return [
        Occurred(report.external_id, report.occurred_at)
        for report, answer in zip(reports, answers, strict=True)
        if not answer.duplicate
    ]


def _models(operator: Operator, reports: Iterable[QueryReport]) -> Mapping[str, GenerativeModel]:
    """Return the operator's models by typed id; malformed and foreign ids are equally unknown."""
    wanted = {report.model_id for report in reports}
    well_formed = {model_id for model_id in wanted if _is_model_id(model_id)}
    rows = GenerativeModel.objects.filter(operator=operator, pk__in=well_formed)
    rows = rows.select_related("manifest")
    found = {model.pk: model for model in rows}
    for model_id in sorted(wanted):
        if model_id not in found:
            raise NotFound(f"there is no model {model_id!r} here")
        if found[model_id].manifest_id is None:
            raise ManifestMissing(f"declare what {model_id} learned from before its queries")
    return found


def _is_model_id(text: str) -> bool:
    try:
        ids.decode("mdl", text)
    except ids.InvalidId:
        return False
    return True


def _accept(
    report: QueryReport, model: GenerativeModel, *, at: datetime
) -> tuple[Query, list[bytes]]:
    """Check one report; return the row it would be, and every digest it may be known by."""
    if report.occurred_at > at + CLOCK_TOLERANCE:
        raise OccurredInFuture(f"{report.external_id!r} would happen at {report.occurred_at}")
    fee = fee_of(model, price=report.price)
    evidence = _reduce(report, model)
    accepted = digests(_content(report, evidence))
    query = Query(
        model=model,
        operator_id=model.operator_id,
        external_id=report.external_id,
        payload_digest=accepted[0],
        fee_micros=fee.micros,
        currency=fee.currency,
        occurred_at=report.occurred_at,
        received_at=at,
        due_at=at,
    )
    sealed = seal(evidence, beside=query.pk)
    query.evidence, query.evidence_key_id = sealed.box, sealed.key_id
    return query, accepted


def _reduce(report: QueryReport, model: GenerativeModel) -> bytes:
    """Return what to keep, in bytes; the text goes no further than this function."""
    given = [each for each in (report.output, report.features) if each is not None]
    if model.method == GenerativeModel.Method.UNIFORM:
        if given or report.scores:
            raise InvalidEvidence(f"{model.pk} shares alike and reads no output; send none")
        return b""
    scores = _checked_scores(report, model)
    if len(given) > 1 or not (given or scores):
        raise InvalidEvidence(f"{report.external_id!r} needs an output or its features, not both")
    return Waiting(_reduced(report) if given else None, scores).to_bytes()


def _checked_scores(report: QueryReport, model: GenerativeModel) -> ReportedScores | None:
    """Return the scores of a model that asks for them, when they fit its manifest."""
    scores = report.scores
    if (model.method == GenerativeModel.Method.REPORTED) != (scores is not None):
        wanted = "no scores" if scores else "scores"
        raise InvalidEvidence(f"{report.external_id!r}: {model.pk} asks for {wanted}")
    if scores is None:
        return None
    manifest = model.manifest
    assert manifest is not None, "queries wait for a manifest"
    digest = bytes(manifest.digest).hex() if manifest.digest else ""
    if scores.origin.manifest not in {manifest.pk, digest}:
        raise InvalidEvidence(f"{report.external_id!r}: the scores are of another manifest")
    rows = scores.of_rows.rows
    if len(rows) > MOST_SCORES:
        raise InvalidEvidence(f"{report.external_id!r}: a query has at most {MOST_SCORES} scores")
    if rows and max(rows) > manifest.rows_count:
        raise InvalidEvidence(f"{report.external_id!r}: the manifest has no row {max(rows)}")
    if len(json.dumps(dict(scores.origin.settings))) > LARGEST_SETTINGS_BYTES:
        raise InvalidEvidence(f"{report.external_id!r}: settings are larger than 4 KiB")
    return scores


def _reduced(report: QueryReport) -> Features:
    """Return the output as features, within the limits."""
    if report.output is not None and len(report.output.encode(errors="replace")) > (
        LARGEST_OUTPUT_BYTES
    ):
        raise OutputTooLarge(f"{report.external_id!r}: an output has at most 64 KiB in UTF-8")
    reduced = report.features or _reduce_text(report)
    if reduced.words > MOST_WORDS:
        raise OutputTooLarge(f"{report.external_id!r}: an output has at most {MOST_WORDS} words")
    if reduced.ngram_size != features.NGRAM_SIZE:
        raise InvalidEvidence(f"features are of n-grams of {features.NGRAM_SIZE} words")
    return reduced


def _reduce_text(report: QueryReport) -> Features:
    try:
        return features.reduce(report.output or "")
    except InvalidFeatures:
        # Without its cause: what could not be read must not reach a log in a traceback.
        raise InvalidEvidence(f"the output of {report.external_id!r} is no text") from None


def _content(report: QueryReport, evidence: bytes) -> bytes:
    """Return everything a repeated report must have in common, as bytes."""
    price = report.price
    said = {
        "model": report.model_id,
        "external_id": report.external_id,
        "occurred_at": report.occurred_at.astimezone(UTC).isoformat(),
        "price": "" if price is None else f"{price.micros} {price.currency}",
        "evidence": evidence.hex(),
    }
    return rfc8785.dumps(said)


def _answer(
    reports: Sequence[QueryReport],
    known_by: Sequence[list[bytes]],
    fresh: Mapping[str, Query],
    kept: Mapping[str, Query],
) -> list[Received]:
    """Tell each report what is on record. Raises QueryReused when that is something else."""
    answers = []
    said: set[str] = set()
    for report, accepted in zip(reports, known_by, strict=True):
        query = kept[report.external_id]
        if bytes(query.payload_digest) not in accepted:
            raise QueryReused(f"{report.external_id!r} came before with other content")
        first_time = query.pk == fresh[report.external_id].pk and report.external_id not in said
        said.add(report.external_id)
        answers.append(Received(query.pk, query.external_id, query.state, not first_time))
    return answers

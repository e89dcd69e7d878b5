"""Receive reports of paid generation requests, each once.

Owns what a report must say and what is kept of it. A plain-text output is reduced to features
here, at the door, and only the features are kept, encrypted, until settlement. Prompts have no
place in a report at all. Weighing and paying come later, in the worker.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
from django.db import transaction

from attribution import fees, reading, usage_reports
from attribution.errors import (
    InvalidEvidence,
    ManifestMissing,
    OccurredInFuture,
    OutputTooLarge,
    QueriesOutOfBounds,
    QueryReused,
    WrongSpace,
)
from attribution.generative_models import fee_of
from attribution.methods import vectors
from attribution.models import GenerativeModel, Query
from attribution.sealing import digests, seal
from attribution.usage_reports import Occurred, Said
from attribution.waiting import ReportedScores, Waiting
from ledger import currencies
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
    vector: of the whole output, of length 1, in the model's declared space; vector_space: its id.
    """

    model_id: str
    external_id: str
    occurred_at: datetime
    price: Money | None = None
    output: str | None = field(default=None, repr=False)
    features: Features | None = field(default=None, repr=False)
    scores: ReportedScores | None = field(default=None, repr=False)
    vector: Sequence[float] | None = field(default=None, repr=False)
    vector_space: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one report; ``duplicate`` when the same had been received before.

    reason: why it is refused or parked, such as ``insufficient_funds``; else empty.
    """

    query_id: str
    external_id: str
    state: str
    duplicate: bool
    reason: str = ""


def receive(
    operator: Operator,
    reports: Sequence[QueryReport],
    *,
    said: Said | None = None,
    at: datetime,
) -> list[Received]:
    """Record 1 to 1,000 reports, all or none; answer in their order.

    Fees are kept aside in that order as far as the operator's balance goes; a query beyond it is
    on record as refused, for good, and a later top-up serves later queries. A report said before
    with the same content changes nothing and hears the same answer. ``said``: what the signature
    over them all says. Raises LedgerUnavailable,
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
    fees.name_holds(fresh.values())
    with transaction.atomic():
        kept = _keep(operator, fresh, at=at)
        answers = _answer(reports, known_by, fresh, kept)
        usage_reports.note(operator, _first_time(reports, answers), said, at=at)
        # Last, since posters wait for whoever holds money until it has committed.
        if _reserve(fresh, kept, at=at):
            answers = _answer(reports, known_by, fresh, kept)
        return answers


def _first_time(reports: Sequence[QueryReport], answers: Sequence[Received]) -> list[Occurred]:
    return [
        Occurred(report.external_id, report.occurred_at)
        for report, answer in zip(reports, answers, strict=True)
        if not answer.duplicate
    ]


class _Kept(NamedTuple):
    """What is on record under an external id."""

    query_id: str
    payload_digest: bytes
    state: str
    reason: str


def _keep(operator: Operator, fresh: Mapping[str, Query], *, at: datetime) -> dict[str, _Kept]:
    """Write the queries that nobody reported before; return what is on record for each."""
    # In one order, so that two calls with the same reports never wait for each other in a ring.
    in_order = [fresh[external_id] for external_id in sorted(fresh)]
    of = ids.decode("opr", operator.pk)
    reading.run(
        "insert_queries",
        {
            "at": at,
            "operator": of,
            "ids": reading.array(ids.decode("qry", query.pk).bytes for query in in_order),
            "models": reading.array(reading.raw("mdl", query.model_id) for query in in_order),
            "external_ids": [query.external_id for query in in_order],
            "digests": [query.payload_digest for query in in_order],
            "fees": [query.fee_micros for query in in_order],
            "currencies": [currencies.find(query.currency).numeric for query in in_order],
            "occurred": [query.occurred_at for query in in_order],
            "evidence": [query.evidence for query in in_order],
            "key_ids": [query.evidence_key_id for query in in_order],
            "holds": reading.array(_hold(query) for query in in_order),
        },
    )
    rows = reading.rows("find_reports", {"operator": of, "external_ids": list(fresh)})
    return {
        external_id: _Kept(ids.encode("qry", query), digest, state, reason)
        for external_id, query, digest, state, reason in rows
    }


def _hold(query: Query) -> bytes | None:
    return None if query.hold_id is None else query.hold_id.bytes


def _reserve(fresh: Mapping[str, Query], kept: dict[str, _Kept], *, at: datetime) -> bool:
    """Keep the fees of new queries aside; refuse, for good, those that are not funded.

    Returns whether some were refused, which ``kept`` then says.
    """
    new = [query for name, query in fresh.items() if kept[name].query_id == query.pk]
    refused = fees.reserve(new, at=at)
    for query in refused:
        known = kept[query.external_id]
        kept[query.external_id] = known._replace(state=Query.State.REFUSED, reason=fees.REASON)
    if refused:
        Query.objects.filter(pk__in=[query.pk for query in refused]).update(
            state=Query.State.REFUSED,
            reason=fees.REASON,
            evidence=None,
            evidence_key_id="",
            hold=None,
        )
    return bool(refused)


def _models(operator: Operator, reports: Iterable[QueryReport]) -> Mapping[str, GenerativeModel]:
    """Return the operator's models by typed id; malformed and foreign ids are equally unknown."""
    wanted = {report.model_id for report in reports}
    well_formed = {model_id for model_id in wanted if _is_model_id(model_id)}
    rows = GenerativeModel.objects.filter(operator=operator, pk__in=well_formed)
    rows = rows.select_related("manifest", "space")
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
    vector = _checked_vector(report, model)
    # An output of another kind than text has only its vector to say what it is like.
    alone = vector is not None and model.method == GenerativeModel.Method.SIMILARITY
    if len(given) > 1 or not (given or scores or alone):
        raise InvalidEvidence(f"{report.external_id!r} needs an output or its features, not both")
    return Waiting(_reduced(report) if given else None, scores, vector).to_bytes()


def _checked_vector(report: QueryReport, model: GenerativeModel) -> tuple[float, ...] | None:
    """Return the output's vector, of length 1, when it is of the space that the model declared."""
    if report.vector is None:
        return None
    space = model.space
    if space is None or report.vector_space != space.pk:
        raise WrongSpace(f"{report.external_id!r}: {model.pk} declared no such space")
    return tuple(vectors.unit(report.vector, dimension=space.dimension).tolist())


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
    if not scores.are_of(manifest.pk, manifest.digest):
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
    # For an object of texts alone, this is what RFC 8785 asks for.
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _answer(
    reports: Sequence[QueryReport],
    known_by: Sequence[list[bytes]],
    fresh: Mapping[str, Query],
    kept: Mapping[str, _Kept],
) -> list[Received]:
    """Tell each report what is on record. Raises QueryReused when that is something else."""
    answers = []
    said: set[str] = set()
    for report, accepted in zip(reports, known_by, strict=True):
        external_id = report.external_id
        known = kept[external_id]
        if known.payload_digest not in accepted:
            raise QueryReused(f"{external_id!r} came before with other content")
        first_time = known.query_id == fresh[external_id].pk and external_id not in said
        said.add(external_id)
        over = known.state in {Query.State.REFUSED, Query.State.PARKED}
        reason = known.reason if over else ""
        answers.append(Received(known.query_id, external_id, known.state, not first_time, reason))
    return answers

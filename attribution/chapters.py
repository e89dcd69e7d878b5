"""What an export is made of: each chapter a table of rows, read a page at a time.

Owns which facts about a creator go into the archive and under which names. Secrets never do: keys
and webhooks are described without them. Every amount is in micros with its currency.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from attribution.models import Contribution, RelatedParty
from ledger.models import Payout, SetAside
from ledger.money import Money
from registry import disputes, log, log_proofs
from registry.errors import LogTrouble, NotYetLogged
from registry.models import (
    ApiKey,
    Collection,
    Creator,
    DisputeEvent,
    Grant,
    Identifier,
    Import,
    LogEntry,
    MatchAppeal,
    PastControl,
    Signer,
    Statement,
    Terms,
    WebhookEndpoint,
    Work,
    WorkReference,
)

Row = dict[str, Any]
PAGE, PAGE_WITH_PROOFS = 10_000, 500


@dataclass(frozen=True, slots=True)
class Chapter:
    """A table of one creator: its name, its rows in the order of their keys, how each is told."""

    name: str
    rows: Callable[[Creator], QuerySet[Any]]
    told: Callable[[Sequence[Any], Creator], Iterable[Row]]
    page: int = PAGE


def _plainly(**columns: str) -> Callable[[Sequence[Any], Creator], Iterable[Row]]:
    """Tell rows by their attributes; ``a.b`` follows a relation."""

    def told(rows: Sequence[Any], _creator: Creator) -> Iterable[Row]:
        return ({name: value_of(row, path) for name, path in columns.items()} for row in rows)

    return told


def value_of(row: object, path: str) -> Any:
    """Return an attribute as JSON takes it: instants in ISO 8601, bytes in hexadecimal."""
    value: Any = row
    for name in path.split("."):
        value = getattr(value, name, None)
    if isinstance(value, datetime):
        return log.instant(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.pk if isinstance(value, Model) else value


def _works(rows: Sequence[Work], creator: Creator) -> Iterable[Row]:
    shares = creator.shares.filter(work__in=rows).values_list("work", "ppm", "confirmed_at")
    own = {work: (ppm, at) for work, ppm, at in shares}
    for row in rows:
        ppm, confirmed = own[row.pk]
        yield {
            "work": row.pk,
            "title": row.title,
            "medium": row.medium,
            "status": row.status,
            "registered_by_you": row.registered_by_id == creator.pk,
            "registered_at": log.instant(row.registered_at),
            "your_share_ppm": ppm,
            "share_confirmed_at": log.instant(confirmed) if confirmed else None,
            "sha256": value_of(row, "sha256"),
            "iscc": row.iscc,
        }


def _statements(rows: Sequence[Statement], _creator: Creator) -> Iterable[Row]:
    hashes = [bytes(row.leaf_hash) for row in rows]
    placed = LogEntry.objects.filter(leaf__leaf_hash__in=hashes)
    places = {bytes(leaf): index for leaf, index in placed.values_list("leaf__leaf_hash", "index")}
    for row in rows:
        leaf = bytes(row.leaf_hash)
        yield {
            "statement": row.pk,
            "subject_type": row.subject_type,
            "subject": row.subject_id,
            "sequence": row.sequence,
            "purpose": row.purpose,
            "decision": row.decision,
            "paid": row.paid,
            "terms": row.terms_id,
            "vocabulary": row.vocabulary_version,
            "effective_from": log.instant(row.effective_from),
            "recorded_at": log.instant(row.recorded_at),
            "leaf_hash": leaf.hex(),
            "log_entry": places.get(leaf),
            "proof": _proof(places.get(leaf)),
        }


def _proof(index: int | None) -> str | None:
    """Return the .tlog-proof of an entry; None while it waits, or while the log is in trouble."""
    if index is None:
        return None
    try:
        return bytes(log_proofs.inclusion_of(index).proof).decode()
    except (NotYetLogged, LogTrouble):
        return None


def _payouts(rows: Sequence[Payout], _creator: Creator) -> Iterable[Row]:
    for row in rows:
        yield {
            "payout": row.pk,
            "status": row.status,
            **_amount(row.amount),
            "reversed_micros": row.reversed_micros,
            "created_at": log.instant(row.created_at),
            "gateway": row.gateway,
            "account": row.account,
        }


def _contributions(rows: Sequence[Contribution], _creator: Creator) -> Iterable[Row]:
    for row in rows:
        yield {
            "query": row.query_id,
            "model": row.query.model_id,
            "work": row.work_id,
            "method": row.query.method,
            "weight": row.weight,
            "of_weight": row.query.weight,
            "words": row.words,
            "micros": row.micros,
            "currency": row.query.currency,
            "withheld": row.withheld,
            "kept_apart": row.escrow,
            "occurred_at": log.instant(row.query.occurred_at),
            "settled_at": value_of(row, "query.settled_at"),
        }


def _asides(rows: Sequence[SetAside], _creator: Creator) -> Iterable[Row]:
    for row in rows:
        yield {
            "subject": row.subject,
            **_amount(Money(row.amount_micros, row.currency)),
            "set_aside_at": log.instant(row.set_aside_at),
            "released_at": value_of(row, "released_at"),
        }


def _amount(money: Money) -> Mapping[str, Any]:
    return {"micros": money.micros, "currency": money.currency}


CHAPTERS = (
    Chapter("works", lambda c: Work.objects.filter(shares__creator=c), _works),
    Chapter(
        "identifiers",
        lambda c: Identifier.objects.filter(work__shares__creator=c),
        _plainly(work="work_id", kind="kind", value="canonical", key="key", added_at="added_at"),
    ),
    Chapter(
        "references",
        lambda c: WorkReference.objects.filter(creator=c),
        _plainly(reference="reference", work="work_id"),
    ),
    Chapter(
        "sites",
        lambda c: Collection.objects.filter(creator=c),
        _plainly(
            site="pk",
            kind="kind",
            value="canonical",
            claimed_at="claimed_at",
            control_proven_at="control_proven_at",
            method="method",
            evidence_sha256="evidence_sha256",
        ),
    ),
    Chapter(
        "signers",
        lambda c: Signer.objects.filter(creator=c),
        _plainly(
            signer="pk",
            subject="subject",
            issuer="issuer",
            serial="serial",
            certificate_sha256="certificate_sha256",
            valid_until="valid_until",
            control_proven_at="control_proven_at",
        ),
    ),
    Chapter(
        "past-proofs",
        lambda c: PastControl.objects.filter(Q(collection__creator=c) | Q(signer__creator=c)),
        _plainly(
            site="collection_id",
            signer="signer_id",
            method="method",
            proven_at="proven_at",
            ended_at="ended_at",
        ),
    ),
    Chapter(
        "statements",
        lambda c: Statement.objects.filter(claimant=c),
        _statements,
        PAGE_WITH_PROOFS,
    ),
    Chapter(
        "terms",
        lambda c: Terms.objects.filter(creator=c),
        _plainly(
            terms="pk",
            price_micros="price_micros",
            currency="currency",
            attribution_required="attribution_required",
            text_sha256="text_sha256",
            uri="uri",
            created_at="created_at",
        ),
    ),
    Chapter(
        "grants",
        lambda c: Grant.objects.filter(terms__creator=c),
        _plainly(
            grant="pk",
            operator="operator_id",
            terms="terms_id",
            subject="subject_id",
            purpose="purpose",
            effective_from="effective_from",
            effective_until="effective_until",
        ),
    ),
    Chapter(
        "disputes",
        disputes.concerning,
        _plainly(
            dispute="pk",
            work="work_id",
            other="other_id",
            kind="kind",
            opened_at="opened_at",
            resolved_at="resolved_at",
            outcome="outcome",
        ),
    ),
    Chapter(
        "dispute-steps",
        lambda c: DisputeEvent.objects.filter(conflict__in=disputes.concerning(c)),
        _plainly(
            dispute="conflict_id",
            kind="kind",
            by="creator_id",
            reason="reason",
            outcome="outcome",
            recorded_at="recorded_at",
        ),
    ),
    Chapter(
        "match-appeals",
        lambda c: MatchAppeal.objects.filter(creator=c),
        _plainly(appeal="pk", work="work_id", iscc="iscc", reason="reason", made_at="made_at"),
    ),
    Chapter(
        "related-operators",
        lambda c: RelatedParty.objects.filter(creator=c),
        _plainly(operator="operator_id", kind="kind", state="state", found_at="found_at"),
    ),
    Chapter(
        "imports",
        lambda c: Import.objects.filter(creator=c),
        _plainly(
            **{"import": "pk"},
            status="status",
            rows="rows_count",
            registered="registered_count",
            created_at="created_at",
        ),
    ),
    Chapter(
        "webhooks",
        lambda c: WebhookEndpoint.objects.filter(creator=c),
        _plainly(webhook="pk", url="url", events="events", created_at="created_at"),
    ),
    Chapter(
        "keys",
        lambda c: ApiKey.objects.filter(creator=c),
        _plainly(
            key="pk",
            begins_with="prefix_id",
            name="name",
            scopes="scopes",
            created_at="created_at",
            last_used_at="last_used_at",
            revoked_at="revoked_at",
        ),
    ),
    Chapter(
        "contributions",
        lambda c: Contribution.objects.filter(creator=c).select_related("query"),
        _contributions,
    ),
    Chapter("payouts", lambda c: Payout.objects.filter(creator=c), _payouts),
    Chapter("set-aside", lambda c: SetAside.objects.filter(account__creator=c), _asides),
)

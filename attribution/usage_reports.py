"""Check who signed a usage report, keep its number, and flag what does not follow.

Owns operators' report keys, the policy whether reports must be signed, and the flags: numbers
that are missing or came again with other content, queries dated before those already reported or
reported long after they happened. A flag is a question for a person; the queries count all the
same, since the creators are owed for them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from attribution.errors import (
    InvalidReportKey,
    InvalidReportSignature,
    OwnMatter,
    ReportKeyExists,
    SignatureRequired,
    UsageFlagClosed,
)
from attribution.models import ReportKey, ReportPolicy, UsageFlag, UsageReport
from registry.errors import NotFound
from registry.ids import find
from registry.models import Operator, User
from tribute import report_signatures

Kind = UsageFlag.Kind
KEY_BYTES = 32
OVERLAP = timedelta(minutes=5)
"""Reports of several processes overlap by this much before a query counts as backdated."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a verified signature says: which key, which number, and of which bytes."""

    key: ReportKey
    sequence: int
    digest: bytes
    signature: str


class Occurred(NamedTuple):
    """A query that was reported for the first time, and when it happened."""

    external_id: str
    at: datetime


def register_key(operator: Operator, *, name: str, public_key: bytes, at: datetime) -> ReportKey:
    """Let an Ed25519 key (32 raw bytes) sign for an operator.

    Raises InvalidReportKey, ReportKeyExists.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise InvalidReportKey(f"{len(public_key)} bytes are no Ed25519 public key") from error
    try:
        with transaction.atomic():
            return ReportKey.objects.create(
                operator=operator, name=name, public_key=public_key, created_at=at
            )
    except IntegrityError as error:
        raise ReportKeyExists("this key is registered already, or was and is revoked") from error


def revoke_key(key: ReportKey, *, at: datetime) -> None:
    """Let a key sign no more; said again, nothing changes."""
    ReportKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)


def must_sign(operator: Operator) -> bool:
    """Tell whether an operator's unsigned reports are refused."""
    return ReportPolicy.objects.filter(operator=operator, signature_required=True).exists()


def set_policy(operator: Operator, *, signature_required: bool, at: datetime) -> None:
    """Refuse an operator's unsigned reports from now on, or take them again."""
    ReportPolicy.objects.update_or_create(
        operator=operator,
        defaults={"signature_required": signature_required, "changed_at": at},
    )


def read(operator: Operator, signature: str | None, body: bytes) -> Said | None:
    """Verify the signature of a report's ``body``; None for an unsigned one that may be.

    Raises SignatureRequired, InvalidReportSignature.
    """
    if signature is None:
        if must_sign(operator):
            raise SignatureRequired(f"{operator} signs its reports")
        return None
    try:
        said = report_signatures.read(signature)
        key = find(ReportKey.objects.filter(operator=operator, revoked_at=None), said.key_id)
        report_signatures.verify(said, body, bytes(key.public_key))
    except (report_signatures.InvalidSignature, NotFound) as error:
        raise InvalidReportSignature(str(error)) from error
    return Said(key, said.sequence, sha256(body).digest(), signature)


def note(
    operator: Operator, fresh: Collection[Occurred], said: Said | None, *, at: datetime
) -> None:
    """Keep a signed report's number, and flag what is odd; in the transaction that records it.

    fresh: its queries that were not on record before. The same report again changes nothing.
    """
    if fresh:
        _flag_late(operator, fresh, said, at=at)
    if said is None:
        return
    # One report of a key at a time, so that neighbours are seen.
    ReportKey.objects.select_for_update(no_key=True).get(pk=said.key.pk)
    reports = UsageReport.objects.filter(key=said.key)
    same_number = reports.filter(sequence=said.sequence)
    if same_number.filter(digest=said.digest).exists():
        return
    if same_number.exists():
        _flag(operator, Kind.REUSED, said, "the number came before with other content", at=at)
    _flag_gap(operator, said, at=at)
    _flag_backdated(operator, fresh, said, at=at)
    times = [each.at for each in fresh] or [at]
    UsageReport.objects.create(
        key=said.key,
        sequence=said.sequence,
        digest=said.digest,
        signature=said.signature,
        queries_count=len(fresh),
        first_occurred_at=min(times),
        last_occurred_at=max(times),
        received_at=at,
    )
    _close_filled_gaps(said, at=at)


def resolve(flag: UsageFlag, *, by: User, resolution: str, at: datetime) -> None:
    """Close a flag with what a person found out.

    Raises OwnMatter for a member of its operator, UsageFlagClosed for the second one.
    """
    if flag.operator.members.filter(pk=by.pk).exists():
        raise OwnMatter(f"{by.pk} belongs to {flag.operator}")
    closed = UsageFlag.objects.open().filter(pk=flag.pk)
    if not closed.update(resolved_at=at, resolved_by=by, resolution=resolution):
        raise UsageFlagClosed(f"{flag.pk} has been resolved")
    flag.refresh_from_db()


def _flag_late(
    operator: Operator, fresh: Collection[Occurred], said: Said | None, *, at: datetime
) -> None:
    hours: int = settings.USAGE_REPORT_HOURS
    late = [each for each in fresh if each.at < at - timedelta(hours=hours)]
    if late:
        first = min(late, key=lambda each: each.at)
        detail = f"{len(late)} queries more than {hours} h after they happened; the oldest, "
        _flag(operator, Kind.LATE, said, f"{detail}{_named(first)}", at=at)


def _flag_gap(operator: Operator, said: Said, *, at: datetime) -> None:
    """Flag the numbers between the highest seen and this one."""
    reports = UsageReport.objects.filter(key=said.key)
    highest = reports.aggregate(highest=Max("sequence"))["highest"] or 0
    if said.sequence > highest + 1:
        first, last = highest + 1, said.sequence - 1
        UsageFlag.objects.create(
            operator=operator,
            kind=Kind.GAP,
            key=said.key,
            first=first,
            last=last,
            detail=f"{last - first + 1} reports are missing",
            found_at=at,
        )


def _flag_backdated(
    operator: Operator, fresh: Collection[Occurred], said: Said, *, at: datetime
) -> None:
    """Flag queries that happened before the report of the number before had reached."""
    before = (
        UsageReport.objects.filter(key=said.key, sequence__lt=said.sequence, queries_count__gt=0)
        .order_by("-sequence", "-pk")
        .first()
    )
    early = [each for each in fresh if before and each.at < before.last_occurred_at - OVERLAP]
    if early and before:
        first = min(early, key=lambda each: each.at)
        reached = f"report {before.sequence} had reached {before.last_occurred_at:%Y-%m-%d %H:%M}"
        detail = f"{len(early)} queries dated before, though {reached}; the oldest, {_named(first)}"
        _flag(operator, Kind.BACKDATED, said, detail, at=at)


def _flag(operator: Operator, kind: Kind, said: Said | None, detail: str, *, at: datetime) -> None:
    number = said.sequence if said else None
    UsageFlag.objects.create(
        operator=operator,
        kind=kind,
        key=said.key if said else None,
        first=number,
        last=number,
        detail=detail[:400],
        found_at=at,
    )


def _close_filled_gaps(said: Said, *, at: datetime) -> None:
    """Close the gap that this report fills, once all its numbers have come."""
    gaps = UsageFlag.objects.open().filter(
        key=said.key, kind=Kind.GAP, first__lte=said.sequence, last__gte=said.sequence
    )
    for gap in gaps:
        assert gap.first is not None, "a gap has numbers"
        assert gap.last is not None, "a gap has numbers"
        came = UsageReport.objects.filter(
            key=said.key, sequence__gte=gap.first, sequence__lte=gap.last
        )
        if came.values("sequence").distinct().count() == gap.last - gap.first + 1:
            UsageFlag.objects.filter(pk=gap.pk).update(
                resolved_at=at, resolution="all of them came later"
            )


def _named(query: Occurred) -> str:
    return f"{query.external_id[:120]}, at {query.at:%Y-%m-%d %H:%M}"

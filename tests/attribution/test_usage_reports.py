"""Signed reports: numbers that follow raise no flag, all else is flagged and nothing is dropped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import DatabaseError, transaction

from attribution import health, queries, usage_reports
from attribution.errors import (
    InvalidReportKey,
    InvalidReportSignature,
    OwnMatter,
    QueryReused,
    ReportKeyExists,
    SignatureRequired,
    UsageFlagClosed,
)
from attribution.models import GenerativeModel, Query, ReportKey, UsageFlag, UsageReport
from attribution.queries import QueryReport
from attribution.usage_reports import Said
from registry.models import Operator
from tests.attribution.world import GENERATED, MEDLEY
from tests.factories import NOON, make_operator, make_user
from tribute import report_signatures

HOUR = timedelta(hours=1)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SECRET.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@pytest.fixture
def key(acme: Operator) -> ReportKey:
    return usage_reports.register_key(acme, name="reporter", public_key=PUBLIC, at=NOON)


def sent(
    model: GenerativeModel,
    key: ReportKey | None,
    number: int,
    *names: str,
    occurred: Sequence[datetime] = (),
    at: datetime = GENERATED,
    body: bytes = b"",
) -> None:
    """A report number ``number`` of queries called ``names``."""
    said = Said(key, number, sha256(body or repr(names).encode()).digest(), "x..y") if key else None
    reports = [
        QueryReport(model.pk, name, occurred[place] if occurred else at, output=MEDLEY)
        for place, name in enumerate(names)
    ]
    queries.receive(model.operator, reports, said=said, at=at)


def flags() -> list[tuple[str, int | None, int | None]]:
    rows = UsageFlag.objects.open().order_by("pk")
    return list(rows.values_list("kind", "first", "last"))


def test_numbers_that_follow_raise_no_flag(writer: GenerativeModel, key: ReportKey) -> None:
    sent(writer, key, 1, "a")
    sent(writer, key, 2, "b", "c")
    sent(writer, key, 2, "b", "c")

    assert flags() == []
    kept = UsageReport.objects.order_by("sequence")
    assert [(row.sequence, row.queries_count) for row in kept] == [(1, 1), (2, 2)]


def test_a_gap_is_flagged_and_closes_when_all_of_it_came(
    writer: GenerativeModel, key: ReportKey
) -> None:
    sent(writer, key, 2, "b")
    sent(writer, key, 5, "e")
    assert flags() == [("gap", 1, 1), ("gap", 3, 4)]
    assert health.open_usage_flags() == 2

    sent(writer, key, 4, "d")
    sent(writer, key, 1, "a")
    assert flags() == [("gap", 3, 4)]
    sent(writer, key, 3, "c")

    assert flags() == []
    closed = UsageFlag.objects.get(first=3)
    assert (closed.resolution, closed.resolved_by) == ("all of them came later", None)
    assert Query.objects.count() == 5


def test_a_number_that_comes_again_with_other_content_is_flagged_and_counts(
    writer: GenerativeModel, key: ReportKey
) -> None:
    sent(writer, key, 1, "a")
    sent(writer, key, 1, "b")

    assert flags() == [("reused", 1, 1)]
    assert Query.objects.count() == 2
    assert UsageReport.objects.count() == 2


def test_queries_dated_before_the_last_report_are_flagged(
    writer: GenerativeModel, key: ReportKey
) -> None:
    sent(writer, key, 1, "a", occurred=[GENERATED])
    sent(writer, key, 2, "b", occurred=[GENERATED - timedelta(minutes=4)])
    assert flags() == []

    sent(writer, key, 3, "c", "d", occurred=[GENERATED, GENERATED - HOUR])

    assert flags() == [("backdated", 3, 3)]
    assert "1 queries dated before" in UsageFlag.objects.get().detail


def test_late_queries_are_flagged_signed_or_not_but_not_their_repeats(
    writer: GenerativeModel, settings: Any
) -> None:
    settings.USAGE_REPORT_HOURS = 2
    just, late = GENERATED - 2 * HOUR, GENERATED - 3 * HOUR
    sent(writer, None, 0, "a", "b", occurred=[just, late])
    assert flags() == [("late", None, None)]
    assert "the oldest, b" in UsageFlag.objects.get().detail

    sent(writer, None, 0, "a", occurred=[just], at=GENERATED + 10 * HOUR)

    assert len(flags()) == 1


def test_each_key_has_numbers_of_its_own(
    writer: GenerativeModel, key: ReportKey, acme: Operator
) -> None:
    other = usage_reports.register_key(acme, name="other", public_key=bytes(32), at=NOON)
    sent(writer, key, 1, "a")
    sent(writer, other, 1, "b")
    sent(writer, key, 2, "c")

    assert flags() == []


def test_a_signature_is_of_a_live_key_of_the_operator_over_these_bytes(
    acme: Operator, key: ReportKey
) -> None:
    body = b'{"queries":[]}'
    signature = report_signatures.sign(body, SECRET, key_id=key.pk, sequence=3)

    said = usage_reports.read(acme, signature, body)

    assert said == Said(key, 3, sha256(body).digest(), signature)
    stranger = make_operator("borealis")
    unknown = report_signatures.sign(body, SECRET, key_id="rky_nonsense", sequence=3)
    for who, what, of in (
        (acme, signature, body + b" "),
        (stranger, signature, body),
        (acme, unknown, body),
        (acme, "nonsense", body),
    ):
        with pytest.raises(InvalidReportSignature):
            usage_reports.read(who, what, of)
    usage_reports.revoke_key(key, at=NOON)
    with pytest.raises(InvalidReportSignature):
        usage_reports.read(acme, signature, body)


def test_an_operator_that_must_sign_sends_nothing_unsigned(acme: Operator) -> None:
    assert usage_reports.read(acme, None, b"") is None

    usage_reports.set_policy(acme, signature_required=True, at=NOON)
    with pytest.raises(SignatureRequired):
        usage_reports.read(acme, None, b"")

    usage_reports.set_policy(acme, signature_required=False, at=NOON)
    assert usage_reports.read(acme, None, b"") is None


def test_keys_are_whole_and_registered_once(acme: Operator, key: ReportKey) -> None:
    usage_reports.revoke_key(key, at=NOON)
    with pytest.raises(ReportKeyExists):
        usage_reports.register_key(acme, name="again", public_key=PUBLIC, at=NOON)
    with pytest.raises(InvalidReportKey):
        usage_reports.register_key(acme, name="short", public_key=b"short", at=NOON)


def test_a_flag_is_resolved_once(writer: GenerativeModel, key: ReportKey) -> None:
    pia = make_user("pia@example.org", is_payout_admin=True)
    sent(writer, key, 2, "b")
    flag = UsageFlag.objects.get()

    usage_reports.resolve(flag, by=pia, resolution="a test machine", at=GENERATED)

    assert (flag.resolved_by, flag.resolution) == (pia, "a test machine")
    with pytest.raises(UsageFlagClosed):
        usage_reports.resolve(flag, by=pia, resolution="again", at=GENERATED)


def test_an_operators_own_people_resolve_nothing(writer: GenerativeModel, key: ReportKey) -> None:
    pia = make_user("pia@example.org", is_payout_admin=True)
    writer.operator.members.add(pia)
    sent(writer, key, 2, "b")
    flag = UsageFlag.objects.get()

    with pytest.raises(OwnMatter):
        usage_reports.resolve(flag, by=pia, resolution="nothing to see", at=GENERATED)

    flag.refresh_from_db()
    assert flag.resolved_at is None


def test_a_refused_report_leaves_no_number_behind(writer: GenerativeModel, key: ReportKey) -> None:
    sent(writer, None, 0, "a")
    with pytest.raises(QueryReused):
        sent(writer, key, 1, "a", occurred=[GENERATED - HOUR])

    assert not UsageReport.objects.exists()


def test_the_database_keeps_reports_as_they_came(writer: GenerativeModel, key: ReportKey) -> None:
    sent(writer, key, 1, "a")

    for deed in (UsageReport.objects.all().delete, lambda: UsageReport.objects.update(sequence=9)):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()

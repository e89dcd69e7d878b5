"""What the database refuses, whoever asks: the service's role, and the tables' owner."""

import hashlib
from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from registry import log
from registry.models import LogOutbox, RightsShare, Statement, User
from tests.factories import NOON, allow, make_creator, make_operator, make_user, make_work

pytestmark = pytest.mark.django_db

APPEND_ONLY = [
    "registry_statement",
    "registry_check",
    "registry_disputeevent",
    "registry_pastcontrol",
    "registry_worksignature",
    "registry_revocationnotice",
    "registry_revocationacknowledgement",
    "registry_logoutbox",
    "registry_logentry",
]
KEYS = {
    "registry_logentry": "index",
    "registry_revocationacknowledgement": "notice_id",
    "registry_worksignature": "work_id",
}


@pytest.fixture
def owner() -> Iterator[None]:
    """Act as the role that owns the tables, with every right there is."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE tribute_app")


def refused(statement: str) -> str:
    """Run a statement that must fail; return the SQLSTATE."""
    with (
        transaction.atomic(),
        pytest.raises(Exception) as caught,  # noqa: PT011 - the SQLSTATE is what counts
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    return str(caught.value.__cause__.sqlstate)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_service_may_not_change_what_is_append_only(table: str, verb: str) -> None:
    column = KEYS.get(table, "id")
    assert refused(verb.format(table, column, column)) == "42501"  # insufficient privilege


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_owner_may_not_change_what_is_append_only(owner: None, table: str, verb: str) -> None:
    column = KEYS.get(table, "id")
    assert refused(verb.format(table, column, column)) == "23001"  # restrict violation


def test_the_service_may_not_switch_the_guards_off() -> None:
    assert refused("ALTER TABLE registry_statement DISABLE TRIGGER ALL") == "42501"
    assert refused("SET session_replication_role = replica") == "42501"
    assert refused("DROP TABLE registry_statement") == "42501"


def test_two_addresses_that_differ_in_case_are_one() -> None:
    make_user("ada@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        User(email="ADA@example.org").save()


@pytest.mark.parametrize("ppm", [999_999, 1])
def test_shares_that_do_not_sum_to_a_whole_fail_at_commit(ppm: int) -> None:
    ada = make_creator("ada")
    work = make_work(ada)
    RightsShare.objects.filter(work=work).update(ppm=ppm)

    with pytest.raises(IntegrityError, match="not 1000000"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_shares_may_move_within_a_transaction() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada)

    RightsShare.objects.filter(work=work).update(ppm=400_000)
    RightsShare.objects.create(work=work, creator=ben, ppm=600_000)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert RightsShare.objects.filter(work=work).count() == 2


def test_a_work_without_shares_fails_at_commit() -> None:
    work = make_work(make_creator("ada"))
    RightsShare.objects.filter(work=work).delete()

    with pytest.raises(IntegrityError, match="sum to 0 ppm"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "change",
    [
        "subject_type = 'creator'",
        "purpose = 'dance'",
        "decision = 'maybe'",
        "decision = 'license'",
        "decision = 'deny', paid = true",
        "sequence = 0",
        "leaf_hash = '\\x00'",
    ],
)
def test_a_statement_that_makes_no_sense_is_refused(change: str) -> None:
    statement = allow(make_work(make_creator("ada")))
    fields = {str(field.column) for field in Statement._meta.concrete_fields}
    changed = {part.split(" = ")[0]: part.split(" = ")[1] for part in change.split(", ")}
    new = {"id": "gen_random_uuid()", "sequence": "99"} | changed
    columns = sorted(fields)
    values = ", ".join(new.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)

    state = refused(
        f"INSERT INTO registry_statement ({names}) SELECT {values} FROM registry_statement"
    )

    assert state == "23514"  # check violation
    assert Statement.objects.get() == statement


def test_a_key_has_exactly_one_owner() -> None:
    acme, ada = make_operator("acme"), make_creator("ada")
    row = {
        "prefix_id": "abcdefgh",
        "digest": bytes(32),
        "scopes": [],
        "name": "",
        "created_at": NOON,
    }

    for owners in ({}, {"operator": acme, "creator": ada}):
        with pytest.raises(IntegrityError, match="exactly_one_owner"), transaction.atomic():
            acme.keys.model.objects.create(**row, **owners)


def test_a_leaf_carries_its_own_hash() -> None:
    leaf = b'{"t":"consent.set"}'
    with pytest.raises(IntegrityError, match="log_leaf_hash_is_its_own"), transaction.atomic():
        LogOutbox.objects.create(
            leaf=leaf, leaf_hash=hashlib.sha256(leaf).digest(), recorded_at=NOON
        )

    LogOutbox.objects.create(leaf=leaf, leaf_hash=log.hash_of(leaf), recorded_at=NOON)

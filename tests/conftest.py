"""What every test stands on: the application's own database role, and a clean slate.

Migrations run as ``tribute_owner``. Then each connection acts as ``tribute_app``, so that a test
can do no more than the service can. Tests that must commit get their rows truncated by the
superuser afterwards, since neither role may empty an append-only table.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import TransactionTestCase

from server.postgres import superuser_url

KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Act as the application's role on every connection to the test database from here on."""
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]

        def become_application(connection: BaseDatabaseWrapper, **_signal: object) -> None:
            if connection.settings_dict["NAME"] == name:
                with connection.cursor() as cursor:
                    cursor.execute("SET ROLE tribute_app")

        connection_created.connect(become_application)
        connections.close_all()
    yield
    connection_created.disconnect(become_application)
    with django_db_blocker.unblock():
        connections.close_all()
        disconnect_everybody(name)


def disconnect_everybody(name: str) -> None:
    """End the sessions of processes that tests killed: they would keep the database from going."""
    with psycopg.connect(superuser_url("postgres"), autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


@pytest.fixture(autouse=True, scope="session")
def _truncate_as_superuser() -> Iterator[None]:
    """Empty the tables after a committing test the one way that append-only tables permit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: truncate())
        yield


def truncate() -> None:
    """Empty every table of the test database, triggers off."""
    connections.close_all()
    with psycopg.connect(test_database_url(), autocommit=True) as server:
        tables = {
            name
            for (name,) in server.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        }
        server.execute("SET session_replication_role = replica")
        names = ", ".join(f'"{table}"' for table in sorted(tables - KEPT))
        server.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def test_database_url() -> str:
    """The superuser's address of the database that the tests use."""
    return superuser_url(str(connection.settings_dict["NAME"]))


test_database_url.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def committed_db(transactional_db: None) -> None:
    """A database whose transactions really commit, for concurrency and crashes."""


@pytest.fixture
def superuser(db: None) -> Iterator[psycopg.Connection]:
    """A connection that may do anything, for tampering. It sees committed rows only."""
    with psycopg.connect(test_database_url(), autocommit=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Forget figures counted, and callers counted, for another test."""
    cache.clear()


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    """Hash passwords cheaply: tests sign in a thousand times."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def log_home(tmp_path: Path, settings: Any) -> Path:
    """A log not yet begun, with a key, a folder and a memory of its own; returns the folder."""
    settings.HOME = tmp_path
    settings.LOG_FOLDER = tmp_path / "transparency-log"
    settings.LOG_LAST_SIGNED = tmp_path / "elsewhere" / "last-signed"
    settings.LOG_SIGNING_KEY = "07" * 32
    settings.LOG_ORIGIN = "registry.example/log"
    folder: Path = settings.LOG_FOLDER
    return folder

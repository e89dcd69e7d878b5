"""Statements past Django's cursor lose a dead connection as Django's own do."""

import psycopg
import pytest
from django.db import OperationalError, connection

from registry import prepared
from tests.conftest import test_database_url as database_url


def begin_request() -> None:
    connection.close_if_unusable_or_obsolete()


def cut() -> None:
    """End the connection from the server's side, as a restart of PostgreSQL does."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(database_url(), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.usefixtures("committed_db")
def test_a_connection_cut_between_requests_is_made_anew() -> None:
    assert prepared.run("SELECT 1") == [(1,)]
    cut()

    begin_request()

    assert prepared.ask_first("SELECT 1") == [(1,)]


@pytest.mark.usefixtures("committed_db")
def test_a_connection_cut_in_a_request_fails_that_request_alone() -> None:
    begin_request()
    assert prepared.run("SELECT 1") == [(1,)]
    cut()
    with pytest.raises(OperationalError):
        prepared.run("SELECT 1")

    begin_request()

    assert prepared.run("SELECT 1") == [(1,)]

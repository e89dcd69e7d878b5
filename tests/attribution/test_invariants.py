"""The audit finds each kind of tampering, done with triggers off."""

import psycopg
import pytest

from attribution import invariants
from attribution.models import GenerativeModel
from attribution.worker import settle_due
from tests.attribution.world import GENERATED, ask


@pytest.fixture
def tampering(
    committed_db: None, writer: GenerativeModel, superuser: psycopg.Connection
) -> psycopg.Connection:
    """A settled query, committed, and a connection that no trigger stops."""
    ask(writer)
    settle_due(at=GENERATED, limit=1)
    assert invariants.findings() == []
    superuser.execute("SET session_replication_role = replica")
    return superuser


@pytest.mark.parametrize(
    ("deed", "found"),
    [
        (
            "UPDATE attribution_contribution SET micros = micros + 1 WHERE words = 12",
            ["contributions_equal_the_entry"],
        ),
        (
            "DELETE FROM attribution_contribution WHERE work_id IS NULL",
            ["contributions_equal_the_entry"],
        ),
        (
            """UPDATE attribution_contribution SET creator_id =
               (SELECT id FROM registry_creator WHERE handle = 'ben') WHERE words = 12""",
            ["contributions_equal_the_entry"] * 2,
        ),
        (
            "UPDATE attribution_query SET entry_key = gen_random_uuid()",
            ["contributions_equal_the_entry"] * 3
            + ["settled_queries_have_their_entry"] * 2
            + ["holds_are_what_queries_owe"],
        ),
        (
            "UPDATE attribution_query SET fee_micros = fee_micros + 1",
            ["settled_queries_have_their_entry", "holds_are_what_queries_owe"],
        ),
        (
            "UPDATE registry_manifestrow SET decision = 'deny' WHERE row_number = 1",
            ["nothing_is_paid_for_what_was_denied"],
        ),
        (
            """INSERT INTO attribution_roundingcarry (model_id, parts)
               SELECT id, 5 FROM attribution_generativemodel""",
            ["carries_add_up_to_zero"],
        ),
    ],
)
def test_tampering_is_found(tampering: psycopg.Connection, deed: str, found: list[str]) -> None:
    tampering.execute(deed.encode())

    assert [finding.invariant for finding in invariants.findings()] == found

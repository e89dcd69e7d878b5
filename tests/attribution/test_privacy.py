"""A sentence that was only ever in an output is found nowhere afterwards."""

import logging

import pytest
from django.db import connection

from attribution.models import GenerativeModel, Query
from attribution.sealing import Sealed, unseal
from attribution.worker import settle_due
from tests.attribution.world import GENERATED, MEDLEY, TWELVE_OF_CHARIOT, ask
from tests.factories import api_client
from tribute import features

CANARY = "the wombat of Wagga Wagga hides seven emerald keys beneath a periwinkle piano"


def everything_stored() -> dict[str, bytes]:
    """Every text and byte of every table of ours, by column."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND (data_type IN ('text', 'bytea', 'jsonb', 'json')"
            " OR data_type LIKE 'character%%' OR data_type = 'ARRAY')"
        )
        for table, column, kind in cursor.fetchall():
            value = f'"{column}"' if kind == "bytea" else f"convert_to(\"{column}\"::text, 'UTF8')"
            cursor.execute(f"SELECT string_agg({value}, '\\x00'::bytea) FROM \"{table}\"")
            found[f"{table}.{column}"] = bytes(cursor.fetchone()[0] or b"")
    return found


def places_with(*needles: bytes) -> list[str]:
    return [
        place
        for place, content in everything_stored().items()
        if any(needle.lower() in content.lower() for needle in needles)
    ]


def test_the_search_would_find_what_is_stored(writer: GenerativeModel) -> None:
    assert places_with(b"The Chariot") == ["registry_work.title"]


def test_an_output_is_found_nowhere_while_it_waits_and_after(writer: GenerativeModel) -> None:
    reduced = features.reduce(f"{TWELVE_OF_CHARIOT} {CANARY}")
    packed = reduced.to_bytes()
    needles = [CANARY.encode(), b"periwinkle", packed, packed[-64:], packed[-16:]]

    query = ask(writer, f"{TWELVE_OF_CHARIOT} {CANARY}")
    assert places_with(*needles) == []
    settle_due(at=GENERATED, limit=10)

    assert places_with(*needles) == []
    query.refresh_from_db()
    assert (query.state, query.evidence) == ("settled", None)


def test_an_output_is_neither_logged_nor_answered_even_when_refused(
    writer: GenerativeModel, caplog: pytest.LogCaptureFixture
) -> None:
    client = api_client(writer.operator)
    said = {"model": writer.pk, "occurred_at": "2026-06-01T12:00:00Z", "output": CANARY}
    bad_reports = [
        said | {"external_id": "has spaces"},
        said | {"external_id": "x", "prompt": CANARY},
        said | {"external_id": "x", "output": CANARY * 2_000},
        said | {"external_id": "x", "output": f"{CANARY} \x00"},
        said | {"external_id": "x", "output": [CANARY]},
        said | {"external_id": "x", "features": CANARY},
        said | {"external_id": "x", "occurred_at": "2126-06-01T12:00:00Z"},
    ]
    with caplog.at_level(logging.DEBUG):
        for bad in bad_reports:
            answer = client.post("/v1/queries", {"queries": [bad]}, format="json")
            assert 400 <= answer.status_code < 500
            assert b"wombat" not in answer.content
        good = said | {"external_id": "fine"}
        assert client.post("/v1/queries", {"queries": [good]}, format="json").status_code == 202

    assert "wombat" not in caplog.text
    assert places_with(b"wombat") == []


def test_sealed_evidence_opens_only_beside_its_own_query(writer: GenerativeModel) -> None:
    one, other = ask(writer, MEDLEY), ask(writer, MEDLEY)
    assert one.evidence is not None
    assert other.evidence is not None
    assert bytes(one.evidence) != bytes(other.evidence)
    assert one.payload_digest != other.payload_digest

    from_other = Sealed(other.evidence_key_id, bytes(other.evidence))

    with pytest.raises(Exception, match=f"the evidence of {one.pk} is not what was sealed"):
        unseal(from_other, beside=one.pk)
    assert unseal(from_other, beside=other.pk) == features.reduce(MEDLEY).to_bytes()
    assert Query.objects.count() == 2

"""Anyone concerned can see why a query paid whom, and recompute it."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from attribution.errors import NotSettled
from attribution.explanation import explain
from attribution.methods import verbatim
from attribution.models import GenerativeModel, Query
from attribution.reckoning import record_of
from attribution.worker import settle_due
from ledger.models import Batch, Entry
from ledger.money import Money
from registry.models import Creator, Operator, Work
from tests.attribution.world import GENERATED, ask, fund, make_model


@pytest.fixture
def settled(writer: GenerativeModel) -> Query:
    query = ask(writer)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()
    return query


def test_explain_shows_every_amount_and_where_it_is_booked(settled: Query) -> None:
    found = explain(settled)

    assert [(row.title, row.creator, row.words, row.share_ppm, row.amount.micros) for row in found.rows] == [
        ("The Chariot", "Ada", 12, 500_000, 4_500),
        ("The Tyger", "Ben", 8, 333_333, 3_000),
    ]  # fmt: skip
    assert (found.fee, found.platform_fee, found.remainder, found.others) == (
        Money(10_000, "EUR"),
        Money(1_000, "EUR"),
        Money(1_500, "EUR"),
        Money(0, "EUR"),
    )
    entry = Entry.objects.latest("id")
    assert (found.entry_id, found.batch_seq) == (entry.pk, Batch.objects.latest("seq").seq)
    assert "each of the output's 24 words" in found.rule
    assert "a run of at least 8 words" in found.rule
    assert found.method == "cascade/2"


def test_a_creator_sees_his_own_rows_and_only_the_total_of_others(
    settled: Query, ben: Creator
) -> None:
    found = explain(settled, creator=ben)

    assert [row.creator for row in found.rows] == ["Ben"]
    assert found.others == Money(4_500, "EUR")


def test_a_reader_can_recompute_the_amounts(settled: Query) -> None:
    found = explain(settled)

    net = found.fee.micros - found.fee.micros * int(found.parameters["platform_fee_ppm"]) // 10**6
    assert found.output_words is not None
    assert [row.words * net // found.output_words for row in found.rows] == [
        row.amount.micros for row in found.rows
    ]
    assert found.parameters["min_words"] == verbatim.DEFAULT_MIN_WORDS


def test_the_uniform_rule_is_told_in_its_own_words(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    query = ask(make_model(acme, [chariot, tyger], method="uniform"), None)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    assert explain(query).rule == (
        "The platform keeps 10 % of the fee. The rest is shared alike by 2 of the 2 works the "
        "model learned from, drawn by the query's id; near-copies count as one."
    )


def test_a_waiting_query_has_no_explanation(writer: GenerativeModel) -> None:
    with pytest.raises(NotSettled):
        explain(ask(writer))


def test_the_command_prints_it(settled: Query) -> None:
    out = StringIO()

    call_command("explain", settled.pk, stdout=out)

    text = out.getvalue()
    assert text.startswith(f"{settled.pk} to Writer 1: fee 0.010000 EUR\n")
    assert "  0.004500 EUR  The Chariot" in text
    assert "  0.001500 EUR  remainder" in text


def test_the_command_says_when_there_is_nothing_to_explain(writer: GenerativeModel) -> None:
    for query_id in ("nonsense", ask(writer).pk):
        with pytest.raises(CommandError):
            call_command("explain", query_id)


def test_the_command_divides_a_downloaded_record_again(settled: Query, tmp_path: Path) -> None:
    """Ada's copy, in which Ben has no name."""
    ada = Creator.objects.get(handle="ada")
    path = tmp_path / "record.json"
    document = record_of(settled, creator=ada)
    path.write_text(json.dumps(document))
    out = StringIO()

    call_command("explain", "--record", str(path), stdout=out)

    assert "  0.004500 EUR  wrk_" in out.getvalue()
    assert "creator-00002" in out.getvalue()
    assert "the same as was paid" in out.getvalue()


@pytest.mark.parametrize(
    "changed",
    [{"fee_micros": 20_000}, {"record": {}}, {"format": "x"}, {"method": "x"}, {"version": "0"}],
)
def test_a_record_that_was_changed_is_not_what_was_paid(
    settled: Query, tmp_path: Path, changed: dict[str, Any]
) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record_of(settled) | changed))

    with pytest.raises(CommandError, match=r"ANOTHER RESULT|no record"):
        call_command("explain", "--record", str(path))


@pytest.mark.parametrize("arguments", [[], ["qry_1", "--record", "x"], ["--record", "missing"]])
def test_the_command_explains_one_thing(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("explain", *arguments)

"""The gate that every engine's adapter uses; the engines themselves have tests of their own."""

import hashlib
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tribute.adapters.gate import Gate
from tribute.adapters.img2dataset import Passed, filter_list, filter_output
from tribute.snapshot.errors import NoSnapshot, StaleSnapshot
from tribute.vocabulary import Decision, Purpose

FLAG = "tribute_unknown"
POEM = hashlib.sha256(b"a poem").hexdigest()
SITES = ("open", "closed", "nobody", "open", "paid")
ADDRESSES = [f"https://{site}.example.com/{n}" for n, site in enumerate(SITES)]
ROWS = pa.table({"n": range(5), "url": ADDRESSES, "sha256": [POEM, None, None, None, None]})


@pytest.fixture
def gate(synchronise: Callable[[Mapping[tuple[str, str], Decision]], Gate]) -> Gate:
    return synchronise(
        {
            ("domain", "closed.example.com"): Decision.DENY,
            ("domain", "open.example.com"): Decision.ALLOW,
            ("domain", "paid.example.com"): Decision.LICENSE,
            ("sha256", POEM): Decision.DENY,
        }
    )


def numbers(rows: pa.Table | pa.RecordBatch) -> list[int]:
    return [int(n) for n in rows.column("n").to_pylist()]


def test_a_gate_keeps_what_is_allowed_and_unknown_only_if_told(gate: Gate) -> None:
    assert numbers(gate(ROWS)) == [0, 3]
    assert numbers(replace(gate, unknown="keep")(ROWS)) == [0, 2, 3]
    flagged = replace(gate, unknown="flag")(ROWS)
    assert flagged.column(FLAG).to_pylist() == [False, True, False]


def test_a_gate_knows_rows_by_their_bytes_too(gate: Gate) -> None:
    assert numbers(replace(gate, sha256="sha256")(ROWS)) == [3]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view()])
def test_a_gate_takes_text_however_arrow_keeps_it(gate: Gate, kind: pa.DataType) -> None:
    urls = pa.array(ADDRESSES)
    for column in (urls.cast(kind), urls.dictionary_encode()):
        assert gate.mask(pa.table({"url": column})).nonzero()[0].tolist() == [0, 3]


def test_a_gate_travels_and_streams(gate: Gate) -> None:
    other = pickle.loads(pickle.dumps(gate))
    passed = list(other.over(ROWS.to_batches(max_chunksize=2)))
    assert [numbers(batch) for batch in passed] == [[0], [3], []]


def test_a_gate_answers_with_the_rule_of_each_purpose(gate: Gate) -> None:
    asked = replace(gate, purposes=(Purpose.TRAIN_AI, Purpose.SEARCH))
    answers = asked.check(ROWS.to_batches()[0]).to_pydict()
    assert answers["train-ai"] == ["allow", "deny", "unknown", "allow", "license"]
    assert answers["train-ai.rule"][:3] == ["collection.allow", "collection.deny", "none.unknown"]
    assert answers["search"] == ["unknown"] * 5


def test_a_gate_refuses_to_be_meaningless(gate: Gate) -> None:
    with pytest.raises(ValueError, match="Purpose"):
        replace(gate, purposes=())
    with pytest.raises(ValueError, match="column"):
        replace(gate, url=None)
    with pytest.raises(ValueError, match="maybe"):
        replace(gate, unknown="maybe")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="address"):
        replace(gate, url="address")(ROWS)
    with pytest.raises(ValueError, match="flag"):
        replace(gate, unknown="flag").mask(ROWS)


def test_a_gate_lets_nothing_through_without_a_fresh_snapshot(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoSnapshot):
        replace(gate, folder=str(tmp_path / "nothing"))(ROWS)
    assert numbers(gate(ROWS)) == [0, 3]

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Later":
            del tz
            return cls.fromtimestamp((datetime.now(UTC) + timedelta(days=2)).timestamp(), UTC)

    monkeypatch.setattr("tribute.adapters.gate.datetime", Later)
    with pytest.raises(StaleSnapshot):
        gate(ROWS)


@pytest.mark.parametrize(("kind", "separator"), [("csv", ","), ("tsv", "\t")])
def test_a_list_keeps_its_columns_and_its_text(
    gate: Gate, tmp_path: Path, kind: str, separator: str
) -> None:
    source, target = tmp_path / f"list.{kind}", tmp_path / f"kept.{kind}"
    lines = [f'{address}{separator}"0{n}{separator} ""x"""' for n, address in enumerate(ADDRESSES)]
    source.write_text("\n".join([f"url{separator}caption", *lines]) + "\n")
    assert filter_list(source, target, gate) == Passed(5, 2)
    assert target.read_text().replace('"', "").splitlines()[1:] == [
        lines[0].replace('"', ""),
        lines[3].replace('"', ""),
    ]


def test_a_list_in_parquet_or_of_an_unknown_kind(gate: Gate, tmp_path: Path) -> None:
    pq.write_table(ROWS, tmp_path / "list.parquet")
    assert filter_list(tmp_path / "list.parquet", tmp_path / "kept.parquet", gate) == Passed(5, 2)
    assert numbers(pq.read_table(tmp_path / "kept.parquet")) == [0, 3]
    (tmp_path / "list.xml").write_text("<a/>")
    for target in ("kept.xml", "kept.csv"):
        with pytest.raises(ValueError, match=r"list\.xml"):
            filter_list(tmp_path / "list.xml", tmp_path / target, gate)
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(ValueError, match="table"):
        filter_output(tmp_path / "mine", gate)


@pytest.mark.parametrize("left_over", ["00000.tfrecord", "00001.tar", "00001"])
def test_pictures_that_would_stay_stop_the_filtering_before_it_begins(
    gate: Gate, tmp_path: Path, left_over: str
) -> None:
    """TFRecord is not read here, and without its table nobody knows what a shard holds."""
    out = tmp_path / "out"
    (out / "_tmp").mkdir(parents=True)
    table = pa.table({"key": ["000000000"], "url": ["https://closed.example.com/1"]})
    pq.write_table(table, out / "00000.parquet")
    (out / "00000_stats.json").write_text("{}")
    if "." in left_over:
        (out / left_over).write_bytes(b"")
    else:
        (out / left_over).mkdir()

    with pytest.raises(ValueError, match="cannot be filtered"):
        filter_output(out, gate)

    assert pq.read_table(out / "00000.parquet") == table

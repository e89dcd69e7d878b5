"""Every engine keeps the same rows, run as itself, with several workers where it has them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import datasets
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import ray.data
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from pyspark.sql import SparkSession

from tribute.adapters import duckdb as for_duckdb
from tribute.adapters import huggingface as for_datasets
from tribute.adapters import polars as for_polars
from tribute.adapters import ray as for_ray
from tribute.adapters import spark as for_spark
from tribute.adapters.datatrove import ConsentFilter
from tribute.adapters.gate import Gate

from .conftest import ALLOWED, OPEN

FLAG = "tribute_unknown"


def test_datasets_filters_a_dataset_in_several_processes(gate: Gate, table: pa.Table) -> None:
    dataset = datasets.Dataset(table)
    kept = for_datasets.filter_dataset(dataset, gate, num_proc=2, batch_size=700)
    assert kept["n"][:] == ALLOWED
    assert for_datasets.filter_dataset(dataset, replace(gate, unknown="keep"))["n"][:] == OPEN


def test_datasets_filters_splits_and_arrow_formats(gate: Gate, table: pa.Table) -> None:
    splits = datasets.DatasetDict({"train": datasets.Dataset(table).with_format("arrow")})
    kept = for_datasets.filter_dataset(splits, gate)
    assert kept["train"].with_format(None)["n"][:] == ALLOWED


def test_datasets_filters_a_stream(gate: Gate, table: pa.Table) -> None:
    stream = datasets.Dataset(table).to_iterable_dataset(num_shards=3)
    assert [row["n"] for row in for_datasets.filter_dataset(stream, gate)] == ALLOWED


def test_datasets_refuses_a_flag_that_would_be_lost(gate: Gate, table: pa.Table) -> None:
    with pytest.raises(ValueError, match="flag"):
        for_datasets.filter_dataset(datasets.Dataset(table), replace(gate, unknown="flag"))


def test_polars_filters_frames_eager_and_lazy(gate: Gate, table: pa.Table) -> None:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    assert for_polars.filter_frame(frame, gate)["n"].to_list() == ALLOWED
    lazy = for_polars.filter_frame(frame.lazy(), gate).filter(pl.col("n") < 100).select("n")
    assert lazy.collect()["n"].to_list() == [n for n in ALLOWED if n < 100]
    streamed = for_polars.filter_frame(frame.lazy(), gate).collect(engine="streaming")
    assert sorted(streamed["n"].to_list()) == ALLOWED


def test_polars_flags_what_is_unknown(gate: Gate, table: pa.Table) -> None:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    flagging = replace(gate, unknown="flag")
    for marked in (
        for_polars.filter_frame(frame, flagging),
        for_polars.filter_frame(frame.lazy(), flagging).collect(),
    ):
        assert marked["n"].to_list() == OPEN
        assert marked.filter(~pl.col(FLAG))["n"].to_list() == ALLOWED


def test_duckdb_asks_in_sql(gate: Gate, table: pa.Table, tmp_path: Path) -> None:
    pq.write_table(table, tmp_path / "pages.parquet")
    with duckdb.connect(config={"threads": 2}) as connection:
        for_duckdb.register(connection, gate)
        rows = connection.execute(
            "SELECT n FROM read_parquet(?) WHERE tribute_allows(url) ORDER BY n",
            [str(tmp_path / "pages.parquet")],
        ).fetchall()
        assert [n for (n,) in rows] == ALLOWED
        assert connection.execute("SELECT tribute_allows(NULL)").fetchone() == (False,)


def test_datatrove_filters_in_a_pipeline_of_several_tasks(
    gate: Gate, table: pa.Table, tmp_path: Path
) -> None:
    for shard in range(2):
        with JsonlWriter(str(tmp_path / "in"), output_filename=f"{shard}.jsonl") as writer:
            for row in table.to_pylist()[shard::2]:
                page = {"url": row["url"], "n": row["n"]}
                writer.write(Document(text="…", id=str(row["n"]), metadata=page))
    left_out = JsonlWriter(str(tmp_path / "out"), output_filename="${rank}.jsonl", compression=None)
    kept = JsonlWriter(str(tmp_path / "kept"), output_filename="${rank}.jsonl", compression=None)
    LocalPipelineExecutor(
        [
            JsonlReader(str(tmp_path / "in")),
            ConsentFilter(gate, exclusion_writer=left_out, batch_size=64),
            kept,
        ],
        tasks=2,
        workers=2,
        logging_dir=str(tmp_path / "log"),
    ).run()
    rows = list(JsonlReader(str(tmp_path / "kept"))())
    assert sorted(int(doc.id) for doc in rows) == ALLOWED
    reasons = {doc.metadata["filter_reason"] for doc in JsonlReader(str(tmp_path / "out"))()}
    assert reasons == {"tribute_deny", "tribute_license", "tribute_unknown"}


def test_datatrove_flags_and_treats_a_page_without_address_as_unknown(gate: Gate) -> None:
    pages = [
        Document(text="…", id="1", metadata={}),
        Document(text="…", id="2", metadata={"url": "https://open.example.com/"}),
    ]
    assert ConsentFilter(gate).filter_batch(pages) == [(False, "tribute_unknown"), True]
    assert ConsentFilter(replace(gate, unknown="flag")).filter_batch(pages) == [True, True]
    assert pages[0].metadata == {FLAG: True}
    assert FLAG not in pages[1].metadata


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray of this machine's own, with room for two workers."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
def test_ray_filters_on_several_workers(gate: Gate, table: pa.Table) -> None:
    dataset = ray.data.from_arrow([table.slice(0, 2_000), table.slice(2_000)])
    kept = for_ray.filter_dataset(dataset, gate, concurrency=2)
    assert sorted(row["n"] for row in kept.take_all()) == ALLOWED
    marked = for_ray.filter_dataset(dataset, replace(gate, unknown="flag")).to_pandas()
    assert sorted(marked[~marked[FLAG]]["n"]) == ALLOWED
    assert sorted(marked["n"]) == OPEN


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """A Spark of this machine's own, with two executors' threads."""
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "512")
        .getOrCreate()
    )
    yield session
    session.stop()


def test_spark_filters_on_several_workers(gate: Gate, table: pa.Table, spark: SparkSession) -> None:
    frame = spark.createDataFrame(table.to_pylist()).repartition(4)
    kept = for_spark.filter_frame(frame, gate)
    assert sorted(row["n"] for row in kept.collect()) == ALLOWED
    marked = for_spark.filter_frame(frame, replace(gate, unknown="flag")).collect()
    assert sorted(row["n"] for row in marked if not row[FLAG]) == ALLOWED
    with pytest.raises(KeyError, match="address"):
        for_spark.filter_frame(frame, replace(gate, url="address"))

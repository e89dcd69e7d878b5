"""``tribute sync`` and ``tribute filter``, and the files that come out."""

import hashlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.cli import main
from tribute.identifiers import key_of
from tribute.snapshot import parquet, sources
from tribute.snapshot.changes import Changes
from tribute.snapshot.publishing import CodeBook, Edition, Publisher, Signer, files_folder
from tribute.snapshot.scores import timeline
from tribute.verdict import Statement, Tier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY = f"--key={PUBLIC.hex()}"
POEM = hashlib.sha256(b"a poem").hexdigest()
RULES = {
    ("domain", "closed.example.com"): "deny",
    ("domain", "open.example.com"): "allow",
    ("domain", "paid.example.com"): "license",
    ("sha256", POEM): "deny",
}
ADDRESSES = [
    "https://open.example.com/1",
    "https://closed.example.com/2",
    "https://nobody.example.com/3",
    "https://open.example.com/4",
    "https://paid.example.com/5",
]


def publish(root: Path, *, at: datetime) -> None:
    codes, rows = CodeBook(), Changes()
    for (kind, value), decision in RULES.items():
        key = key_of(IdentifierKind(kind), value)
        tier = Tier.WORK if kind == "sha256" else Tier.COLLECTION
        said = Statement(
            "stm_1", "s", tier, 0, "ada", Purpose.TRAIN_AI, Decision(decision), at, 1, proven=True
        )
        rows.put(key.kind, key.digest, codes.number(timeline([said], at=at)))
    tables = rows.columns()
    edition = Edition(None, at, at + timedelta(days=1), 0)
    data = Publisher(root, Signer(PUBLIC, PRIVATE.sign)).base(
        tables.items(), codes, edition, sizes=dict.fromkeys(tables, 1)
    )
    (files_folder(root) / "manifest.json").write_bytes(data)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    publish(tmp_path / "registry", at=datetime.now(UTC))
    return files_folder(tmp_path / "registry")


@pytest.fixture
def snapshot(mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "mine"
    assert main(["sync", str(mirror), str(folder), KEY]) == 0
    capsys.readouterr()
    return folder


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    table = pa.table(
        {
            "n": range(5),
            "url": pa.array(ADDRESSES).dictionary_encode(),
            "sha256": [POEM, None, None, None, None],
        }
    )
    pq.write_table(table, tmp_path / "pages.parquet")
    return tmp_path / "pages.parquet"


@pytest.fixture
def registry(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serves the snapshot; every file breaks off once, in the middle."""
    monkeypatch.setattr(sources, "_DELAY_SECONDS", 0.001)
    broken: set[str] = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/v1/snapshot").removeprefix("/files/")
            path = mirror / (name or "manifest.json")
            if not path.exists():
                self.send_error(404)
                return
            data = path.read_bytes()
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            first = name not in broken
            broken.add(name)
            self.wfile.write(data[start : len(data) // 2 if first else None])

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_sync_fetches_over_connections_that_break(
    registry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", registry, str(tmp_path / "mine"), KEY]) == 0
    assert "snapshot 0" in (said := capsys.readouterr().out)
    assert "4 keys" in said
    assert main(["sync", registry, str(tmp_path / "mine"), KEY]) == 0
    assert "nothing new" in capsys.readouterr().out


def test_sync_says_what_is_wrong(
    registry: str, mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(*arguments: str) -> int:
        return main(["sync", *arguments, str(tmp_path / "mine")])

    assert status("--key", "00" * 32, registry) == 1
    assert "WrongKey" in capsys.readouterr().err
    assert status("--key", "short", registry) == 2
    assert status(KEY, "ftp://registry") == 2
    assert status(KEY, str(tmp_path / "nowhere")) == 3
    next(mirror.glob("0-domain-*")).unlink()
    assert status(KEY, registry) == 3
    assert "404" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("unknown", "kept"), [("deny", [0, 3]), ("keep", [0, 2, 3]), ("flag", [0, 2, 3])]
)
def test_filter_keeps_what_is_allowed(
    snapshot: Path,
    pages: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    unknown: str,
    kept: list[int],
) -> None:
    out = tmp_path / "out.parquet"
    options = ["--snapshot", str(snapshot), "--purpose", "train-ai", "--unknown", unknown, KEY]

    assert main(["filter", str(pages), str(out), *options]) == 0

    table = pq.read_table(out)
    assert table.column("n").to_pylist() == kept
    assert table.column("url").to_pylist() == [ADDRESSES[n] for n in kept]
    assert ("tribute_unknown" in table.column_names) == (unknown == "flag")
    if unknown == "flag":
        assert table.column("tribute_unknown").to_pylist() == [False, True, False]
    decided = json.loads(table.schema.metadata[b"tribute"])
    assert (decided["snapshot"], decided["purposes"]) == (0, ["train-ai"])
    said = f"{len(kept)} of 5 rows kept; 2 not allowed, 1 unknown; by snapshot 0"
    assert said in capsys.readouterr().out


def test_filter_asks_about_the_bytes_too(snapshot: Path, pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    options = ["--snapshot", str(snapshot), "--purpose", "train-ai", "--sha256", "sha256", KEY]

    assert main(["filter", str(pages), str(out), *options]) == 0

    assert pq.read_table(out).column("n").to_pylist() == [3]


def test_filter_refuses_and_leaves_nothing_behind(
    snapshot: Path, pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"

    def status(source: Path, *more: str, folder: Path = snapshot) -> int:
        options = ["--snapshot", str(folder), "--purpose", "train-ai", KEY, *more]
        return main(["filter", str(source), str(out), *options])

    assert status(pages, "--url", "address") == 2
    assert "n, url, sha256" in capsys.readouterr().err
    assert status(tmp_path / "nothing.parquet") == 2
    (tmp_path / "text").write_text("no Parquet")
    assert status(tmp_path / "text") == 2
    assert status(pages, folder=tmp_path) == 1
    assert "NoSnapshot" in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("out*")] == []
    before = pages.read_bytes()
    out = pages
    assert status(pages) == 2
    assert "into itself" in capsys.readouterr().err
    assert pages.read_bytes() == before


def test_filter_writes_large_groups_from_small_batches(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawl, out = tmp_path / "crawl.parquet", tmp_path / "out.parquet"
    table = pa.table({"n": range(5_000), "url": pa.array(ADDRESSES * 1_000).dictionary_encode()})
    codecs = {"n": "NONE", "url": "ZSTD"}
    pq.write_table(table, crawl, row_group_size=300, compression=codecs)
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 100)
    arguments = ["filter", str(crawl), str(out), "--snapshot", str(snapshot), KEY]

    assert main([*arguments, "--purpose", "train-ai"]) == 0

    kept = [n for n in range(5_000) if n % 5 in {0, 3}]
    assert pq.read_table(out).column("n").to_pylist() == kept
    groups = pq.ParquetFile(out).metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [120] * 16 + [80]
    columns = [groups.row_group(0).column(n).compression for n in range(2)]
    assert columns == ["UNCOMPRESSED", "ZSTD"]
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 100_000)
    monkeypatch.setattr(parquet, "BYTES_AT_ONCE", 1)
    assert main([*arguments, "--purpose", "train-ai"]) == 0
    assert pq.read_table(out).column("n").to_pylist() == kept


def test_filter_makes_dictionaries_of_what_repeats(snapshot: Path, tmp_path: Path) -> None:
    crawl, out = tmp_path / "crawl.parquet", tmp_path / "out.parquet"
    columns: dict[str, Any] = {
        "n": range(5_000),
        "url": [f"https://open.example.com/{n}" for n in range(5_000)],
        "word": ["one", "two"] * 2_500,
        "tags": [["a"], []] * 2_500,
        "nothing": pa.nulls(5_000),
    }
    pq.write_table(pa.table(columns), crawl)
    arguments = ["filter", str(crawl), str(out), "--snapshot", str(snapshot), KEY]

    assert main([*arguments, "--purpose", "train-ai"]) == 0

    assert pq.read_table(out).equals(pa.table(columns))
    group = pq.ParquetFile(out).metadata.row_group(0)
    found = map(group.column, range(group.num_columns))
    dictionaries = {c.path_in_schema for c in found if c.has_dictionary_page}
    assert dictionaries - {"nothing"} == {"word"}


def test_filter_refuses_a_column_that_holds_no_addresses(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nested = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"url": [["https://open.example.com/1"]]}), nested)
    options = ["--snapshot", str(snapshot), "--purpose", "train-ai", KEY]

    assert main(["filter", str(nested), str(tmp_path / "out.parquet"), *options]) == 2

    assert capsys.readouterr().err.startswith("tribute: ")
    assert sorted(path.name for path in tmp_path.glob("*.parquet*")) == ["nested.parquet"]


def test_filter_destroys_nothing_that_is_no_file(
    snapshot: Path, pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe, options = tmp_path / "pipe", ["--snapshot", str(snapshot), "--purpose", "train-ai", KEY]
    os.mkfifo(pipe)

    for target in (pipe, tmp_path):
        assert main(["filter", str(pages), str(target), *options]) == 2
        assert "is not a file" in capsys.readouterr().err

    assert pipe.is_fifo()
    assert list(tmp_path.glob("*.part")) == []


def test_filter_takes_files_of_any_name_and_columns_of_views(
    snapshot: Path, tmp_path: Path
) -> None:
    odd, out = tmp_path / "o\udcff.parquet", tmp_path / "p\udcfe.parquet"
    views = pa.table({"url": pa.array(ADDRESSES, pa.string_view()), "n": range(len(ADDRESSES))})
    pq.write_table(views, tmp_path / "views.parquet")
    (tmp_path / "views.parquet").rename(odd)
    options = ["--snapshot", str(snapshot), "--purpose", "train-ai", KEY]

    assert main(["filter", str(odd), str(out), *options]) == 0

    with out.open("rb") as file:
        kept = pq.read_table(file)
    assert kept.column("n").to_pylist() == [0, 3]
    assert kept.schema.field("url").type == pa.large_string()


def test_filter_refuses_two_columns_of_the_name(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = tmp_path / "twice.parquet"
    pq.write_table(pa.table([ADDRESSES, ADDRESSES], names=["url", "url"]), twice)
    options = ["--snapshot", str(snapshot), "--purpose", "train-ai", KEY]

    assert main(["filter", str(twice), str(tmp_path / "out"), *options]) == 2

    assert "two columns url" in capsys.readouterr().err


def test_sync_takes_no_empty_name_for_the_present_folder(mirror: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["sync", str(mirror), "", KEY])

    assert stopped.value.code == 2


@pytest.mark.parametrize("command", ["sync", "filter", "lookup"])
def test_help_tells_the_exit_status(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])

    assert "exit status:\n  0  " in capsys.readouterr().out

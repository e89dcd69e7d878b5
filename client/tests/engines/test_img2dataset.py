"""img2dataset really downloads pictures from a server here; what it wrote is then filtered."""

import functools
import hashlib
import http.server
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tribute.adapters.gate import Gate
from tribute.adapters.img2dataset import Passed, filter_list, filter_output
from tribute.vocabulary import Decision

from .conftest import Synchronise

PICTURES = 4
DENIED = 2
"""The number of the picture that its author denies, wherever it is copied to."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the test's output to itself."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    for n in range(PICTURES):
        Image.new("RGB", (64, 64), (60 * n, 10, 200 - 40 * n)).save(folder / f"{n}.png")
    return folder


@pytest.fixture
def site(pictures: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(pictures))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def careful(pictures: Path, synchronise: Synchronise) -> Gate:
    """The site allows; the author of one picture denies its bytes."""
    digest = hashlib.sha256((pictures / f"{DENIED}.png").read_bytes()).hexdigest()
    return synchronise({("host", "127.0.0.1"): Decision.ALLOW, ("sha256", digest): Decision.DENY})


def download(folder: Path, site: str, output_format: str) -> Path:
    """Run img2dataset as its users do."""
    listed = folder / "urls.txt"
    listed.write_text("".join(f"{site}/{n}.png\n" for n in range(PICTURES)))
    out = folder / "out"
    command = [
        *(sys.executable, "-c", "from img2dataset import main; main()"),
        *("--url_list", str(listed), "--output_folder", str(out), "--image_size", "32"),
        *("--output_format", output_format, "--processes_count", "1", "--thread_count", "2"),
        *("--disable_all_reencoding", "True"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (out / "00000.parquet").exists(), done.stderr[-2_000:]
    return out


@pytest.mark.parametrize("output_format", ["files", "webdataset", "parquet"])
def test_what_img2dataset_wrote_loses_the_denied_picture(
    careful: Gate, site: str, tmp_path: Path, output_format: str
) -> None:
    out = download(tmp_path, site, output_format)
    rows = pq.read_table(out / "00000.parquet").to_pylist()
    key = next(row["key"] for row in rows if row["url"].endswith(f"/{DENIED}.png"))

    passed = filter_output(out, replace(careful, sha256="sha256"))

    assert passed == Passed(PICTURES, PICTURES - 1)
    left = {row["key"] for row in pq.read_table(out / "00000.parquet").to_pylist()}
    assert left == {row["key"] for row in rows} - {key}
    if output_format == "webdataset":
        with tarfile.open(out / "00000.tar") as archive:
            assert {name.partition(".")[0] for name in archive.getnames()} == left
    if output_format == "files":
        assert {path.name.partition(".")[0] for path in (out / "00000").iterdir()} == left
    assert filter_output(out, replace(careful, sha256="sha256")) == Passed(3, 3)


def test_a_list_is_filtered_before_anything_is_downloaded(gate: Gate, tmp_path: Path) -> None:
    lines = [f"https://{site}.example.com/{site}.png\n" for site in ("open", "closed", "nobody")]
    (tmp_path / "urls.txt").write_text("".join(lines))
    assert filter_list(tmp_path / "urls.txt", tmp_path / "kept.txt", gate) == Passed(3, 1)
    assert (tmp_path / "kept.txt").read_text() == lines[0]

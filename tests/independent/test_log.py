"""Go's own checksum-database code verifies a log that our sequencer wrote: ``make test-log``.

Needs Debian's golang-go and golang-golang-x-mod-dev, and is no part of ``make test``.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from registry import log, log_files, log_proofs, log_signing, log_tree
from registry.models import LogOutbox
from tests.factories import NOON, allow, deny, make_creator, make_work

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
GOCODE = "/usr/share/gocode"
SIZES = (1, 2, 255, 256, 257, 600, 1_000)


@pytest.fixture(scope="session")
def logverify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verifier, compiled from Debian's sources and nothing of ours."""
    go = shutil.which("go")
    if go is None or not Path(GOCODE, "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.fail("install Debian's golang-go and golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "logverify"
    surroundings = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": GOCODE,
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=HERE / "logverify",
        env=surroundings,
        check=True,
    )
    return program


def run(logverify: Path, folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(logverify), str(log_signing.verifier()), str(folder), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def grown(log_home: Path, tmp_path: Path) -> list[Path]:
    """A log that grew in steps; every checkpoint it signed on the way."""
    work = make_work(make_creator("ada"))
    allow(work)
    deny(work)
    kept = []
    for size in SIZES:
        missing = size - LogOutbox.objects.count()
        leaves = [
            log.encoded({"t": "ledger.head", "head": f"{size}-{n}"}, at=NOON)
            for n in range(missing)
        ]
        log.append_many(leaves, at=NOON)
        log_tree.grow(limit=size - log.size())
        kept.append(tmp_path / f"checkpoint-{size}")
        kept[-1].write_bytes(log_files.checkpoint() or b"")
    return kept


def test_go_verifies_every_entry_every_checkpoint_and_proofs(
    logverify: Path, log_home: Path, grown: list[Path], tmp_path: Path
) -> None:
    proofs = []
    for index in (0, 1, 255, 256, 999):
        proofs.append(tmp_path / f"{index}.tlog-proof")
        proofs[-1].write_bytes(bytes(log_proofs.inclusion_of(index).proof))

    said = run(logverify, log_home, *grown, *proofs)

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines() == [
        "registry.example/log: 1000 entries, each proven",
        *[f"{size} -> 1000: consistent" for size in SIZES],
        *[f"{path.name}: entry {path.stem} of 1000" for path in proofs],
    ]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("checkpoint", "checkpoint"),
        ("tile/0/001", "entry 256"),
        ("tile/1/000.p/3", "downloaded inconsistent tile"),
        ("tile/entries/002", "entry"),
    ],
)
def test_go_refuses_one_changed_byte(
    logverify: Path, log_home: Path, grown: list[Path], path: str, complaint: str
) -> None:
    file = log_home / path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    said = run(logverify, log_home)

    assert said.returncode == 1
    assert complaint in said.stderr


def test_go_refuses_a_fork(
    logverify: Path, log_home: Path, grown: list[Path], tmp_path: Path
) -> None:
    forged = tmp_path / "forged"
    forged.write_bytes(log_signing.signed(600, b"x" * 32))
    said = run(logverify, log_home, forged)
    assert said.returncode == 1
    assert "600 -> 1000" in said.stderr

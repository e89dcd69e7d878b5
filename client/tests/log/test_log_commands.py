"""``tribute log``: what is printed, and the exit status."""

from pathlib import Path

import pytest

from client.tests.log.written_log import WrittenLog, statements
from tribute import cli


@pytest.fixture
def log(tmp_path: Path) -> WrittenLog:
    log = WrittenLog(tmp_path / "log")
    log.add(statements(["wrk_a", "wrk_b", "wrk_a"]))
    return log


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIBUTE_LOG_KEY", raising=False)


def run(log: WrittenLog, *arguments: object) -> int:
    return cli.main(["log", *map(str, arguments), "--key", str(log.key)])


def test_the_newest_checkpoint_is_printed(
    log: WrittenLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(log, "checkpoint", log.folder) == 0
    assert capsys.readouterr().out.startswith("registry.example/log: 3 entries, root ")


def test_a_proof_is_verified_from_its_file(
    log: WrittenLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.tlog-proof"
    file.write_bytes(bytes(log.proof(1)))

    assert run(log, "verify", file) == 0
    said = capsys.readouterr().out
    assert "entry 1 of 3 in registry.example/log" in said
    assert log.leaves[1].decode() in said

    other = tmp_path / "leaf"
    other.write_bytes(log.leaves[0])
    assert run(log, "verify", file, "--leaf", other) == 1
    assert "InvalidProof" in capsys.readouterr().err


def test_an_audit_remembers_and_a_fork_is_refused(
    log: WrittenLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    assert run(log, "audit", log.folder, "--state", state) == 0
    assert "3 entries, 3 read" in capsys.readouterr().out
    log.add(statements(["wrk_b"], after=log.leaves))
    assert run(log, "audit", log.folder, "--state", state, "--new") == 0
    assert "4 entries, 1 read" in capsys.readouterr().out

    remembered = state.read_bytes()
    fork = WrittenLog(tmp_path / "fork")
    fork.add(statements(["wrk_a", "wrk_b", "wrk_a", "wrk_a", "wrk_b"]))
    assert run(log, "audit", fork.folder, "--state", state) == 1
    assert "ForkedLog" in capsys.readouterr().err
    assert state.read_bytes() == remembered


def test_a_subject_is_followed(log: WrittenLog, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(log, "follow", log.folder, "wrk_a") == 0
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["0", "2"]
    assert run(log, "follow", log.folder, "wrk_z") == 1


def test_wrong_use_and_an_absent_log_have_their_own_status(
    log: WrittenLog,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert cli.main(["log", "checkpoint", str(log.folder)]) == 2
    assert "TRIBUTE_LOG_KEY" in capsys.readouterr().err
    monkeypatch.setenv("TRIBUTE_LOG_KEY", "nonsense")
    assert cli.main(["log", "checkpoint", str(log.folder)]) == 2
    monkeypatch.setenv("TRIBUTE_LOG_KEY", str(log.key))
    assert cli.main(["log", "checkpoint", str(log.folder)]) == 0
    assert run(log, "checkpoint", tmp_path / "nowhere") == 2
    assert run(log, "verify", tmp_path / "nothing.tlog-proof") == 2
    assert run(log, "audit", log.folder, "--new") == 2
    (tmp_path / "empty").mkdir()
    assert run(log, "checkpoint", tmp_path / "empty") == 3
    assert run(log, "checkpoint", "http://127.0.0.1:9/log") == 3


@pytest.mark.parametrize("command", [[], ["checkpoint"], ["verify"], ["audit"], ["follow"]])
def test_help_explains_the_exit_status(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["log", *command, "--help"])
    assert stopped.value.code == 0
    assert "exit status" in capsys.readouterr().out

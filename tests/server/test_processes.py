import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from server.embedded import free_port
from server.processes import ChildFailed, Supervisor, answers, run_to_end

SLEEP = ["sleep", "60"]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "did not come true in 20 s"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_killed_child_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(tmp_path, report=said.append) as supervisor:
        supervisor.start("worker", SLEEP)
        first = supervisor.pid("worker")

        os.kill(first, signal.SIGKILL)

        eventually(lambda: supervisor.pid("worker") != first and supervisor.is_alive("worker"))
        eventually(lambda: len(said) == 2)
    assert said[0].startswith("worker ended with status -9: said nothing")
    assert said[1] == "worker was started again"


def test_stop_ends_children_last_first_and_leaves_none(tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'echo $0 >>{order}; exit' TERM; while :; do sleep 0.02; done"
    with Supervisor(tmp_path, report=print) as supervisor:
        for name in ("broker", "worker", "web"):
            supervisor.start(name, ["sh", "-c", script, name])
        time.sleep(0.3)  # until each shell has set its trap
        pids = [supervisor.pid(name) for name in ("broker", "worker", "web")]

    assert order.read_text().split() == ["web", "worker", "broker"]
    assert all(map(is_gone, pids))


def test_child_that_ignores_sigterm_is_killed_with_its_own_children(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    script = f"trap '' TERM; sleep 60 & echo $! >{grandchild}; while :; do sleep 1; done"
    with Supervisor(tmp_path, report=print, grace_seconds=0.2) as supervisor:
        supervisor.start("deaf", ["sh", "-c", script], ready=grandchild.exists)
        pid = supervisor.pid("deaf")

    assert is_gone(pid)
    eventually(lambda: is_gone(int(grandchild.read_text())))


def test_child_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    said: list[str] = []
    script = ["sh", "-c", "echo no database; exit 4"]
    with Supervisor(tmp_path, report=said.append, most_deaths=2) as supervisor:
        supervisor.start("worker", script)

        with pytest.raises(ChildFailed, match="worker ended with status 4: no database"):
            supervisor.wait(seconds=20)

    assert said[-1] == "worker died 2 times and is given up"


def test_start_waits_for_an_address_to_answer(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with Supervisor(tmp_path, report=print) as supervisor:
        assert not answers(url)

        supervisor.start("web", command, ready=url, environment={"PYTHONWARNINGS": "ignore"})

        assert answers(url)
        supervisor.wait(seconds=0)
    assert "GET /" in (tmp_path / "web.log").read_text()


def test_start_says_why_a_child_ended_or_that_it_is_slow(tmp_path: Path) -> None:
    with Supervisor(tmp_path, report=print) as supervisor:
        with pytest.raises(ChildFailed, match="web ended with status 3: port taken"):
            supervisor.start("web", ["sh", "-c", "echo port taken; exit 3"], ready=lambda: False)
        with pytest.raises(ChildFailed, match=r"slow was not ready after 0\.1 s"):
            supervisor.start("slow", SLEEP, ready=lambda: False, within_seconds=0.1)


def test_children_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from server.processes import Supervisor\n"
        "with Supervisor(pathlib.Path(sys.argv[1]), report=print) as supervisor:\n"
        "    supervisor.start('worker', ['sleep', '60'])\n"
        "    print(supervisor.pid('worker'), flush=True)\n"
        "    supervisor.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        eventually(lambda: psutil.Process(child).name() == "sleep")
        parent.kill()

    eventually(lambda: is_gone(child))


def test_run_to_end_returns_the_status_a_shell_would() -> None:
    commands = (["true"], ["sh", "-c", "exit 7"], ["sh", "-c", "kill -9 $$"], ["no-such-program"])

    assert [run_to_end(command, os.environ) for command in commands] == [0, 7, 137, 127]


def test_run_to_end_outlives_ctrl_c_and_passes_sigterm_on(tmp_path: Path) -> None:
    up = tmp_path / "up"
    script = (
        "import os, sys; from server.processes import run_to_end\n"
        "sys.exit(run_to_end(sys.argv[1:], os.environ))\n"
    )
    inner = f"trap 'exit 5' TERM; touch {up}; while :; do sleep 0.02; done"
    with subprocess.Popen([sys.executable, "-c", script, "sh", "-c", inner]) as runner:
        eventually(up.exists)
        runner.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert runner.poll() is None
        runner.send_signal(signal.SIGTERM)

        assert runner.wait(20) == 5

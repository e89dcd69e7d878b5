"""The browser that tests of pages drive: where it is, and how to get one.

    python -m tests.plugins.browser

looks for Chromium and installs it when there is none, as far as this machine permits. Tests use
the fixture ``browser``, which fails with one line when there is still none. Playwright takes 0.6 s
to import, so it is imported only where it is used.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_SECONDS = 900
MISSING = (
    "Chromium is missing: install it (Debian: `apt-get install chromium`), run `make browser`, "
    "or name its program in CHROMIUM"
)
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",  # containers give it 64 MB
    "--no-first-run",
)


def find_program() -> str | None:
    """The browser named by CHROMIUM, one on the path, or the one Playwright downloaded."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    return downloaded if Path(downloaded).exists() else None


def install() -> None:
    """Try the system's packages when root may use them, then Playwright's own download."""
    attempts: list[Sequence[str]] = []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts += [
            ("apt-get", "update", "-qq"),
            ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
        ]
    attempts.append((sys.executable, "-m", "playwright", "install", "chromium"))
    for attempt in attempts:
        if not find_program():
            sys.stdout.write(f"No Chromium yet: {' '.join(attempt)}\n")
            _try(attempt)


def _try(command: Sequence[str]) -> None:
    """Run a command that may fail: what counts is whether a browser is there afterwards."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command,
            env=quiet,
            timeout=INSTALL_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        sys.stdout.write(f"{error}\n")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium without a window, shared by the run; each test opens a context of its own."""
    from playwright.sync_api import sync_playwright

    program = find_program()
    if not program:
        pytest.fail(MISSING, pytrace=False)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, in which Django would refuse its database.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=program, args=[*QUIET, *sandbox])
        yield chromium
        chromium.close()


if __name__ == "__main__":
    if not find_program():
        install()
    sys.stdout.write(f"{find_program() or MISSING}\n")

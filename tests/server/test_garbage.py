"""Long-running processes look for garbage seldom, and still find it."""

import os
import subprocess
import sys

from server.embedded import PROJECT

A_PROCESS = """
import gc, weakref
from server import garbage

class Round:
    pass

garbage.look_seldom()
assert gc.get_freeze_count() > 1_000, gc.get_freeze_count()
first = Round()
first.itself = first
gone = weakref.ref(first)
del first
kept = [[] for _ in range(2 * garbage.YOUNG)]
assert gone() is None, "what refers to itself was not found"
"""


def test_what_refers_to_itself_is_found_after_a_while() -> None:
    subprocess.run([sys.executable, "-c", A_PROCESS], check=True, cwd=PROJECT)


def test_every_process_of_the_service_looks_seldom() -> None:
    settings = os.environ | {"DJANGO_SETTINGS_MODULE": "server.settings", "TRIBUTE_EMBEDDED": "1"}
    for begin in (
        "import server.wsgi",
        "import server.celery, celery.signals as s; s.worker_process_init.send(sender=None)",
    ):
        counted = f"{begin}; import gc; print(gc.get_threshold()[0], gc.get_freeze_count() > 1_000)"
        said = subprocess.check_output(
            [sys.executable, "-c", counted], cwd=PROJECT, env=settings, text=True
        )
        assert said.split() == ["50000", "True"]

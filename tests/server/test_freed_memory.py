"""A process that is told to keeps the memory it frees, and uses it again without faults."""

import os
import subprocess
import sys

from server.embedded import PROJECT

A_PROCESS = """
import resource
import server.wsgi

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        held = [b"x" * (3 << 20) for _ in range(3)]
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""


def test_large_blocks_are_made_of_memory_at_hand() -> None:
    settings = os.environ | {"DJANGO_SETTINGS_MODULE": "server.settings", "TRIBUTE_EMBEDDED": "1"}

    counted = subprocess.check_output(
        [sys.executable, "-c", A_PROCESS], cwd=PROJECT, env=settings, text=True
    )

    # Each of the sixty blocks has 768 pages.
    assert int(counted) < 768

"""Where a figure was measured: prints the machine, and keeps figures together with it.

Leaves measuring to the benchmarks; asks PostgreSQL only for its version and settings.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psutil
import psycopg

from server.embedded import PROJECT

RESULTS = PROJECT / ".tribute" / "bench"
SETTINGS = ("shared_buffers", "max_wal_size", "synchronous_commit", "fsync", "full_page_writes")


def describe(server: psycopg.Connection[Any]) -> dict[str, str]:
    """Processor, memory, disk, software, and how busy the machine is before measuring."""
    shown = [(name, server.execute(f"SHOW {name}").fetchone()) for name in SETTINGS]
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {_file_system()}",
        "python": f"{platform.python_version()}, Django {django.__version__}",
        "postgresql": str(server.info.parameter_status("server_version")),
        "settings": ", ".join(f"{name}={row[0]}" for name, row in shown if row),
        "load": "{:.1f} (1 min), {:.1f} (5 min)".format(*os.getloadavg()),
    }


def show(described: Mapping[str, str]) -> None:
    """Print the machine, one line a fact."""
    for name, fact in described.items():
        sys.stdout.write(f"{name:>12}  {fact}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


def record(name: str, figures: Mapping[str, Any], described: Mapping[str, str]) -> Path:
    """Write figures and their machine to ``.tribute/bench/<name>.json``; return the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    measured_at = datetime.now(UTC).isoformat(timespec="seconds")
    whole = {**figures, "measured_at": measured_at, "machine": dict(described)}
    path.write_text(json.dumps(whole, indent=2) + "\n")
    return path


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _file_system() -> str:
    mounts = [mount for mount in psutil.disk_partitions(all=True) if _holds(mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "?"


def _holds(mountpoint: str) -> bool:
    return PROJECT.is_relative_to(mountpoint)

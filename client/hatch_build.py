"""Compile the optional kernel of ``tribute.snapshot`` when the package is installed or packed.

Without a C compiler, or where it fails, the package is built without the kernel and answers the
same in plain Python, some hundred times slower. ``TRIBUTE_KERNEL=0`` leaves it out, ``=1`` insists.
"""

# ruff: noqa: INP001 - hatchling loads it by its path

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "native/kernel.c"
MODULE = "src/tribute/snapshot/_kernel.abi3.so"
FLAGS = ("-O3", "-fPIC", "-shared", "-fvisibility=hidden")


class KernelHook(BuildHookInterface[Any]):
    """Puts the compiled kernel beside the Python that uses it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; then say that the wheel is for this platform, any CPython from 3.11 on."""
        del version
        wanted = os.environ.get("TRIBUTE_KERNEL", "")
        if self.target_name != "wheel" or wanted == "0":
            return
        problem = _compile(Path(self.root))
        if problem is None:
            build_data["artifacts"].append(MODULE)
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"cp311-abi3-{platform}"
        elif wanted == "1":
            raise RuntimeError(f"the kernel was asked for and did not compile: {problem}")
        else:
            self.app.display_warning(f"Built without the compiled kernel: {problem}")


def _compile(root: Path) -> str | None:
    """Compile the kernel; return why that failed, None when it did not. An older one goes."""
    (root / MODULE).unlink(missing_ok=True)
    if sys.platform == "win32" or sys.implementation.name != "cpython":
        return "only tried with CPython on Unix"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    include = sysconfig.get_paths()["include"]
    undefined = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    source, module = str(root / SOURCE), str(root / MODULE)
    command = [*compiler, *FLAGS, *undefined, f"-I{include}", source, "-o", module]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the machine's own compiler
    except OSError as error:
        return str(error)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given"
    return None

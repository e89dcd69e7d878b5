"""The shape of the house: sizes and names that keep it findable."""

import ast
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SAYS_NOTHING = {
    "utils.py",
    "helpers.py",
    "common.py",
    "misc.py",
    "base.py",
    "core.py",
    "services.py",
    "managers.py",
}


def tracked(pattern: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", pattern],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [PROJECT / name for name in names if name and (PROJECT / name).exists()]


def test_modules_stay_within_500_lines() -> None:
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in tracked("*.py")
        if "migrations" not in path.parts
        and "tests" not in path.parts
        and (lines := path.read_text().count("\n")) > 500
    }
    assert long == {}


def test_functions_stay_within_50_lines() -> None:
    long = [
        f"{path.relative_to(PROJECT)}:{node.lineno} {node.name}"
        for path in tracked("*.py")
        if "tests" not in path.parts and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > 50
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in tracked("*.py") if path.name in SAYS_NOTHING] == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path.relative_to(PROJECT))
        for path in tracked("*.py")
        if "migrations" not in path.parts
        and "tests" not in path.parts
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []

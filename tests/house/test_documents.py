"""The documents keep up with the code."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("client/*.md")]


def test_every_setting_is_documented() -> None:
    tree = ast.parse((PROJECT / "server/settings.py").read_text())
    read = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.match(r"env_|get$", getattr(node.func, "id", getattr(node.func, "attr", "")))
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", (PROJECT / "docs/operating.md").read_text()))
    assert len(read) > 20
    assert read - documented == set()


def test_every_documented_setting_exists() -> None:
    operating = (PROJECT / "docs/operating.md").read_text()
    table = [line for line in operating.splitlines() if line.startswith("| `")]
    named = {
        name for line in table for name in re.findall(r"`([A-Z][A-Z_]{4,})`", line.split("|")[1])
    }
    settings = (PROJECT / "server/settings.py").read_text() + (
        PROJECT / "server/embedded.py"
    ).read_text()
    assert {name for name in named if f'"{name}"' not in settings} == set()


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(PROJECT)} → {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text())
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def test_glossary_names_every_model() -> None:
    glossary = re.sub(r"[\s*_-]", "", (PROJECT / "docs/glossary.md").read_text()).lower()
    models = {
        node.name
        for path in [*PROJECT.glob("*/models.py"), *PROJECT.glob("*/models/*.py")]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(inner, ast.ClassDef) and inner.name == "Meta" for inner in node.body)
    }
    assert len(models) > 20
    assert {name for name in models if name.lower() not in glossary} == set()

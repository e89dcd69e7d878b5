"""The ``tribute inspect`` command: print what was found, as a table or as JSON.

What is printed was written by strangers, so characters that steer a terminal are shown escaped.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import json
import re
from pathlib import Path
from typing import Any

from tribute import subcommands
from tribute.fetching import fetcher
from tribute.inspection import Findings, inspect_file
from tribute.inspection_web import inspect_url
from tribute.standards.statement import Combined, Statement

_TOKEN = re.compile(r"[A-Za-z0-9_.-]+(/[^\s]*)?")
READ = 0
PARTLY_READ = 1
_SECONDS = 20.0
_MOST_PLACES = 5
_EPILOG = """\
A file's standard is told by its name: robots.txt, ai.txt, tdmrep.json and other JSON, RSL as .xml,
feeds (.xml, .rss, .atom), pages, EPUB, PDF, and media with RSL or a C2PA manifest in them (or kept beside
them as NAME.c2pa.json). What is said for many places is answered for --at; of a feed, by default, for all
that it holds together.

exit status:
  0  everything that was found could be read
  1  something could not, so that nothing counts as allowed
  2  the command was used wrongly, or the file cannot be opened
"""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``inspect`` to the commands."""
    parser = commands.add_parser(
        "inspect",
        help="show what a file, or an address and its host, say about uses",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="FILE|URL", help="a file, or an http(s) address")
    parser.add_argument("--at", default="/", metavar="URL",
                        help="what a file for a whole host is asked about (default: /)")  # fmt: skip
    parser.add_argument("--agent", metavar="TOKEN", type=_token,
                        help="your crawler's product token (default: any crawler)")  # fmt: skip
    parser.add_argument("--timeout", type=subcommands.seconds, default=_SECONDS,
                        help="seconds an address (default: 20)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no product token, as GPTBot or GPTBot/1.1 are"
        )
    return text


def run(options: argparse.Namespace) -> int:
    """Inspect and print; returns the exit status."""
    if options.target.lower().startswith(("http://", "https://")):
        fetch = fetcher(timeout=options.timeout)
        findings = inspect_url(options.target, fetch=fetch, agent=options.agent)
    else:
        findings = inspect_file(Path(options.target), at=options.at, agent=options.agent)
    if options.json:
        print(json.dumps(as_json(findings), indent=2))
    else:
        print(as_text(findings))
    return READ if findings.complete else PARTLY_READ


def as_text(findings: Findings) -> str:
    """Return the findings for people to read."""
    lines = [_shown(findings.target), ""]
    lines += [
        f"  {purpose.value:<12} {found.decision.value:<8} " + _places(found)
        for purpose, found in findings.combined.items()
    ]
    if findings.parsed.statements:
        lines += ["", "what was found:"]
        lines += [line for s in findings.parsed.statements for line in _lines(s)]
    if findings.parsed.problems:
        lines += ["", "what could not be read or used:"]
        lines += [
            f"  {_shown(p.source)}: {_shown(p.message)} ({p.code})"
            for p in findings.parsed.problems
        ]
    if not findings.complete:
        lines += ["", "Nothing counts as allowed, since what could not be read may refuse."]
    return "\n".join(line.rstrip() for line in lines)


def as_json(findings: Findings) -> dict[str, Any]:
    """Return the findings for programs to read."""
    return {
        "target": findings.target,
        "complete": findings.complete,
        "combined": {
            purpose.value: {
                "decision": found.decision.value,
                "sources": list(dict.fromkeys(s.source for s in found.deciding)),
            }
            for purpose, found in findings.combined.items()
        },
        "statements": [
            {
                "purpose": s.purpose.value,
                "decision": s.decision.value,
                "standard": s.standard.value,
                "vocabulary": s.vocabulary,
                "source": s.source,
                "scope": s.scope,
                "raw": s.raw,
                "terms_uri": s.terms_uri,
                "params": [list(pair) for pair in s.params],
            }
            for s in findings.parsed.statements
        ],
        "problems": [
            {"source": p.source, "code": p.code, "message": p.message}
            for p in findings.parsed.problems
        ],
    }


def _lines(s: Statement) -> list[str]:
    first = f"  {s.purpose.value:<12} {s.decision.value:<8} {s.standard.value} {_shown(s.source)}"
    terms = [f"{'':15}terms: {_shown(s.terms_uri)}"] if s.terms_uri else []
    return [first, f"{'':15}{_shown(s.raw)}", *terms]


def _places(found: Combined) -> str:
    """Return where the deciding words stand, the first few of many."""
    places = list(dict.fromkeys(_shown(s.source) for s in found.deciding))
    more = len(places) - _MOST_PLACES
    return ", ".join(places[:_MOST_PLACES]) + (f", and {more} more" if more > 0 else "")


def _shown(text: str) -> str:
    """Escape what a terminal would obey or a reader could not see."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)

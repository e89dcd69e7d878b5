"""The commands ``tribute manifest …``: declare what a model learned from, and read what that shows.

Reads arguments, calls ``tribute.transport``, prints.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tribute import subcommands
from tribute.manifest_uploads import (
    InvalidManifestFile,
    ManifestRefused,
    ManifestReplaced,
    ManifestUnfinished,
    Progress,
    Stage,
)
from tribute.subcommands import AddRegistry, OpenRegistry
from tribute.transport import Registry, RegistryError

CLEAN = 0
VIOLATIONS = 1
USAGE = 2
NO_ANSWER = 3
UNFINISHED = 4

_PPM_A_PERCENT = 10_000
_EPILOG = """\
environment:
  TRIBUTE_REGISTRY  address of the registry, unless --registry is given
  TRIBUTE_API_KEY   the operator's API key

exit status:
  0  the manifest is matched, and every row was allowed or unknown
  1  rows were not allowed when they were ingested (violations)
  2  the command was used wrongly, or the file cannot be read, or its rows were refused
  3  the registry was not reached, refused, or was not understood, or another manifest took the place
  4  the file was received, and is not matched within --wait

A connection that breaks, or a process that is killed, loses nothing: the same command goes on where
the registry stands. It remembers the upload in NAME.….tribute-upload beside the file, until it is
matched.
"""
_command = partial(subcommands.add, epilog=_EPILOG)


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    open_registry: OpenRegistry,
    add_registry: AddRegistry,
) -> None:
    """Add ``manifest`` and its own commands."""
    verbs = _command(
        commands, "manifest", "declare what a model learned from, and read what that shows"
    ).add_subparsers(title="commands", required=True, metavar="COMMAND")
    upload = _command(
        verbs,
        "upload",
        "send a file of JSON Lines or Parquet, of any size, and wait for its report",
    )
    upload.add_argument("model", metavar="MODEL", help="the model's id: mdl_…")
    upload.add_argument("file", metavar="FILE", type=Path,
                        help="rows with url, sha256 or iscc, and ingested_at")  # fmt: skip
    upload.add_argument("--notes", metavar="FOLDER", type=Path,
                        help="where to remember the upload (default: beside the file)")  # fmt: skip
    upload.add_argument("--wait", metavar="SECONDS", type=subcommands.seconds_or_none,
                        help="wait for the matching at most so long (default: as long as it takes)")  # fmt: skip
    report = _command(verbs, "report", "print what the manifest in force shows")
    report.add_argument("model", metavar="MODEL", help="the model's id: mdl_…")
    listed = _command(verbs, "violations", "print every row that was not allowed, as JSON Lines")
    listed.add_argument("model", metavar="MODEL", help="the model's id: mdl_…")
    for parser, run in ((upload, _upload), (report, _report), (listed, _violations)):
        add_registry(parser)
        if parser is not listed:
            parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.set_defaults(run=_guarded(run, open_registry))


def _guarded(
    run: Callable[[argparse.Namespace, Registry], int], open_registry: OpenRegistry
) -> Callable[[argparse.Namespace], int]:
    def guarded(options: argparse.Namespace) -> int:
        try:
            return run(options, open_registry(options))
        except (InvalidManifestFile, ManifestRefused) as error:
            return _complain(error, USAGE)
        except ManifestReplaced as error:
            return _complain(error, NO_ANSWER)
        except ManifestUnfinished as error:
            again = "; the same command goes on waiting"
            return _complain(f"{error}{again}", UNFINISHED)

    return guarded


def _upload(options: argparse.Namespace, registry: Registry) -> int:
    shown = _Shown()
    try:
        report = registry.upload_manifest(
            options.model, options.file, progress=shown, notes=options.notes, wait=options.wait
        )
    except RegistryError:
        if shown.stage in {Stage.SENDING, Stage.MATCHING}:
            _complain("what was received is kept; the same command goes on from there", NO_ANSWER)
        raise
    finally:
        shown.end()
    return _print_report(options, report)


def _report(options: argparse.Namespace, registry: Registry) -> int:
    return _print_report(options, registry.manifest_report(options.model))


def _violations(options: argparse.Namespace, registry: Registry) -> int:
    status = CLEAN
    for row in registry.violations(options.model):
        print(json.dumps(row, ensure_ascii=False))
        status = VIOLATIONS
    return status


def _print_report(options: argparse.Namespace, report: Mapping[str, Any]) -> int:
    counts = {name: report.get(name) for name in _COUNTED}
    if not all(isinstance(count, int) for count in counts.values()):
        raise RegistryError("malformed_answer", "The report lacks some of its counts")
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_as_lines(options.model, counts)))
    return VIOLATIONS if report["denied"] else CLEAN


_COUNTED = ("rows", "matched", "coverage_ppm", "works", "allowed", "unknown", "denied",
            "duplicated", "near_duplicated")  # fmt: skip


def _as_lines(model: str, counts: Mapping[str, Any]) -> list[str]:
    covered = f"{counts['coverage_ppm'] / _PPM_A_PERCENT:.2f} %"
    lines = [
        f"{counts['rows']:,} rows",
        f"  recognised: {counts['matched']:,} ({covered}), as {counts['works']:,} works",
        f"  allowed when ingested: {counts['allowed']:,}",
        f"  unknown: {counts['unknown']:,}",
        f"  not allowed (violations): {counts['denied']:,}",
        f"  repeated: {counts['duplicated']:,}; nearly repeated: {counts['near_duplicated']:,}",
    ]
    if counts["denied"]:
        lines.append(f"all rows that were not allowed: tribute manifest violations {model}")
    return lines


class _Shown:
    """Shows how far an upload is: on a terminal in place, elsewhere a line a stage and a tenth."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self._said = ""

    def __call__(self, progress: Progress) -> None:
        self.stage = progress.stage
        said = _described(progress)
        if said == self._said:
            return
        self._said = said
        if sys.stderr.isatty():
            print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)
        else:
            print(said, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._said and sys.stderr.isatty():
            print(file=sys.stderr)


def _described(progress: Progress) -> str:
    if progress.stage == Stage.MATCHING:
        return f"matching: {progress.done:,} rows"
    percent = 100 * progress.done // max(progress.total or 0, 1)
    if not sys.stderr.isatty():
        percent -= percent % 10
    return f"{progress.stage}: {percent} % of {progress.total:,} bytes"


def _complain(problem: object, status: int) -> int:
    print(f"tribute: {problem}", file=sys.stderr)
    return status

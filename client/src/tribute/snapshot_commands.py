"""The commands ``sync``, ``filter`` and ``lookup``: fetch the offline copy, filter by it, peek into it.

Reads arguments, calls ``tribute.snapshot``, prints. That package needs the extra ``snapshot``, so
it is imported when a command runs, and the rest of the command line works without.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tribute import subcommands
from tribute.identifiers import InvalidIdentifier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

if TYPE_CHECKING:
    from tribute.snapshot.sources import Source

DONE = 0
REFUSED = 1
USAGE = 2
NO_ANSWER = 3

_MEGABYTE = 1_000_000
_PERCENT_A_MARK = 4
_HELP_SYNC = "fetch or update the offline copy of a registry's decisions, and verify it"
_HELP_LOOKUP = "ask about one item without telling the registry which"
_HELP_FILTER = "keep the rows of a Parquet file that a synchronised snapshot allows"

_EPILOG_SYNC = """\
A copy that was fetched in part is gone on with. Nothing is taken that is not signed by the key, whole,
current, and newer than what is there already.

exit status:
  0  the copy is current
  1  what was offered, or what is there, is not to be trusted (the message names why)
  2  the command was used wrongly, or the folder cannot be written
  3  the registry was not reached, or lacks a file
  130  you stopped it; said again, it goes on
"""
_EPILOG_FILTER = """\
exit status:
  0  the file is written; how many rows were kept is printed
  1  the snapshot is not to be trusted, or has expired: nothing is written
  2  the command was used wrongly, or a file cannot be read or written
"""
_EPILOG_LOOKUP = """\
exit status:
  0  every purpose asked about is allowed
  1  one or more are not, unknown included; or the snapshot is not to be trusted
  2  the command was used wrongly
  3  the registry was not reached, or lacks a file
"""
_LOOKED_UP = (IdentifierKind.URL, IdentifierKind.SHA256, IdentifierKind.ISCC)

ReadKey = Callable[[str], bytes]


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", read_key: ReadKey
) -> None:
    """Add the commands. read_key: turns ``--key`` into 32 bytes."""
    fetch = subcommands.add(commands, "sync", _HELP_SYNC, epilog=_EPILOG_SYNC)
    fetch.add_argument("registry", metavar="URL", help="the registry, or a folder that mirrors it")
    fetch.add_argument(
        "folder", metavar="DIR", type=subcommands.folder, help="where the copy is kept"
    )
    pick = subcommands.add(commands, "filter", _HELP_FILTER, epilog=_EPILOG_FILTER)
    pick.add_argument("source", metavar="IN", type=Path, help="a Parquet file")
    pick.add_argument("target", metavar="OUT", type=Path, help="the Parquet file to write")
    pick.add_argument("--snapshot", metavar="DIR", type=subcommands.folder, required=True,
                      help="what sync has filled")  # fmt: skip
    pick.add_argument("--purpose", action="append", required=True,
                      type=subcommands.purpose, metavar="PURPOSE",
                      help=f"one or more of {', '.join(Purpose)}; all must be allowed")  # fmt: skip
    pick.add_argument("--unknown", choices=("deny", "keep", "flag"), default="deny",
                      help="rows about which nobody has spoken: leave them out (default), keep"
                      " them, or keep them marked")  # fmt: skip
    pick.add_argument("--url", metavar="COLUMN", default="url", help="the column of addresses")
    pick.add_argument("--sha256", metavar="COLUMN", help="the column of hashes of bytes, if any")
    peek = subcommands.add(commands, "lookup", _HELP_LOOKUP, epilog=_EPILOG_LOOKUP)
    peek.add_argument("registry", metavar="URL", help="the registry, or a folder that mirrors it")
    for kind in _LOOKED_UP:
        peek.add_argument(f"--{kind.value}", help="what the item is known by; several may be given")
    peek.add_argument("--purpose", action="append", type=subcommands.purpose,
                      metavar="PURPOSE", help="only these (default: all)")  # fmt: skip
    for parser, run in ((fetch, _sync), (pick, _filter), (peek, _lookup)):
        parser.add_argument("--key", required=True, help="the registry's public key, hex or base64")
        parser.set_defaults(run=_guarded(run, read_key))


def _guarded(
    run: Callable[[argparse.Namespace, bytes], int], read_key: ReadKey
) -> Callable[[argparse.Namespace], int]:
    def guarded(options: argparse.Namespace) -> int:
        key = read_key(options.key)
        try:
            from pyarrow import ArrowException

            from tribute.snapshot.errors import SnapshotError, SourceUnavailable
        except ImportError as error:
            return _complain(f"install tribute[snapshot] to work offline: {error}", USAGE)
        try:
            return run(options, key)
        except SourceUnavailable as error:
            return _complain(error, NO_ANSWER)
        except SnapshotError as error:
            return _complain(f"{type(error).__name__}: {error}", REFUSED)
        except BrokenPipeError:
            raise  # about what is printed, not about what was asked
        except (ValueError, OSError, ArrowException) as error:
            return _complain(error, USAGE)

    return guarded


def _sync(options: argparse.Namespace, key: bytes) -> int:
    from tribute.snapshot import sync

    done = sync(
        _source(options.registry),
        options.folder,
        public_key=key,
        at=datetime.now(UTC),
        report=_Progress(_in_megabytes).report,
    )
    what = f"{_in_megabytes(done.bytes)} fetched" if done.bytes else "nothing new"
    print(
        f"snapshot {done.seq} ({done.sha256[:16]}): {done.keys} keys, {what},"
        f" valid until {done.expires.isoformat()}"
    )
    return DONE


def _lookup(options: argparse.Namespace, key: bytes) -> int:
    from tribute.snapshot import look_up

    given = {kind: getattr(options, kind.value) for kind in _LOOKED_UP}
    item = {kind: value for kind, value in given.items() if value is not None}
    purposes = options.purpose or list(Purpose)
    try:
        found = look_up(_source(options.registry), item, purposes, public_key=key)
    except InvalidIdentifier as error:
        return _complain(error, USAGE)
    answers = {purpose: found.decisions.decision(0, purpose) for purpose in purposes}
    for purpose, decision in answers.items():
        print(f"{purpose}: {decision} ({found.decisions.rule(0, purpose)})")
    print(
        f"by snapshot {found.seq} ({found.sha256[:16]}); {_in_megabytes(found.bytes)} fetched,"
        f" asked for {', '.join(found.revealed) or 'no file of keys'}"
    )
    return DONE if set(answers.values()) == {Decision.ALLOW} else REFUSED


def _source(address: str) -> "Source":
    from tribute.snapshot import FolderSource, HttpSource

    return HttpSource(address) if "://" in address else FolderSource(Path(address))


def _filter(options: argparse.Namespace, key: bytes) -> int:
    from tribute.snapshot import Snapshot
    from tribute.snapshot.parquet import Rules, filter_file

    at = datetime.now(UTC)
    snapshot = Snapshot.open(options.snapshot, public_key=key, at=at)
    rules = Rules(tuple(options.purpose), options.unknown, options.url, options.sha256)
    progress = _Progress("{:,} rows".format)
    counts = filter_file(
        options.source, options.target, snapshot, rules, at=at, report=progress.report
    )
    print(
        f"{counts.kept} of {counts.rows} rows kept; {counts.forbidden} not allowed,"
        f" {counts.unknown} unknown; by snapshot {snapshot.manifest.seq}"
        f" ({snapshot.manifest.sha256[:16]})"
    )
    return DONE


class _Progress:
    """Shows how far something is, on a terminal only. amount: says how much there is in all."""

    def __init__(self, amount: Callable[[int], str]) -> None:
        self._amount = amount
        self._shown = -1

    def report(self, done: int, wanted: int) -> None:
        percent = 100 * done // max(wanted, 1)
        if percent != self._shown and sys.stderr.isatty():
            bar = "#" * (percent // _PERCENT_A_MARK)
            end = "\n" if done == wanted else ""
            line = f"\r[{bar:<{100 // _PERCENT_A_MARK}}] {percent:3d} % of {self._amount(wanted)}"
            print(line, end=end, file=sys.stderr, flush=True)
            self._shown = percent


def _in_megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:.1f} MB"


def _complain(problem: object, status: int) -> int:
    print(f"tribute: {problem}", file=sys.stderr)
    return status

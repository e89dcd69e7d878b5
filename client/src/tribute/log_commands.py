"""The commands ``tribute log …``: read a transparency log's checkpoint, verify a proof, audit it all.

Reads arguments and files, calls ``tribute.log``, prints.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tribute import subcommands, whole_files
from tribute.log import auditing, proofs
from tribute.log.errors import LogError, LogUnavailable
from tribute.log.notes import VerifierKey
from tribute.log.proofs import LARGEST_PROOF, Proven
from tribute.log.sources import FolderLog, HttpLog, LogSource
from tribute.merkle import leaf_hash

HOLDS = 0
REFUSED = 1
USAGE = 2
NO_ANSWER = 3

_EPILOG = """\
LOG is the log's address, such as https://registry.example/log, or a folder that mirrors it.
The verifier key (name+id+key) comes from elsewhere than the log itself: from its operator's own
pages, from a package, from somebody you trust.

environment:
  TRIBUTE_LOG_KEY  the log's verifier key, unless --key is given

exit status:
  0  what was asked about holds
  1  it does not: a signature, a proof, a tile, or the log's own past is not as it must be
  2  the command was used wrongly, or a file cannot be read
  3  the log was not reached, or lacks a file
"""
_command = partial(subcommands.add, epilog=_EPILOG)


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``log`` and its own commands."""
    verbs = _command(
        commands, "log", "read and verify a registry's transparency log"
    ).add_subparsers(title="commands", required=True, metavar="COMMAND")
    newest = _command(verbs, "checkpoint", "print a log's newest checkpoint, verified")
    newest.add_argument("log", metavar="LOG")
    newest.set_defaults(run=_guarded(_checkpoint))
    prove = _command(verbs, "verify", "verify a .tlog-proof, offline")
    prove.add_argument("file", metavar="FILE", type=Path)
    prove.add_argument("--leaf", metavar="FILE", type=Path,
                       help="the leaf it must be about (default: the one it carries)")  # fmt: skip
    prove.set_defaults(run=_guarded(_verify))
    replay = _command(verbs, "audit", "read the whole log and prove it, against the last time too")
    replay.add_argument("log", metavar="LOG")
    replay.add_argument("--state", metavar="FILE", type=Path,
                        help="the checkpoint remembered from the last audit; replaced when all"
                        " holds")  # fmt: skip
    replay.add_argument("--new", action="store_true",
                        help="read only what was added since then")  # fmt: skip
    replay.set_defaults(run=_guarded(_audit))
    trace = _command(
        verbs, "follow", "print all statements about one subject, each naming the last"
    )
    trace.add_argument("log", metavar="LOG")
    trace.add_argument("subject", metavar="ID", help="a work, collection or creator: wrk_…")
    trace.set_defaults(run=_guarded(_follow))
    for parser in (newest, prove, replay, trace):
        parser.add_argument("--key", metavar="VKEY", help="the log's verifier key, name+id+key")


def verifier_key(text: str | None) -> VerifierKey:
    """Read ``--key``, or what the environment says. Raises InvalidNote, ValueError without one."""
    given = text or os.environ.get("TRIBUTE_LOG_KEY")
    if not given:
        raise ValueError("set TRIBUTE_LOG_KEY, or give the log's verifier key")
    return VerifierKey.parse(given)


def described(proven: Proven) -> str:
    """Say what a proof shows."""
    checkpoint = proven.checkpoint
    return f"entry {proven.index} of {checkpoint.size} in {checkpoint.origin}"


def _guarded(
    run: Callable[[argparse.Namespace, VerifierKey], int],
) -> Callable[[argparse.Namespace], int]:
    def guarded(options: argparse.Namespace) -> int:
        try:
            key = verifier_key(options.key)
        except (LogError, ValueError) as error:
            return _complain(error, USAGE)
        try:
            return run(options, key)
        except LogUnavailable as error:
            return _complain(error, NO_ANSWER)
        except LogError as error:
            return _complain(f"{type(error).__name__}: {error}", REFUSED)
        except ImportError as error:
            return _complain(f"install tribute[verify] to verify signatures: {error}", USAGE)
        except BrokenPipeError:
            raise  # about what is printed, not about what was asked
        except (OSError, ValueError) as error:
            return _complain(error, USAGE)

    return guarded


def _checkpoint(options: argparse.Namespace, key: VerifierKey) -> int:
    checkpoint, _ = auditing.newest(_source(options.log), key)
    print(f"{checkpoint.origin}: {checkpoint.size} entries, root {checkpoint.root.hex()}")
    return HOLDS


def _verify(options: argparse.Namespace, key: VerifierKey) -> int:
    proof = proofs.parse(_read(options.file))
    wanted = None
    if options.leaf is not None:
        wanted = leaf_hash(_read(options.leaf))
    proven = proofs.verify(proof, key, hash_of_leaf=wanted)
    print(f"{options.file}: {described(proven)}, root {proven.checkpoint.root.hex()}")
    if proven.leaf is not None:
        print(proven.leaf.decode(errors="backslashreplace"))
    return HOLDS


def _audit(options: argparse.Namespace, key: VerifierKey) -> int:
    state: Path | None = options.state
    if options.new and state is None:
        raise ValueError("--new needs --state, which says what was read before")
    remembered = _read(state) if state is not None and state.exists() else None
    found = auditing.audit(
        _source(options.log),
        key,
        remembered=remembered,
        only_new=options.new,
        report=_Progress().report,
    )
    if state is not None:
        whole_files.write(state, found.note)
    checkpoint = found.checkpoint
    since = "nothing remembered from before" if remembered is None else "it grew from what it was"
    print(
        f"{checkpoint.origin}: {checkpoint.size} entries, {found.read} read; the root"
        f" {checkpoint.root.hex()} is theirs; {found.chained} statements in unbroken chains; {since}"
    )
    return HOLDS


def _follow(options: argparse.Namespace, key: VerifierKey) -> int:
    found = list(
        auditing.follow(_source(options.log), key, options.subject, report=_Progress().report)
    )
    for entry in found:
        print(f"{entry.index}\t{json.dumps(entry.content, sort_keys=True)}")
    if not found:
        return _complain(f"the log holds no statement about {options.subject}", REFUSED)
    return HOLDS


def _source(place: str) -> LogSource:
    if "://" in place:
        return HttpLog(place)
    folder = Path(place)
    if not folder.is_dir():
        raise ValueError(f"{place} is neither an address nor a folder")
    return FolderLog(folder)


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(LARGEST_PROOF + 1)
    if len(data) > LARGEST_PROOF:
        raise ValueError(f"{path} is too large to be what it should be")
    return data


class _Progress:
    """Shows how far reading is, on a terminal only."""

    def __init__(self) -> None:
        self._shown = -1

    def report(self, done: int, wanted: int) -> None:
        percent = 100 * done // max(wanted, 1)
        if percent != self._shown and sys.stderr.isatty():
            end = "\n" if done == wanted else ""
            print(f"\r{percent:3d} % of {wanted} entries", end=end, file=sys.stderr)
            self._shown = percent


def _complain(problem: object, status: int) -> int:
    print(f"tribute: {problem}", file=sys.stderr)
    return status

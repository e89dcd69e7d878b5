"""The commands ``tribute revocations …``: see what may be used no longer, and take note of it.

Reads arguments, calls ``tribute.transport``, prints.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from tribute import subcommands
from tribute.ids import InvalidId, decode
from tribute.subcommands import AddRegistry, OpenRegistry
from tribute.transport import Registry, RegistryError

DONE = 0
OPEN = 1
USAGE = 2
NO_ANSWER = 3

_EPILOG = """\
environment:
  TRIBUTE_REGISTRY  address of the registry, unless --registry is given
  TRIBUTE_API_KEY   the operator's API key

exit status:
  0  list: every revocation was taken note of; acknowledge: all that were named now are
  1  list: some were not taken note of yet
  2  the command was used wrongly
  3  the registry was not reached, refused, or was not understood; of several to acknowledge, for one
     or more of them
"""
_command = partial(subcommands.add, epilog=_EPILOG)


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    open_registry: OpenRegistry,
    add_registry: AddRegistry,
) -> None:
    """Add ``revocations`` and its own commands."""
    verbs = _command(
        commands, "revocations", "see which used works are allowed no more, and take note of it"
    ).add_subparsers(title="commands", required=True, metavar="COMMAND")
    listed = _command(verbs, "list", "list works that were used and are allowed no more")
    listed.add_argument("--open", action="store_true", help="only those not taken note of yet")
    noted = _command(verbs, "acknowledge", "take note of revocations; again changes nothing")
    noted.add_argument("notices", nargs="*", type=_notice, metavar="ID", help="rvk_…")
    noted.add_argument("--all", action="store_true", help="all that are not taken note of yet")
    for parser, run in ((listed, _list), (noted, _acknowledge)):
        add_registry(parser)
        parser.add_argument("--json", action="store_true", help="print the notices as a JSON list")
        parser.set_defaults(run=_opened(run, open_registry))


def _opened(
    run: Callable[[argparse.Namespace, Registry], int], open_registry: OpenRegistry
) -> Callable[[argparse.Namespace], int]:
    return lambda options: run(options, open_registry(options))


def _notice(text: str) -> str:
    try:
        decode("rvk", text)
    except InvalidId as error:
        raise argparse.ArgumentTypeError(f"{text} is no revocation's id: {error}") from error
    return text


def _list(options: argparse.Namespace, registry: Registry) -> int:
    found, waiting = [], 0
    for notice in registry.revocations():
        is_open = _is_open(notice)
        waiting += is_open
        if options.open and not is_open:
            continue
        if options.json:
            found.append(notice)
        else:
            print(_as_line(notice))
    if options.json:
        print(json.dumps(found, indent=2))
    return OPEN if waiting else DONE


def _acknowledge(options: argparse.Namespace, registry: Registry) -> int:
    if bool(options.notices) == options.all:
        return _complain("name revocations (rvk_…), or give --all and none", USAGE)
    noted, failed = [], 0
    for notice in _named(options, registry):
        try:
            noted.append(registry.acknowledge_revocation(notice))
        except RegistryError as error:
            failed = _complain(f"{notice}: {error} ({error.code})", NO_ANSWER)
            continue
        if not options.json:
            print(_as_line(noted[-1]))
    if options.json:
        print(json.dumps(noted, indent=2))
    return failed or DONE


def _named(options: argparse.Namespace, registry: Registry) -> list[str]:
    if not options.all:
        return list(dict.fromkeys(options.notices))
    return [str(notice["id"]) for notice in registry.revocations() if _is_open(notice)]


def _is_open(notice: dict[str, Any]) -> bool:
    if not {"id", "acknowledged_at"} <= notice.keys():
        raise RegistryError(
            "malformed_answer", "A revocation lacks its id, or whether it was noted"
        )
    return notice["acknowledged_at"] is None


def _as_line(notice: dict[str, Any]) -> str:
    noted = notice.get("acknowledged_at")
    when = f"noted {noted}" if noted else f"take note by {notice.get('acknowledge_by')}"
    overdue = " (overdue)" if notice.get("overdue_at") and not noted else ""
    because = f" by {notice['statement']}" if notice.get("statement") else ""
    return (
        f"{notice.get('id')}\t{notice.get('work')}\t{notice.get('purpose')}:"
        f" {notice.get('decision')}{because}, in {notice.get('manifest')}; {when}{overdue}"
    )


def _complain(problem: object, status: int) -> int:
    print(f"tribute: {problem}", file=sys.stderr)
    return status

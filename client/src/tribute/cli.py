"""The ``tribute`` command: ask a registry, verify a receipt, reduce a text, convert scores, and more.

Reads arguments, files and two environment variables, calls the other modules, and prints. The API
key is never an argument, since other users of a machine can read those.
"""

# ruff: noqa: T201 - printing is what this module is for

import argparse
import base64
import binascii
import json
import mimetypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from tribute import (
    features,
    inspection_report,
    log_commands,
    manifest_commands,
    revocation_commands,
    snapshot_commands,
    subcommands,
    whole_files,
)
from tribute.fingerprints import InvalidWork, fingerprint, sha256_of
from tribute.identifiers import InvalidIdentifier, key_of
from tribute.ids import InvalidId, prefix_of
from tribute.log.errors import LogError
from tribute.log.notes import VerifierKey
from tribute.receipts import InvalidReceipt, VerifiedReceipt, verify_receipt
from tribute.transport import MAX_ITEMS, Answer, CheckResult, Registry, RegistryError
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

ALLOWED = 0
NOT_ALLOWED = 1
USAGE = 2
NO_ANSWER = 3
STOPPED = 128 + signal.SIGINT
UNHEARD = 128 + signal.SIGPIPE

_PUBLIC_KEY_BYTES = 32
_EPILOG = """\
environment:
  TRIBUTE_REGISTRY  address of the registry, unless --registry is given
  TRIBUTE_LOG_KEY   the verifier key of its log, unless --log-key is given
  TRIBUTE_API_KEY   the operator's API key

exit status:
  0  everything is allowed (or the receipt holds)
  1  something is not allowed, unknown included unless --unknown says otherwise (or the receipt does not hold)
  2  the command was used wrongly, or a file cannot be read
  3  the registry was not reached, refused, or was not understood
  141  whoever reads the output went away before its end
  130  you stopped it; said again, a command that was under way goes on or begins anew
"""


class UsageError(Exception):
    """A command needs arguments and files it can work with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; ``arguments`` without the program's name, by default the process's own.

    Returns the exit status. Raises SystemExit, as argparse does, for ``--help`` and bad usage.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names of files need not be text, nor terminals know all letters.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return _ran(options)
    finally:
        _drop_what_cannot_be_said()


def _ran(options: argparse.Namespace) -> int:
    try:
        status: int = options.run(options)
        if sys.stdout is not None:  # as it is where it was closed before we began
            sys.stdout.flush()
    except BrokenPipeError:
        return UNHEARD  # whoever reads has heard enough
    except (UsageError, InvalidIdentifier, InvalidWork, features.InvalidFeatures, OSError) as error:
        return _complain(error, USAGE)
    except RegistryError as error:
        return _complain(f"{error} ({error.code})", NO_ANSWER)
    except KeyboardInterrupt:
        return _complain("stopped", STOPPED)
    return status


def _drop_what_cannot_be_said() -> None:
    """Say what is left; where nobody listens, drop it, or the interpreter would complain at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _check(options: argparse.Namespace) -> int:
    items = [*_items_by_value(options), *map(_item_of_file, options.file)]
    if not items:
        raise UsageError("nothing to check: give --url, --file, --sha256 or --iscc")
    if len(items) > MAX_ITEMS:
        raise UsageError(f"{len(items)} items are more than the {MAX_ITEMS} of one check")
    result = _registry(options).check(items, options.purpose)
    if options.json:
        print(json.dumps(_as_json(result, options.unknown), indent=2))
    else:
        for item, answer in zip(result.items, result.answers, strict=True):
            print(_as_text(item, answer))
            if options.unknown == "flag" and _is_unknown(answer):
                print("  flagged: not everything asked about is known to be allowed")
        print(f"receipt: {result.check}")
    return ALLOWED if all(_passes(a, options.unknown) for a in result.answers) else NOT_ALLOWED


def _passes(answer: Answer, unknown: str) -> bool:
    """Tell whether an item may be used, if need be by the caller's word on what is unknown."""
    return answer.allowed or (unknown != "deny" and _is_unknown(answer))


def _is_unknown(answer: Answer) -> bool:
    """Tell whether nothing is forbidden or asks for a licence, yet not all is allowed."""
    said = {each.decision for each in answer.decisions.values()}
    return Decision.UNKNOWN in said <= {Decision.ALLOW, Decision.UNKNOWN}


def _receipt(options: argparse.Namespace) -> int:
    wanted = _check_id(options.file)
    if options.output and not wanted:
        raise UsageError("--output goes with a check's id, not with a file that is here already")
    receipt = _registry(options).receipt(wanted) if wanted else _read_json(Path(options.file))
    items = None if options.items is None else _read_json(options.items)
    if items is not None and not (
        isinstance(items, list) and all(isinstance(item, dict) for item in items)
    ):
        raise UsageError(f"{options.items} is not a list of items")
    try:
        verified = verify_receipt(
            receipt, public_key=_public_key(options.key), items=items, log_key=_log_key(options)
        )
    except InvalidReceipt as error:
        return _complain(f"the receipt does not hold: {error}", NOT_ALLOWED)
    except ImportError as error:
        raise UsageError(f"install tribute[verify] to verify signatures: {error}") from error
    if wanted not in {None, verified.check}:
        return _complain(f"the registry gave the receipt of {verified.check}", NOT_ALLOWED)
    if options.output:
        text = json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
        whole_files.write(options.output, text.encode())
    print(
        f"{verified.check}: {verified.items} items asked by {verified.operator}"
        f" at {verified.at.isoformat()} for {', '.join(verified.purposes)},"
        f" answered as of log size {verified.log_size}"
    )
    print(f"  {_logged(receipt, verified)}")
    return ALLOWED


def _check_id(text: str) -> str | None:
    """Return what names a check; a file of such a name is a file all the same."""
    try:
        return text if prefix_of(text) == "chk" and not Path(text).exists() else None
    except InvalidId:
        return None


def _log_key(options: argparse.Namespace) -> VerifierKey | None:
    given = options.log_key or os.environ.get("TRIBUTE_LOG_KEY")
    try:
        return VerifierKey.parse(given) if given else None
    except LogError as error:
        raise UsageError(str(error)) from error


def _logged(receipt: Any, verified: VerifiedReceipt) -> str:
    """Say where the log holds the check, or why that is not said."""
    if verified.logged is not None:
        return f"logged: {log_commands.described(verified.logged)}"
    if (receipt.get("log") or {}).get("proof") is None:
        return "it carries no proof by the log yet: get the receipt again later"
    return "it carries a proof by the log, which was not verified: give --log-key"


def _features(options: argparse.Namespace) -> int:
    if options.embed:
        print(json.dumps(_with_vector(options)))
        return ALLOWED
    print(json.dumps(features.reduce(_text_of(options.file)).to_json()))
    return ALLOWED


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8") from error


def _with_vector(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `POST /v1/queries` takes of an output: its vector, and of a text its features."""
    try:
        # NumPy and Pillow, which only this needs, and which take a moment to load.
        from tribute import embedders
    except ImportError as error:
        raise UsageError(f"install tribute[embed] to make vectors: {error}") from error
    known = {each.name: each for each in embedders.installed()}
    if options.embed not in known:
        raise UsageError(f"{options.embed} is not installed here; {', '.join(known)} are")
    about = known[options.embed]
    embedder = embedders.load(about.name, about.revision)
    assert embedder is not None, "it is installed"
    is_text = about.modality == Medium.TEXT
    content = _text_of(options.file).encode() if is_text else options.file.read_bytes()
    try:
        vector = embedders.of_output(embedder, content)
    except ValueError as error:
        raise UsageError(f"{options.file}: {error}") from error
    said: dict[str, Any] = {"embedding": {"space": options.space, "vector": vector.tolist()}}
    if is_text:
        said["features"] = features.reduce(content.decode()).to_json()
    return said


def _key(options: argparse.Namespace) -> int:
    key = key_of(IdentifierKind(options.kind), options.value)
    print(f"{key.kind}\t{key.canonical}\t{key.digest.hex()}")
    return ALLOWED


def _convert_scores(options: argparse.Namespace) -> int:
    try:
        # NumPy, which only this command needs, and which takes a moment to load.
        from tribute import foreign_scores, scores
    except ImportError as error:
        raise UsageError(f"install tribute[scores] to convert scores: {error}") from error
    try:
        matrix = foreign_scores.read(
            options.tool,
            options.path,
            experiment=options.experiment,
            queries_first=None if options.layout is None else options.layout == "queries-first",
            train_ids=_lines_of(options.train_ids) if options.train_ids else None,
            orientation=options.orientation and scores.Orientation(options.orientation),
        )
        converted = scores.convert(
            replace(matrix, tool=options.made_by or matrix.tool),
            _lines_of(options.queries),
            manifest=options.manifest,
            manifest_rows=_numbers_of(options.rows) if options.rows else None,
            top=options.top,
        )
        origin = replace(converted.origin, measured_lds=options.lds)
        scores.write(replace(converted, origin=origin), options.out)
    except scores.InvalidScores as error:
        raise UsageError(str(error)) from error
    outside = max((each.outside_mass for each in converted.queries), default=0.0)
    print(
        f"{options.out}: {len(converted.queries)} queries;"
        f" at most {outside:.1%} of a query's positive scores left out"
    )
    return ALLOWED


def _items_by_value(options: argparse.Namespace) -> list[dict[str, str]]:
    items = []
    for kind in (IdentifierKind.URL, IdentifierKind.SHA256, IdentifierKind.ISCC):
        for value in getattr(options, kind):
            # What has no canonical form would come back as unknown; say at once what is wrong.
            key_of(kind, value)
            items.append({"id": value, kind.value: value})
    return items


def _item_of_file(path: Path) -> dict[str, str]:
    """Recognise a file by its bytes, and by its content where that can be read."""
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    with path.open("rb") as stream:
        try:
            recognised = fingerprint(stream, _medium_of(path))
        except (InvalidWork, ImportError) as error:
            print(f"tribute: {path}: by its bytes only: {error}", file=sys.stderr)
            stream.seek(0)
            return {"id": name, "sha256": sha256_of(stream)}
    item = {"id": name, "sha256": recognised.sha256}
    return item if recognised.iscc is None else item | {"iscc": recognised.iscc}


def _medium_of(path: Path) -> Medium:
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    return Medium(kind) if kind in set(Medium) else Medium.OTHER


def _registry(options: argparse.Namespace) -> Registry:
    address = options.registry or os.environ.get("TRIBUTE_REGISTRY", "")
    api_key = os.environ.get("TRIBUTE_API_KEY", "")
    if not address or not api_key:
        raise UsageError("set TRIBUTE_API_KEY, and TRIBUTE_REGISTRY or --registry")
    try:
        return Registry(address, api_key, options.timeout)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _as_text(item: Mapping[str, str], answer: Answer) -> str:
    lines = [
        f"  {purpose}: {said.decision} ({said.rule}) {said.explanation}"
        for purpose, said in answer.decisions.items()
    ]
    return "\n".join([item["id"], *lines])


def _as_json(result: CheckResult, unknown: str) -> dict[str, Any]:
    return {
        "check": result.check,
        "answers": [
            {
                "item": item,
                "allowed": answer.allowed,
                "passed": _passes(answer, unknown),
                "decisions": {
                    purpose: {
                        "decision": said.decision,
                        "rule": said.rule,
                        "statements": said.statements,
                        "matched_by": said.matched_by,
                        "explanation": said.explanation,
                    }
                    for purpose, said in answer.decisions.items()
                },
            }
            for item, answer in zip(result.items, result.answers, strict=True)
        ],
    }


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from error


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8") from error


def _numbers_of(path: Path) -> list[int]:
    try:
        return [int(line) for line in _lines_of(path)]
    except ValueError as error:
        raise UsageError(f"{path} has a line that is no whole number: {error}") from error


def _public_key(text: str) -> bytes:
    """Read 32 bytes written in hexadecimal or base64."""
    for decoded in (bytes.fromhex, lambda text: base64.b64decode(text, validate=True)):
        try:
            key: bytes = decoded(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == _PUBLIC_KEY_BYTES:
            return key
    raise UsageError("a public key is 32 bytes in hexadecimal or base64")


def _complain(problem: object, status: int) -> int:
    print(f"tribute: {problem}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tribute",
        description="Ask a consent registry before using works to train or feed a model.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_receipt(commands)
    reduce = commands.add_parser("features", help="reduce a text to what may travel, as JSON")
    reduce.add_argument("file", type=Path, metavar="FILE", help="a text in UTF-8, or a picture")
    reduce.add_argument("--embed", metavar="MODEL", help="add its vector by this embedding model")
    reduce.add_argument("--space", default="", metavar="ID",
                        help="the registry's id of the model's embedding space")  # fmt: skip
    reduce.set_defaults(run=_features)
    _add_scores(commands)
    snapshot_commands.add_parsers(commands, _public_key)
    log_commands.add_parsers(commands)
    manifest_commands.add_parsers(commands, _registry, _add_registry)
    revocation_commands.add_parsers(commands, _registry, _add_registry)
    key = commands.add_parser("key", help="print an identifier's kind, canonical form and key")
    key.add_argument("kind", choices=[kind.value for kind in IdentifierKind], metavar="KIND",
                     help=f"one of {', '.join(IdentifierKind)}")  # fmt: skip
    key.add_argument("value", metavar="VALUE", help="the identifier as people write it")
    key.set_defaults(run=_key)
    inspection_report.add_command(commands)
    return parser


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check",
        help="ask a registry what works may be used for",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    repeated: dict[str, Any] = {"action": "append", "default": []}
    check.add_argument("--url", **repeated, help="an address; may be repeated, as all of these")
    check.add_argument("--file", **repeated, type=Path, help="a file; its bytes stay here")
    check.add_argument("--sha256", **repeated, help="64 hexadecimal digits")
    check.add_argument("--iscc", **repeated, help="an ISCC (ISO 24138)")
    check.add_argument("--purpose", action="append", required=True,
                       type=subcommands.purpose, metavar="PURPOSE",
                       help=f"one or more of {', '.join(Purpose)}")  # fmt: skip
    check.add_argument("--unknown", choices=("deny", "keep", "flag"), default="deny",
                       help="items about which nobody has spoken: exit with 1 (default), pass them,"
                       " or pass them marked")  # fmt: skip
    _add_registry(check)
    check.add_argument("--json", action="store_true", help="print the answers as JSON")
    check.set_defaults(run=_check)


def _add_registry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--registry", "--server", metavar="URL", help="address of the registry")
    parser.add_argument("--timeout", type=subcommands.seconds, default=30.0,
                        help="seconds to wait for each piece of an answer (default: 30)")  # fmt: skip


def _add_receipt(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    receipt = commands.add_parser(
        "receipt",
        help="verify a check's signed receipt, offline, or get it first",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    receipt.add_argument("file", metavar="FILE|ID",
                         help="the receipt, as JSON; or chk_…, to get it from the registry")  # fmt: skip
    receipt.add_argument("--key", required=True, help="the registry's public key, hex or base64")
    receipt.add_argument("--log-key", metavar="VKEY",
                         help="the log's verifier key, for the proof that the receipt carries"
                         " (default: TRIBUTE_LOG_KEY)")  # fmt: skip
    receipt.add_argument("--items", type=Path, help="what was asked: a JSON list of items as sent")
    receipt.add_argument("--output", type=Path, metavar="FILE",
                         help="where to keep a receipt that was got, once it holds")  # fmt: skip
    _add_registry(receipt)
    receipt.set_defaults(run=_receipt)


def _add_scores(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verbs = commands.add_parser(
        "scores", help="bring attribution scores of other tools into the form operators report"
    ).add_subparsers(title="commands", required=True, metavar="COMMAND")
    convert = verbs.add_parser("convert", help="convert scores; nothing is ever unpickled")
    convert.add_argument("path", type=Path, metavar="PATH", help="the tool's folder or file")
    convert.add_argument("--from", dest="tool", required=True,
                         choices=["trak", "bergson", "kronfluence", "dattri", "npy"])  # fmt: skip
    convert.add_argument("--manifest", required=True, help="the manifest's id or digest")
    convert.add_argument("--queries", required=True, type=Path, metavar="FILE",
                         help="the id of each query, one a line, in the scores' order")  # fmt: skip
    convert.add_argument("--rows", type=Path, metavar="FILE",
                         help="the manifest row, from 1, of each training row, one a line"
                         " (default: the same order)")  # fmt: skip
    convert.add_argument("--out", required=True, type=Path, metavar="FILE",
                         help="what to write, ending in .npz or .jsonl")  # fmt: skip
    convert.add_argument("--top", type=int, default=1_000,
                         help="rows to keep for each query (default: 1000)")  # fmt: skip
    convert.add_argument("--experiment", help="which experiment, where TRAK has several")
    convert.add_argument("--layout", choices=["rows-first", "queries-first"],
                         help="the array's first side, for npy and dattri's tensors")  # fmt: skip
    convert.add_argument("--train-ids", type=Path, metavar="FILE",
                         help="for dattri-llm: the content hash of each training row, one a line")  # fmt: skip
    convert.add_argument("--orientation", choices=["higher", "lower"],
                         help="which scores speak for an output (default: as the tool says)")  # fmt: skip
    convert.add_argument("--made-by", metavar="TOOL", help="tool and version, for the record")
    convert.add_argument("--lds", type=float, help="the linear datamodelling score you measured")
    convert.set_defaults(run=_convert_scores)

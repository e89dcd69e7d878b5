import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from tribute import cli
from tribute.embedders import layout
from tribute.features import reduce
from tribute.fingerprints import text_code
from tribute.ids import encode, new_uuid7
from tribute.receipts import key_id, request_digest, signing_input
from tribute.transport import Answer, Answered, CheckResult, RegistryError
from tribute.vocabulary import Decision, Purpose

REGISTRY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = REGISTRY.public_key().public_bytes_raw()
ITEMS = [{"id": "0", "url": "https://example.com/"}]


class Told:
    """A registry that gives the decision it was told, and writes down what it was asked."""

    decision: Decision | RegistryError = Decision.ALLOW
    asked: Sequence[Mapping[str, str]] = ()

    def __init__(self, address: str, api_key: str, timeout: float) -> None:
        if address == "http://far.example":
            raise ValueError("in the clear")
        assert (address, api_key, timeout) == ("https://registry.example", "trb_key", 30.0)

    def check(self, items: Sequence[Mapping[str, str]], purposes: Sequence[Purpose]) -> CheckResult:
        if isinstance(Told.decision, RegistryError):
            raise Told.decision
        Told.asked = items
        said = Answered(Told.decision, f"work.{Told.decision}", ("stm_1",), "url", "Because.")
        answers = tuple(Answer(item["id"], dict.fromkeys(purposes, said)) for item in items)
        return CheckResult("chk_1", tuple(items), answers)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Registry", Told)
    monkeypatch.setattr(Told, "decision", Decision.ALLOW)
    monkeypatch.setenv("TRIBUTE_REGISTRY", "https://registry.example")
    monkeypatch.setenv("TRIBUTE_API_KEY", "trb_key")


def check(*arguments: str) -> int:
    return cli.main(["check", "--purpose", "train-ai", *arguments])


@pytest.mark.parametrize(
    ("decision", "status"), [("allow", 0), ("deny", 1), ("license", 1), ("unknown", 1)]
)
def test_check_exits_zero_only_when_all_is_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], decision: str, status: int
) -> None:
    monkeypatch.setattr(Told, "decision", Decision(decision))

    assert check("--url", "https://example.com/") == status

    assert capsys.readouterr().out == (
        f"https://example.com/\n  train-ai: {decision} (work.{decision}) Because.\nreceipt: chk_1\n"
    )


@pytest.mark.parametrize(
    ("decision", "unknown", "status"),
    [
        ("unknown", "deny", 1),
        ("unknown", "keep", 0),
        ("unknown", "flag", 0),
        ("deny", "keep", 1),
        ("license", "flag", 1),
        ("allow", "flag", 0),
    ],
)
def test_check_passes_what_is_unknown_only_on_request(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    decision: str,
    unknown: str,
    status: int,
) -> None:
    monkeypatch.setattr(Told, "decision", Decision(decision))

    assert check("--url", "https://example.com/", "--unknown", unknown) == status

    flagged = "flagged" in capsys.readouterr().out
    assert flagged == (decision == "unknown" and unknown == "flag")
    assert check("--url", "https://example.com/", "--unknown", unknown, "--json") == status
    assert json.loads(capsys.readouterr().out)["answers"][0]["passed"] == (status == 0)


def test_check_prints_json_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--iscc", "ISCC:EAA23LB55M3HQ5QV", "--json", "--purpose", "search") == 0

    printed = json.loads(capsys.readouterr().out)
    decision = {
        "decision": "allow",
        "rule": "work.allow",
        "statements": ["stm_1"],
        "matched_by": "url",
        "explanation": "Because.",
    }
    assert printed == {
        "check": "chk_1",
        "answers": [
            {
                "item": {"id": "ISCC:EAA23LB55M3HQ5QV", "iscc": "ISCC:EAA23LB55M3HQ5QV"},
                "allowed": True,
                "passed": True,
                "decisions": {"train-ai": decision, "search": decision},
            }
        ],
    }


def test_check_sends_what_files_are_recognised_by_and_not_the_files(tmp_path: Path) -> None:
    poem, blob = tmp_path / "poem.txt", tmp_path / "blob.png"
    poem.write_text("Shall I compare thee to a summer's day?")
    blob.write_bytes(b"not a picture")

    assert check("--file", str(poem), "--file", str(blob)) == 0

    assert Told.asked == [
        {
            "id": str(poem),
            "sha256": sha256(poem.read_bytes()).hexdigest(),
            "iscc": text_code(poem.read_text()),
        },
        {"id": str(blob), "sha256": sha256(b"not a picture").hexdigest()},
    ]


def test_check_exits_three_without_an_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Told, "decision", RegistryError("unreachable", "No answer"))

    assert check("--url", "https://example.com/") == 3

    assert capsys.readouterr().err == "tribute: No answer (unreachable)\n"


def test_stopping_a_command_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> CheckResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(Told, "check", stop)

    assert check("--url", "https://example.com/") == 130

    assert capsys.readouterr().err == "tribute: stopped\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "nothing to check"),
        (["--url", "example.com"], "not an http or https URL"),
        (["--sha256", "abc"], "64 hexadecimal digits"),
        (["--file", "/no/such/file"], "No such file"),
        (["--url", "https://a.example/", "--registry", "http://far.example"], "in the clear"),
    ],
)
def test_check_exits_two_when_used_wrongly(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert check(*arguments) == 2

    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("name", ["TRIBUTE_REGISTRY", "TRIBUTE_API_KEY"])
def test_check_needs_an_address_and_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.delenv(name)

    assert check("--url", "https://example.com/") == 2

    assert name in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check", "--url", "https://a.example/"],
        ["check", "--purpose", "everything"],
        ["key", "zip", "1"],
    ],
)
def test_bad_arguments_exit_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert caught.value.code == 2
    assert "usage: tribute" in capsys.readouterr().err


def test_help_explains_exit_status_and_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    with pytest.raises(SystemExit) as caught:
        cli.main(["check", "--help"])

    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert "TRIBUTE_API_KEY" in printed
    assert "3  the registry was not reached" in printed
    assert "train-ai, train-other, ai-input, search, data-mining" in printed


@pytest.fixture
def receipt_file(tmp_path: Path) -> Path:
    receipt: dict[str, Any] = {
        "v": 1,
        "type": "check.batch",
        "check": "chk_" + "0" * 26,
        "operator": "opr_" + "0" * 26,
        "purposes": ["train-ai"],
        "at": "2026-03-01T12:00:00Z",
        "items": 1,
        "request_digest": request_digest(ITEMS),
        "answers_root": "00" * 32,
        "log_size": 9,
        "signature": {"alg": "Ed25519", "key_id": key_id(PUBLIC_KEY)},
    }
    value = base64.b64encode(REGISTRY.sign(signing_input(receipt))).decode()
    receipt["signature"]["value"] = value
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt))
    return file


@pytest.mark.parametrize("key", [PUBLIC_KEY.hex(), base64.b64encode(PUBLIC_KEY).decode()])
def test_receipt_says_what_it_proves(
    receipt_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    items = tmp_path / "items.json"
    items.write_text(json.dumps(ITEMS))

    assert cli.main(["receipt", str(receipt_file), "--key", key, "--items", str(items)]) == 0

    assert capsys.readouterr().out == (
        f"chk_{'0' * 26}: 1 items asked by opr_{'0' * 26} at 2026-03-01T12:00:00+00:00"
        " for train-ai, answered as of log size 9\n"
        "  it carries no proof by the log yet: get the receipt again later\n"
    )


def test_receipt_exits_one_when_it_does_not_hold(
    receipt_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "items.json"
    other.write_text("[]")

    assert cli.main(["receipt", str(receipt_file), "--key", "00" * 32]) == 1
    assert (
        cli.main(["receipt", str(receipt_file), "--key", PUBLIC_KEY.hex(), "--items", str(other)])
        == 1
    )

    assert "does not hold: the receipt is about other questions" in capsys.readouterr().err


def test_receipt_is_got_by_the_id_of_its_check_and_kept_once_it_holds(
    receipt_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = json.loads(receipt_file.read_bytes())
    asked: list[str] = []

    def receipt(_registry: Told, check_id: str) -> dict[str, Any]:
        asked.append(check_id)
        return given

    monkeypatch.setattr(Told, "receipt", receipt, raising=False)
    kept, other = tmp_path / "kept.json", encode("chk", new_uuid7())
    command = ["receipt", given["check"], "--server", "https://registry.example", "--output"]

    assert cli.main([*command, str(kept), "--key", "00" * 32]) == 1
    assert cli.main(["receipt", other, "--output", str(kept), "--key", PUBLIC_KEY.hex()]) == 1
    assert f"the registry gave the receipt of {given['check']}" in capsys.readouterr().err
    assert not kept.exists()
    assert cli.main([*command, str(kept), "--key", PUBLIC_KEY.hex()]) == 0

    assert (asked, json.loads(kept.read_bytes())) == (
        [given["check"], other, given["check"]],
        given,
    )
    assert capsys.readouterr().out.startswith(f"{given['check']}: ")
    again = ["receipt", str(kept), "--key", PUBLIC_KEY.hex()]
    assert cli.main(again) == 0
    assert cli.main([*again, "--output", str(other)]) == 2


@pytest.mark.parametrize(("content", "key"), [("{", "00" * 32), ("{}", "00" * 31), ("{}", "é")])
def test_receipt_exits_two_without_json_or_a_key(tmp_path: Path, content: str, key: str) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(content)

    assert cli.main(["receipt", str(file), "--key", key]) == 2


def test_receipt_exits_two_when_the_items_are_no_list(receipt_file: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.json"
    items.write_text("{}")

    assert (
        cli.main(["receipt", str(receipt_file), "--key", PUBLIC_KEY.hex(), "--items", str(items)])
        == 2
    )


def test_check_exits_two_for_more_than_a_check_holds(capsys: pytest.CaptureFixture[str]) -> None:
    addresses = [f"--url=https://example.com/{n}" for n in range(10_001)]

    assert check(*addresses) == 2

    assert "10001 items are more than the 10000" in capsys.readouterr().err


def test_features_prints_what_may_travel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "output.txt"
    file.write_text("one two three four five six seven")

    assert cli.main(["features", str(file)]) == 0

    printed = capsys.readouterr().out
    assert json.loads(printed) == reduce(file.read_text()).to_json()
    assert "seven" not in printed


def test_features_adds_a_vector_that_may_travel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a report takes it: of a picture nothing else leaves the house."""
    file = tmp_path / "output.png"
    Image.linear_gradient("L").convert("RGB").save(file)

    assert cli.main(["features", str(file), "--embed", layout.NAME, "--space", "spc_1"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["embedding"]
    assert said["embedding"]["space"] == "spc_1"
    vector = said["embedding"]["vector"]
    assert len(vector) == layout.DIMENSIONS
    assert sum(each * each for each in vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_features_exits_two_for_what_has_no_vector(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "output.png"
    file.write_bytes(content)

    assert cli.main(["features", str(file), "--embed", layout.NAME]) == 2
    assert cli.main(["features", str(file), "--embed", "no such model"]) == 2


def test_features_exits_two_for_what_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "output.txt"
    file.write_bytes(b"\xff\xfe\xfd")

    assert cli.main(["features", str(file)]) == 2


def test_key_prints_the_canonical_form_and_the_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["key", "url", "HTTP://www.Example.com:80/#x"]) == 0

    digest = sha256(b"\x03example.com/").hexdigest()
    assert capsys.readouterr().out == f"url\texample.com/\t{digest}\n"


def test_check_takes_files_of_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / os.fsdecode(b"\xff.bin")
    path.write_bytes(b"bytes")

    assert check("--file", str(path)) == 0

    assert Told.asked[0]["id"].endswith("/\\xff.bin")
    assert "\\xff.bin" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "1e99", "soon"])
@pytest.mark.parametrize("command", [["check", "--purpose=search"], ["inspect", "http://a/"]])
def test_a_time_to_wait_is_a_number_of_seconds(
    command: list[str], seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([*command, f"--timeout={seconds}"])

    assert stopped.value.code == 2
    assert "is no number of seconds" in capsys.readouterr().err


def test_an_unknown_purpose_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["check", "--url", "https://example.com/", "--purpose", "training"])

    assert "there are train-ai, train-other" in capsys.readouterr().err


def ran(*arguments: str, stdout: Any, **environment: str) -> tuple[int, str]:
    """Run the command as a process of its own; returns its status and what it complained of."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from tribute.cli import main; sys.exit(main())",
            *arguments,
        ],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("lines", [1, 20_000])
def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path, lines: int) -> None:
    rules = tmp_path / "robots.txt"
    rules.write_text("User-agent: *\n" + "Content-Usage: train-ai=n\n" * lines)
    reading, writing = os.pipe()
    os.close(reading)

    assert ran("inspect", str(rules), stdout=writing) == (141, "")

    os.close(writing)


def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        status, complaint = ran("key", "url", "https://example.com/", stdout=full)

    assert (status, complaint) == (2, "tribute: [Errno 28] No space left on device\n")


def test_letters_that_a_terminal_does_not_know_are_escaped() -> None:
    with tempfile.TemporaryFile("w+") as printed:
        status, complaint = ran(
            "inspect", "http://b\u00fccher.invalid/", stdout=printed, PYTHONIOENCODING="ascii"
        )
        printed.seek(0)

        assert (status, complaint) == (1, "")
        assert printed.readline() == "http://b\\xfccher.invalid/\n"

import json
from pathlib import Path

import pytest

from tribute.cli import main


@pytest.fixture
def robots(tmp_path: Path) -> Path:
    path = tmp_path / "robots.txt"
    path.write_text("User-agent: *\nContent-Usage: train-ai=n, search=y\n")
    return path


def test_findings_are_printed_as_a_table(robots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(robots)]) == 0

    assert capsys.readouterr().out == (
        f"{robots}\n"
        "\n"
        "  train-ai     deny     robots.txt:2\n"
        "  train-other  unknown\n"
        "  ai-input     unknown\n"
        "  search       allow    robots.txt:2\n"
        "  data-mining  unknown\n"
        "\n"
        "what was found:\n"
        "  train-ai     deny     aipref robots.txt:2\n"
        "               Content-Usage: train-ai=n, search=y\n"
        "  search       allow    aipref robots.txt:2\n"
        "               Content-Usage: train-ai=n, search=y\n"
    )


def test_findings_are_printed_as_json(robots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(robots), "--json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["complete"] is True
    assert printed["combined"]["train-ai"] == {"decision": "deny", "sources": ["robots.txt:2"]}
    assert printed["statements"][0]["vocabulary"] == "draft-ietf-aipref-vocab-07"
    assert printed["problems"] == []


def test_what_could_not_be_read_is_said_and_permits_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "robots.txt"
    path.write_text("User-agent: *\nContent-Signal: search=yes\nContent-Usage: train-ai=\n")

    assert main(["inspect", str(path)]) == 1

    out = capsys.readouterr().out
    assert "  search       unknown  robots.txt:2\n" in out
    assert "(aipref_unparsable)" in out
    assert out.endswith("Nothing counts as allowed, since what could not be read may refuse.\n")


def test_terminals_are_not_steered_by_what_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "robots.txt"
    path.write_text("User-agent: *\nContent-Signal: ai-train=no \x1b[2J\u202e\n")

    main(["inspect", str(path)])

    out = capsys.readouterr().out
    assert "\\x1b[2J\\u202e" in out
    assert "\x1b" not in out


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    assert main(["inspect", str(tmp_path / "none")]) == 2


def test_an_address_that_does_not_answer_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "http://127.0.0.1:1/", "--timeout", "1"]) == 1

    assert "(not_fetched)" in capsys.readouterr().out


def test_of_many_places_the_first_few_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "robots.txt"
    rules.write_text("User-agent: *\n" + "Content-Usage: train-ai=n\n" * 40)

    main(["inspect", str(rules)])

    first = capsys.readouterr().out.splitlines()[2]
    assert first.startswith("  train-ai     deny     robots.txt:2, ")
    assert first.endswith(" robots.txt:6, and 35 more")


def test_the_scheme_of_an_address_may_be_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "HTTP://127.0.0.1:1/", "--timeout=5"]) == 1

    assert "refused" in capsys.readouterr().out


def test_an_agent_is_a_product_token(robots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(robots), "--agent", "GPTBot/1.1"]) == 0
    with pytest.raises(SystemExit):
        main(["inspect", str(robots), "--agent", "Mozilla/5.0 (compatible; GPTBot/1.1)"])

    assert "no product token" in capsys.readouterr().err

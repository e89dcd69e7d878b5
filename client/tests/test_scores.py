"""Scores travel between tools and the registry without change, and without being run."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute import cli, scores
from tribute.scores import (
    InvalidScores,
    Matrix,
    Orientation,
    Origin,
    QueryScores,
    Scores,
    convert,
    read,
    write,
)

ORIGIN = Origin("mft_01", "trak 0.3.2", Orientation.HIGHER, {"JL dimension": 512}, 0.42)
TWO = Scores(
    ORIGIN,
    (QueryScores("q1", (3, 17), (0.9, -0.2), 0.05), QueryScores("q2", (5,), (1e-30,), 0.0)),
)
LINES = [
    {
        "format": "tribute-scores/1",
        "manifest": "mft_01",
        "orientation": "higher",
        "tool": "trak 0.3.2",
        "settings": {"JL dimension": 512},
        "measured_lds": 0.42,
    },
    {"query": "q1", "rows": [3, 17], "scores": [0.9, -0.2], "outside_mass": 0.05},
    {"query": "q2", "rows": [5], "scores": [1e-30], "outside_mass": 0.0},
]


def matrix(values: object, *, orientation: Orientation = Orientation.HIGHER) -> Matrix:
    table = np.array(values, np.float32)
    return Matrix(table, np.arange(len(table)), orientation, "trak", {})


def lines(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("ending", [".npz", ".jsonl"])
def test_what_is_written_is_read(tmp_path: Path, ending: str) -> None:
    write(TWO, tmp_path / f"scores{ending}")

    assert read(tmp_path / f"scores{ending}") == TWO


def test_json_lines_are_as_documented(tmp_path: Path) -> None:
    write(TWO, tmp_path / "scores.jsonl")

    written = (tmp_path / "scores.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in written] == LINES


def test_a_file_has_one_of_two_endings(tmp_path: Path) -> None:
    with pytest.raises(InvalidScores, match=r"npz or \.jsonl"):
        write(TWO, tmp_path / "scores.csv")


def test_convert_keeps_the_strongest_rows_and_declares_the_rest() -> None:
    found = convert(matrix([[4.0], [-3.0], [1.0], [3.0]]), ["q1"], manifest="mft_01", top=3)

    assert found.queries == (QueryScores("q1", (1, 2, 4), (4.0, -3.0, 3.0), 1 / 8),)
    assert found.origin == Origin("mft_01", "trak", settings={"training_rows": 4, "top": 3})


def test_convert_turns_scores_so_that_higher_speaks_for_the_output() -> None:
    found = convert(
        matrix([[-2.0], [1.0]], orientation=Orientation.LOWER), ["q1"], manifest="mft_01"
    )

    assert found.queries == (QueryScores("q1", (1, 2), (2.0, -1.0), 0.0),)
    assert found.origin.orientation == Orientation.HIGHER


def test_convert_adds_up_training_rows_of_one_manifest_row() -> None:
    """A text cut into three training rows is one row of the manifest."""
    found = convert(
        matrix([[1.0], [2.0], [0.5], [4.0]]), ["q1"], manifest="mft_01", manifest_rows=[7, 7, 9, 7]
    )

    assert found.queries == (QueryScores("q1", (7, 9), (7.0, 0.5), 0.0),)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_convert_refuses_scores_that_are_not_finite(bad: float) -> None:
    with pytest.raises(InvalidScores, match="not finite"):
        convert(matrix([[1.0], [bad]]), ["q1"], manifest="mft_01")


def test_convert_keeps_at_least_one_row() -> None:
    with pytest.raises(InvalidScores, match="at least one row"):
        convert(matrix([[1.0]]), ["q1"], manifest="mft_01", top=0)


def test_convert_needs_an_id_for_every_query_and_a_place_for_every_row() -> None:
    with pytest.raises(InvalidScores, match="1 query ids for 2 queries"):
        convert(matrix([[1.0, 2.0]]), ["q1"], manifest="mft_01")
    with pytest.raises(InvalidScores, match="1 manifest rows"):
        convert(matrix([[1.0], [2.0]]), ["q1"], manifest="mft_01", manifest_rows=[1])


@given(
    values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=12),
    top=st.integers(1, 12),
)
def test_convert_accounts_for_all_positive_scores(values: list[float], top: int) -> None:
    (found,) = convert(
        matrix([[value] for value in values]), ["q1"], manifest="mft_01", top=top
    ).queries

    total = sum(max(0.0, value) for value in values)
    kept = sum(max(0.0, score) for score in found.scores)
    assert kept == pytest.approx(total * (1 - found.outside_mass), abs=1e-6)
    assert len(found.rows) == min(top, len(values))


def changed(line: int, **changes: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [dict(row) for row in LINES]
    rows[line] |= changes
    return rows


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (0, {"format": "tribute-scores/2"}),
        (0, {"orientation": "sideways"}),
        (0, {"manifest": ""}),
        (0, {"manifest": 7}),
        (0, {"settings": []}),
        (0, {"measured_lds": "high"}),
        (0, {"measured_lds": 1.5}),
        (0, {"extra": 1}),
        (1, {"query": ""}),
        (1, {"query": 7}),
        (1, {"rows": [3]}),
        (1, {"rows": [3, 3]}),
        (1, {"rows": [0, 3]}),
        (1, {"rows": [3.0, 4.0]}),
        (1, {"rows": "3, 17"}),
        (1, {"scores": [True, 1.0]}),
        (1, {"outside_mass": 1.5}),
        (1, {"outside_mass": None}),
        (1, {"extra": 1}),
        (2, {"query": "q1"}),
    ],
)
def test_lines_that_do_not_hold_together_are_refused(
    tmp_path: Path, line: int, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidScores):
        read(lines(tmp_path / "scores.jsonl", changed(line, **changes)))


@pytest.mark.parametrize(
    "settings",
    [
        {"damping": 0.01, "layers": ["a", "b"], "seed": None, "half": True, "by": {"module": "x"}},
        {},
    ],
)
def test_settings_are_parameters(settings: dict[str, Any]) -> None:
    assert Origin("mft_1", "trak", settings=settings).settings == settings


@pytest.mark.parametrize(
    "settings",
    [{"text": "long " * 50}, {"line": "a\nb"}, {"nul": "\0"}, {"half": "\ud800"}, {"x": float("nan")},
     {"\0": 1}, {"a": [[[[1]]]]}, {"a": object()}],
)  # fmt: skip
def test_settings_are_no_texts(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidScores, match="settings"):
        Origin("mft_1", "trak", settings=settings)


def test_a_score_still_adds_up_with_a_thousand_others() -> None:
    with pytest.raises(InvalidScores, match="beyond"):
        QueryScores("q", (1,), (-1.1e300,))


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "{}\n{}", "null"])
def test_a_file_that_is_no_scores_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scores.jsonl").write_text(text, "utf-8")

    with pytest.raises(InvalidScores):
        read(tmp_path / "scores.jsonl")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_lines_with_numbers_that_are_not_finite_are_refused(tmp_path: Path, constant: str) -> None:
    text = "\n".join(map(json.dumps, LINES)).replace("0.9", constant)
    (tmp_path / "scores.jsonl").write_text(text, "utf-8")

    with pytest.raises(InvalidScores):
        read(tmp_path / "scores.jsonl")


def archive(path: Path, **changes: Any) -> Path:
    arrays: dict[str, Any] = {
        "header": np.frombuffer(json.dumps(LINES[0]).encode(), np.uint8),
        "queries": np.array(["q1"]),
        "rows": np.array([[3, 17]]),
        "scores": np.array([[0.9, -0.2]]),
        "outside_mass": np.array([0.05]),
    }
    np.savez(path, **{name: a for name, a in (arrays | changes).items() if a is not None})
    return path


def test_an_archive_made_elsewhere_is_read(tmp_path: Path) -> None:
    assert read(archive(tmp_path / "s.npz")) == Scores(ORIGIN, TWO.queries[:1])


@pytest.mark.parametrize(
    "changes",
    [
        {"header": np.array([{"a": 1}], object)},
        {"header": np.frombuffer(b"{", np.uint8)},
        {"queries": np.array(["q1", "q2"])},
        {"queries": np.array([["q1"]])},
        {"queries": np.array(["q1"], object)},
        {"rows": np.array([[3.0, 17.0]])},
        {"rows": np.array([3, 17])},
        {"rows": np.array([[3, 17, 18]])},
        {"scores": np.array([[0.9, float("nan")]])},
        {"outside_mass": np.array([0.05, 0.05])},
        {"outside_mass": None},
        {"extra": np.array([1])},
    ],
)
def test_archives_that_do_not_hold_together_are_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidScores):
        read(archive(tmp_path / "s.npz", **changes))


class Opened:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_an_archive_is_never_unpickled(tmp_path: Path) -> None:
    trap = np.array([Opened(tmp_path / "mark")], object)
    path = archive(tmp_path / "s.npz", outside_mass=trap)

    with pytest.raises(InvalidScores):
        read(path)

    assert not (tmp_path / "mark").exists()


def test_a_file_larger_than_the_limit_is_not_opened(tmp_path: Path) -> None:
    write(TWO, tmp_path / "scores.jsonl")

    with pytest.raises(InvalidScores, match="larger than 10 bytes"):
        read(tmp_path / "scores.jsonl", max_bytes=10)


def test_a_small_archive_of_a_huge_array_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("scores.npy", bytes(2**21))

    assert path.stat().st_size < 2**20
    with pytest.raises(InvalidScores, match="unpacks to more"):
        read(path, max_bytes=2**20)


def test_the_command_converts_a_plain_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "scores.npy", np.array([[4.0, -3.0, 1.0], [0.0, 1.0, 0.5]], np.float32))
    (tmp_path / "queries").write_text("q1\nq2\n", "utf-8")
    (tmp_path / "rows").write_text("10\n20\n30\n", "utf-8")

    status = cli.main([
        "scores", "convert", str(tmp_path / "scores.npy"), "--from", "npy",
        "--layout", "queries-first", "--made-by", "dattri 0.3.0", "--manifest", "mft_01",
        "--queries", str(tmp_path / "queries"), "--rows", str(tmp_path / "rows"),
        "--top", "2", "--lds", "0.4", "--out", str(tmp_path / "out.jsonl"),
    ])  # fmt: skip

    assert status == 0
    assert capsys.readouterr().out == (
        f"{tmp_path / 'out.jsonl'}: 2 queries; at most 20.0% of a query's positive scores left out\n"
    )
    assert read(tmp_path / "out.jsonl") == Scores(
        Origin("mft_01", "dattri 0.3.0", settings={"training_rows": 3, "top": 2}, measured_lds=0.4),
        (
            QueryScores("q1", (10, 20), (4.0, -3.0), 1 - 4 / 5),
            QueryScores("q2", (20, 30), (1.0, 0.5), 0.0),
        ),
    )


@pytest.mark.parametrize(
    ("given_arguments", "complaint"),
    [
        (["--layout", "rows-first"], "2 query ids for 3 queries"),
        ([], "of an array its layout"),
        (["--layout", "queries-first", "--lds", "2"], "a measured LDS"),
        (["--layout", "queries-first", "--rows", "queries"], "no whole number"),
    ],
)
def test_the_command_complains_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given_arguments: list[str],
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("scores.npy", np.ones((2, 3), np.float32))
    Path("queries").write_text("q1\nq2\n", "utf-8")

    status = cli.main([
        "scores", "convert", "scores.npy", "--from", "npy", "--manifest", "mft_01",
        "--queries", "queries", "--out", "out.jsonl", *given_arguments,
    ])  # fmt: skip

    assert status == cli.USAGE
    assert complaint in capsys.readouterr().err
    assert not Path("out.jsonl").exists()


def test_scores_of_a_query_are_compared_by_value() -> None:
    assert replace(TWO.queries[0], outside_mass=0.5) != TWO.queries[0]
    assert scores.FORMAT == "tribute-scores/1"

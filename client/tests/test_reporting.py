"""The reporter loses nothing, says nothing twice, and leaves no gap in its numbers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tribute import report_signatures
from tribute.reporting import Reporter, ReportRefused
from tribute.transport import Registry, RegistryError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
ONE, TWO, THREE = ({"external_id": name} for name in ("one", "two", "three"))


class Books(Registry):
    """A registry that writes down what it acknowledged, and fails as it is told."""

    def __init__(self) -> None:
        super().__init__("http://localhost", "key")
        self.received: list[tuple[int, list[Any]]] = []
        self.trouble: list[Callable[[], None]] = []

    def report_signed(self, body: bytes, signature: str) -> dict[str, Any]:
        said = report_signatures.read(signature)
        report_signatures.verify(said, body, PUBLIC)
        before = self.trouble.pop(0) if self.trouble else None
        if before:
            before()
        self.received.append((said.sequence, json.loads(body)["queries"]))
        return {"queries": []}


def failing(code: str, status: int) -> Callable[[], None]:
    def fail() -> None:
        raise RegistryError(code, "No", status)

    return fail


@pytest.fixture
def books() -> Books:
    return Books()


def reporter(books: Books, folder: Path) -> Reporter:
    return Reporter(books, KEY, key_id="rky_1", folder=folder)


def test_reports_are_numbered_from_one(books: Books, tmp_path: Path) -> None:
    mine = reporter(books, tmp_path)

    mine.report([ONE])
    mine.report([TWO, THREE])

    assert books.received == [(1, [ONE]), (2, [TWO, THREE])]


def test_what_could_not_be_sent_goes_first_next_time(books: Books, tmp_path: Path) -> None:
    books.trouble = [failing("unreachable", 0)]
    with pytest.raises(RegistryError):
        reporter(books, tmp_path).report([ONE])
    assert books.received == []

    reporter(books, tmp_path).report([TWO])

    assert books.received == [(1, [ONE]), (2, [TWO])]


def test_a_lost_answer_is_asked_for_again_with_the_same_number(
    books: Books, tmp_path: Path
) -> None:
    def heard_but_unanswered() -> None:
        books.received.append((1, [ONE]))
        raise RegistryError("unreachable", "No answer", 0)

    books.trouble = [heard_but_unanswered]
    with pytest.raises(RegistryError):
        reporter(books, tmp_path).report([ONE])

    reporter(books, tmp_path).send()

    assert books.received == [(1, [ONE]), (1, [ONE])]


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_refusal_of_the_caller_keeps_the_report(
    books: Books, tmp_path: Path, status: int
) -> None:
    books.trouble = [failing("no", status)]
    with pytest.raises(RegistryError):
        reporter(books, tmp_path).report([ONE])

    assert len(reporter(books, tmp_path).send()) == 1
    assert books.received == [(1, [ONE])]


def test_a_report_refused_for_good_gives_its_number_to_the_next(
    books: Books, tmp_path: Path
) -> None:
    books.trouble = [failing("invalid_evidence", 422)]
    with pytest.raises(ReportRefused) as refused:
        reporter(books, tmp_path).report([ONE])

    reporter(books, tmp_path).report([TWO])

    assert books.received == [(1, [TWO])]
    assert json.loads(refused.value.kept.read_bytes()) == {"queries": [ONE]}


def test_a_crash_at_any_step_loses_nothing_and_leaves_no_gap(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after the answer, before or after the number was written down."""
    deeds = {"replace": Path.replace, "unlink": Path.unlink}
    for name, after in (("replace", 2), ("unlink", 0)):
        calls = 0

        def dying(self: Path, *args: Any, name: str = name, after: int = after) -> Any:
            nonlocal calls
            calls += 1
            if calls > after:
                raise KeyboardInterrupt
            return deeds[name](self, *args)  # type: ignore[operator]

        monkeypatch.setattr(Path, name, dying)
        with pytest.raises(KeyboardInterrupt):
            reporter(books, tmp_path).report([ONE])
        monkeypatch.undo()
        reporter(books, tmp_path).send()

    numbers = sorted({number for number, _ in books.received})
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(queries == [ONE] for _, queries in books.received)


def test_nothing_is_no_report(books: Books, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one query"):
        reporter(books, tmp_path).report([])

import pytest

from tribute.standards.policy import Policy
from tribute.standards.publishing import WRITERS, publish
from tribute.vocabulary import Decision, Purpose

EVERYTHING_DENIED = dict.fromkeys(Purpose, Decision.DENY)


def test_every_file_is_written() -> None:
    files = publish(Policy(EVERYTHING_DENIED))

    assert files.keys() == WRITERS.keys()
    assert {file.place for file in files.values()} == {
        "/robots.txt",
        "/.well-known/tdmrep.json",
        "/ai.txt",
        "/license.xml",
        "response headers",
        "C2PA manifest",
    }
    assert all(file.text for file in files.values())


def test_together_the_files_leave_no_refusal_unsaid() -> None:
    files = publish(Policy(EVERYTHING_DENIED))

    unsaid = [{d.purpose for d in file.differences} for file in files.values()]

    assert set.intersection(*unsaid) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "photos/"},
        {"path": "/photos"},
        {"path": "/a b/"},
        {"path": "/*/"},
        {"path": "/\nAllow: /"},
        {"terms_uri": "javascript:alert(1)"},
        {"terms_uri": "https://ada.example/\r\nX: y"},
        {"rsl_uri": "https://ada.example/>"},
        {"owner": "Ada\nEve"},
    ],
)
def test_a_policy_cannot_smuggle_lines(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is not|one printable"):
        Policy(EVERYTHING_DENIED, **wrong)

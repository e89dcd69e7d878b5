"""RFC 9309, section 2.2.2 (table of percent-encoding), 2.2.3 (special characters), 5.2."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.patterns import length, matches, normal, path_of


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        # section 2.2.2
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz", True),
        ("/foo/bar/\u30c4", "/foo/bar/%E3%83%84", True),
        ("/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", True),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", True),
        # section 2.2.3
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", False),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-%2A.html", True),
        ("/path/foo-%24", "/path/foo-%24", True),
        # section 5.1
        ("*.gif$", "/a/b.gif", True),
        ("*.gif$", "/a/b.gif?x", False),
        ("/example/", "/example/page.html", True),
        ("/example/", "/example", False),
        ("/a*b*c", "/a-b-c-d", True),
        ("/a*b*c$", "/a-b-c-c", True),
        ("/a*b*c$", "/a-c", False),
        ("/a*b*c", "/a-b-d", False),
        ("/a*b", "/a-c", False),
        ("/this/*/then", "/this/and/that/then/x", True),
        ("/this/path/exactly$", "/this/path/exactly/", False),
        ("/A", "/a", False),
        ("", "/", False),
        ("/*a$", "/a", True),
        ("/a*a$", "/a", False),
    ],
)
def test_patterns_match_as_the_rfc_says(pattern: str, path: str, matched: bool) -> None:  # noqa: FBT001 - a table's column
    assert matches(pattern, path) is matched


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://ada.example/a?b=c#d", "/a?b=c"),
        ("https://ada.example", "/"),
        ("/a/b", "/a/b"),
        ("ada.example/a", None),
        ("//ada.example/a", None),
        ("https://[broken/a", None),
    ],
)
def test_paths_are_taken_from_addresses(url: str, path: str | None) -> None:
    assert path_of(url) == path


def test_specificity_counts_octets() -> None:
    assert length("/\u30c4") == len("/%E3%83%84")


def test_a_hostile_pattern_takes_no_time() -> None:
    started = time.process_time()

    assert not matches("*a" * 4000 + "b$", "/" + "a" * 100_000)
    assert time.process_time() - started < 2


@given(st.text(max_size=40), st.text("/ab*$%é2A", max_size=40))
def test_any_pattern_and_path_give_an_answer(path: str, pattern: str) -> None:
    assert matches(pattern, path) in {True, False}
    assert normal(normal(path).decode()) == normal(path)


@given(st.text("/abc%", max_size=20), st.text("abc", max_size=10))
def test_a_plain_pattern_is_a_prefix(pattern: str, rest: str) -> None:
    assert matches(pattern, pattern + rest) is bool(pattern) or "%" in pattern

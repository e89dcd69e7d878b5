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
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", True),
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
        ("https://ada.example/find?#x", "/find?"),
        ("https://ada.example?", "/?"),
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


@pytest.mark.parametrize(
    ("pattern", "path"),
    [  # RFC 9309, the tables of sections 2.2.2 and 2.2.3
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"),
        ("/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/\U0001f914", "/foo/bar/%F0%9F%A4%94"),
        ("/foo/bar/\u30c4", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-%2A.html"),
        ("/path/foo-%24", "/path/foo-$"),
        ("/path/foo-$x", "/path/foo-$x"),
        ("/path/foo-$x", "/path/foo-%24x"),
        ("/a/*/b?to=/c", "/a/x/b?to=%2Fc"),
        ("/*/c", "/a?to=/c"),
        ("/private[1]", "/private%5B1%5D"),
        ("/private%5b1%5D", "/private[1]"),
        ("/a+b", "/a%2Bb"),
        # neither reserved nor unreserved, so compared as escapes
        ("/a%3cd.html", "/a<d.html"),
        ("/a<d.html", "/a%3Cd.html"),
        ("/{id}/a|b^c", "/%7Bid%7D/a%7Cb%5Ec"),
    ],
)
def test_the_rfcs_own_examples_match(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("/a-%2A", "/a-b"), ("/a-%24", "/a-"), ("/a$", "/a$"), ("/a%2Fb", "/a/b"), ("/a/b", "/a%2Fb")],
)
def test_an_escape_has_no_special_meaning(pattern: str, path: str) -> None:
    assert not matches(pattern, path)

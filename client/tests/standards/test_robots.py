"""RFC 9309's own examples (sections 2.2.1, 5.1 and 5.2), the limits it sets, and common mistakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.robots import LIMIT, parse
from tribute.standards.robots_usage import statements_for
from tribute.vocabulary import Decision, Purpose

# RFC 9309, section 5.1
SIMPLE = b"""\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""

# RFC 9309, section 5.2
LONGEST = b"""\
User-Agent: foobot
Allow: /example/page/
Disallow: /example/page/disallowed.gif
"""

# RFC 9309, section 2.2.1
COMBINED = b"""\
user-agent: ExampleBot
disallow: /foo
disallow: /bar

user-agent: ExampleBot
disallow: /baz
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("anybot", "/publications/a.gif", True),
        ("anybot", "/a.gif", False),
        ("anybot", "/example/", False),
        ("foobot", "/", False),
        ("FooBot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/a.gif", True),
        ("quxbot", "/example/page.html", True),
        (None, "/example/page.html", False),
    ],
)
def test_the_rfcs_simple_example(agent: str | None, path: str, allowed: bool) -> None:  # noqa: FBT001 - a table's column
    assert parse(SIMPLE).access(path, agent).allowed is allowed


def test_the_longest_match_wins_and_is_named() -> None:
    robots = parse(LONGEST)

    access = robots.access("https://ada.example/example/page/disallowed.gif", "foobot")

    assert not access.allowed
    assert access.rule is not None
    assert access.rule.source == "robots.txt:3"
    assert robots.access("/example/page/allowed.gif", "foobot").allowed


def test_allow_wins_between_equals() -> None:
    assert parse(b"User-agent: *\nDisallow: /a\nAllow: /a").access("/a").allowed


def test_groups_of_one_crawler_are_combined() -> None:
    robots = parse(COMBINED)

    assert [robots.access(path, "examplebot").allowed for path in ("/foo", "/baz", "/")] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_line_ending_and_a_byte_order_mark_are_read(end: str) -> None:
    text = end.join(["\ufeffUser-agent: GPTBot/1.0 # ours", "Sitemap: /s", "Disallow : /  # all"])

    robots = parse(text.encode())

    assert not robots.access("/a", "gptbot").allowed
    assert robots.access("/a").allowed


def test_other_separators_do_not_end_a_line() -> None:
    robots = parse("User-agent: *\nDisallow: /a\u2028Allow: /\x0bb".encode())

    assert [rule.label for rule in robots.rules_for(None)] == ["disallow"]


def test_rules_before_any_group_belong_to_nobody() -> None:
    assert parse(b"Disallow: /\nUser-agent: *\nAllow: /b").access("/a").allowed


def test_a_group_for_nobody_falls_to_nobody() -> None:
    assert parse(b"User-agent: *\nDisallow: /a\nUser-agent:\nDisallow: /").access("/b").allowed


def test_robots_txt_itself_may_be_fetched_and_nonsense_may_not() -> None:
    robots = parse(b"User-agent: *\nDisallow: /")

    assert robots.access("https://ada.example/robots.txt").allowed
    assert not robots.access("nonsense").allowed


def test_what_lies_behind_the_limit_is_not_read() -> None:
    data = b"User-agent: *\nDisallow: /a\n" + b"#" * LIMIT + b"\nDisallow: /b"

    robots = parse(data)

    assert robots.truncated
    assert [p.code for p in robots.problems] == ["robots_truncated"]
    assert not robots.access("/a").allowed
    assert robots.access("/b").allowed


def test_unreadable_lines_are_problems_up_to_a_point() -> None:
    assert [(p.source, p.code) for p in parse(b"User-agent: *\nDisallow all /").problems] == [
        ("robots.txt:2", "robots_unreadable_line")
    ]
    assert [p.code for p in parse(b"nonsense\n" * 1000).problems][49:] == [
        "robots_unreadable_line",
        "more_problems",
    ]
    assert [p.code for p in parse(b"User-agent: \xff").problems] == ["robots_not_utf8"]


LINES = st.lists(
    st.sampled_from(["User-agent: *", "User-agent: a", "Allow: /", "Disallow: /x", ":", "\x00", ""])
    | st.text(max_size=20),
    max_size=12,
).map("\n".join)


@given(st.binary(max_size=300) | LINES.map(lambda t: t.encode("utf-8", "surrogatepass")), st.text())
def test_any_file_and_path_give_an_answer(data: bytes, path: str) -> None:
    robots = parse(data)

    assert robots.access(path).allowed in {True, False}
    assert robots.access("/" + path, "a").allowed in {True, False}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("user-agent FooBot\ndisallow /\n", False),
        ("User-Agent\tFooBot\nDISALLOW\t/x\n", False),
        ("User-agent: FooBot\nDisallow: /\nAllow /x\n", True),
        ("User-agent: FooBot\ndisallow all /x\n", True),
        ("User-agent: FooBot\nDisallow\n", True),
    ],
)
def test_a_forgotten_colon_is_read_between_two_words(text: str, allowed: bool) -> None:  # noqa: FBT001 - a table's column
    assert parse(text.encode()).access("/x", "FooBot").allowed == allowed


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_zeros_between_the_letters_hide_no_refusal(encoding: str) -> None:
    robots = parse("User-agent: FooBot\nDisallow: /\n".encode(encoding))

    assert not robots.access("/", "FooBot").allowed
    assert not robots.whole
    assert "robots_garbled" in [p.code for p in robots.problems]


def test_a_garbled_file_permits_nothing() -> None:
    robots = parse(b"User-agent: *\nContent-Usage: train-ai=\0y, search=n\n")

    assert statements_for(robots, "/").decisions == {Purpose.SEARCH: Decision.DENY}


@pytest.mark.parametrize(
    "agent",
    [
        "FooBot",
        "foobot/2.1",
        " FooBot/2.1 (+https://foo.example)",
        "Mozilla/5.0 (compatible; FooBot/0.1; https://foo.example/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; FooBot/1.2; +https://foo.example)",
    ],
)
def test_whoever_asks_with_a_version_is_the_same_crawler(agent: str) -> None:
    robots = parse(b"User-agent: FooBot\nDisallow: /\n\nUser-agent: GPTBot\nDisallow: /\n")

    assert not robots.access("/", agent).allowed
    assert statements_for(robots, "/", "GPTBot/1.1").decisions == {Purpose.TRAIN_AI: Decision.DENY}


@pytest.mark.parametrize(
    "line", ["Dissallow: /x", "dissalow: /x", "Disalow : /x", "diasllow /x", "Disallaw: /x"]
)
def test_a_misspelt_refusal_refuses(line: str) -> None:
    """The misspellings that Google's parser takes for ``Disallow``."""
    assert not parse(f"User-agent: *\n{line}\n".encode()).access("/x").allowed


@pytest.mark.parametrize("label", ["Useragent", "User agent", "USER AGENT"])
def test_a_misspelt_user_agent_opens_its_group(label: str) -> None:
    robots = parse(f"User-agent: other\nAllow: /\n\n{label}: FooBot\nDisallow: /\n".encode())

    assert not robots.access("/", "FooBot").allowed
    assert robots.access("/", "other").allowed


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"])
def test_a_broken_byte_order_mark_hides_no_first_line(mark: bytes) -> None:
    assert not parse(mark + b"User-agent: foo\nDisallow: /\n").access("/", "foo").allowed


def test_a_refused_path_may_lack_its_slash() -> None:
    robots = parse(b"User-agent: *\nDisallow: private/\nAllow: private/open\nDisallow:\n")

    assert [robots.access(path).allowed for path in ("/private/open", "/", "/privat")] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("value", ["FooBot*", "FooBot/2.1 (+https://foo.example)", "foobot, other"])
def test_a_product_token_ends_where_it_must(value: str) -> None:
    robots = parse(f"User-agent: {value}\nAllow: /a\n\nUser-agent: *\nDisallow: /\n".encode())

    assert robots.access("/a", "FooBot").allowed


LISTED = b"""\
User-agent: *
Disallow: /admin/

User-agent: FooBot, BarBot; Baz-Bot
Disallow: /
Allow: /open/
"""


@pytest.mark.parametrize("agent", ["FooBot", "BarBot", "baz-bot/1.0"])
def test_a_list_of_crawlers_refuses_each(agent: str) -> None:
    robots = parse(LISTED)

    assert not robots.access("/a", agent).allowed
    assert robots.access("/open/", agent).allowed
    assert [(p.source, p.code) for p in robots.problems] == [
        ("robots.txt:4", "robots_unclear_agent")
    ]


def test_a_list_of_crawlers_permits_only_the_first() -> None:
    """Only the first is named as section 2.2.1 demands; the others stay bound by ``*`` as well."""
    robots = parse(LISTED + b"Allow: /admin/\n")

    assert robots.access("/admin/", "FooBot").allowed
    assert not robots.access("/admin/", "BarBot").allowed
    assert robots.access("/b", "other").allowed


def test_a_star_before_a_name_refuses_who_is_named_and_permits_nobody() -> None:
    robots = parse(
        b"User-agent: *\nDisallow: /a\n\nUser-agent: *FooBot*\nDisallow: /b\nAllow: /a\n"
    )

    assert [robots.access(path, "foobot").allowed for path in ("/a", "/b", "/c")] == [
        False,
        False,
        True,
    ]
    assert robots.access("/b", "other").allowed
    assert not parse(b"User-agent: **\nDisallow: /\n").access("/", "foobot").allowed

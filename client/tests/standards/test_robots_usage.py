"""attach-05, section 3.5 (example); Cloudflare's content signals policy; RSL's robots.txt guide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.policy import Difference, Policy
from tribute.standards.robots import LIMIT, parse
from tribute.standards.robots_usage import licenses_for, statements_for, write
from tribute.standards.statement import Parsed, Standard
from tribute.vocabulary import Decision, Purpose

# draft-ietf-aipref-attach-05, section 3.5
ATTACH = b"""\
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y

User-Agent: ExampleBot
Allow: /
Content-Usage: train-ai=y
"""

# What Cloudflare's managed robots.txt says, shortened
SIGNALS = b"""\
User-agent: *
Content-Signal: search=yes,ai-train=no,use=reference
Allow: /

User-agent: CCBot
Disallow: /
"""
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def read(data: bytes, path: str = "/", agent: str | None = None) -> Parsed:
    return statements_for(parse(data), path, agent)


@pytest.mark.parametrize(
    ("path", "agent", "expected"),
    [
        ("/test", "anybot", {"train-ai": "deny"}),
        ("/never/test", "anybot", {}),
        ("/ai-ok/test", "anybot", {"train-ai": "allow"}),
        ("/never/test", "ExampleBot", {"train-ai": "allow"}),
        ("/ai-ok/test", None, {"train-ai": "allow"}),
    ],
)
def test_the_drafts_example(path: str, agent: str | None, expected: dict[str, str]) -> None:
    assert read(ATTACH, path, agent).decisions == expected


def test_a_statement_keeps_its_line() -> None:
    (statement,) = read(ATTACH, "/ai-ok/a", "anybot").statements

    assert (statement.source, statement.raw, statement.scope) == (
        "robots.txt:5",
        "Content-Usage: /ai-ok/ train-ai=y",
        "/ai-ok/",
    )


def test_equal_paths_with_conflicting_preferences_are_both_heard() -> None:
    lines = b"User-agent: *\nContent-Usage: /a train-ai=y\nContent-Usage: /a train-ai=n"

    assert read(lines, "/a").decisions == {Purpose.TRAIN_AI: Decision.DENY}


def test_an_unparsable_preference_is_unknown() -> None:
    parsed = read(b"User-agent: *\nContent-Usage: train-ai=y,,")

    assert parsed.statements == ()
    assert [(p.source, p.code) for p in parsed.problems] == [("robots.txt:2", "aipref_unparsable")]


def test_content_signals_are_read() -> None:
    parsed = read(SIGNALS, agent="anybot")

    assert parsed.decisions == {
        Purpose.SEARCH: Decision.ALLOW,
        Purpose.TRAIN_AI: Decision.DENY,
        Purpose.TRAIN_OTHER: Decision.DENY,
    }
    assert {s.params for s in parsed.statements} == {(("use", "reference"),)}


def test_a_level_of_use_below_full_is_a_condition() -> None:
    line = b"User-agent: *\nContent-Signal: search=yes, ai-input=yes, use=%s"

    assert read(line % b"full").decisions[Purpose.AI_INPUT] == Decision.ALLOW
    assert read(line % b"immediate").decisions[Purpose.AI_INPUT] == Decision.LICENSE
    assert read(line % b"immediate").decisions[Purpose.SEARCH] == Decision.ALLOW


@pytest.mark.parametrize("signal", [b"ai-train=maybe", b"ai-train", b"ai-train=", b"AI TRAIN=no"])
def test_a_signal_that_is_none_says_nothing(signal: bytes) -> None:
    assert read(b"User-agent: *\nContent-Signal: " + signal).statements == ()


def test_signals_may_stand_in_quotes_and_apart() -> None:
    lines = b"User-agent: *\nContent-Signal: AI-Train = \"No\" , search='yes'; ai-input=no"

    assert read(lines).decisions == {
        Purpose.TRAIN_AI: Decision.DENY,
        Purpose.TRAIN_OTHER: Decision.DENY,
        Purpose.SEARCH: Decision.ALLOW,
        Purpose.AI_INPUT: Decision.DENY,
    }


def test_a_yes_for_what_may_not_be_crawled_does_not_count() -> None:
    lines = b"User-agent: *\nDisallow: /\nContent-Signal: ai-train=yes, ai-input=no"

    assert read(lines).decisions == {Purpose.AI_INPUT: Decision.DENY}


def test_disallowing_a_known_crawler_refuses_what_it_crawls_for() -> None:
    (statement,) = read(b"User-agent: GPTBot\nDisallow: /", agent="gptbot").statements

    assert (statement.purpose, statement.decision) == (Purpose.TRAIN_AI, Decision.DENY)
    assert (statement.standard, statement.params) == (Standard.ROBOTS, (("agent", "GPTBot"),))
    assert (statement.source, statement.raw) == ("robots.txt:2", "Disallow: /")


def test_a_crawler_is_not_bound_by_what_another_is_told() -> None:
    lines = b"User-agent: GPTBot\nDisallow: /"

    assert read(lines, agent="CCBot").statements == ()
    assert read(lines, agent=None).decisions == {Purpose.TRAIN_AI: Decision.DENY}


def test_being_allowed_to_crawl_permits_no_use() -> None:
    assert read(b"User-agent: GPTBot\nAllow: /", agent="GPTBot").statements == ()
    assert read(b"User-agent: *\nDisallow: /").statements == ()


def test_an_unnamed_asker_hears_every_refusal_and_no_strangers_permission() -> None:
    lines = (
        b"Content-Signal: ai-input=no, search=yes\n"
        b"User-agent: AcmeBot\nContent-Usage: train-ai=n, search=y\n"
    )

    assert read(lines).decisions == {
        Purpose.AI_INPUT: Decision.DENY,
        Purpose.TRAIN_AI: Decision.DENY,
    }


# As sites write it: several crawlers on one line.
LISTED = b"""\
User-agent: *
Content-Signal: ai-input=no
Disallow: /admin/

User-agent: GPTBot, CCBot
Disallow: /art/
Content-Signal: ai-train=no, search=yes
Content-Usage: train-ai=n, search=y
"""


def test_a_list_of_crawlers_refuses_for_each_and_permits_only_the_first() -> None:
    refused = {Purpose.TRAIN_AI: Decision.DENY, Purpose.TRAIN_OTHER: Decision.DENY}

    assert read(LISTED, agent="GPTBot").decisions == refused | {Purpose.SEARCH: Decision.ALLOW}
    assert read(LISTED, agent="CCBot").decisions == refused | {Purpose.AI_INPUT: Decision.DENY}
    assert read(LISTED, agent="other").decisions == {Purpose.AI_INPUT: Decision.DENY}


def test_a_crawler_in_a_list_is_refused_by_that_list_alone() -> None:
    def refusing(path: str) -> list[str]:
        found = read(LISTED, path, "CCBot").statements
        return [s.source for s in found if s.standard == Standard.ROBOTS]

    assert set(refusing("/art/")) == {"robots.txt:6"}
    assert refusing("/admin/") == []


def test_a_list_of_crawlers_shares_its_license() -> None:
    robots = parse(b"User-agent: GPTBot, CCBot\nLicense: https://ada.example/license.xml\n")

    for agent in ("GPTBot", "CCBot"):
        assert [r.value for r in licenses_for(robots, agent)] == ["https://ada.example/license.xml"]
    assert licenses_for(robots, "other") == ()


def test_a_truncated_file_permits_nothing() -> None:
    lines = b"User-agent: *\nContent-Usage: train-ai=y, search=n\n" + b"#" * LIMIT

    assert read(lines).decisions == {Purpose.SEARCH: Decision.DENY}


def test_licenses_of_a_group_override_those_outside() -> None:
    robots = parse(
        b"License: https://ada.example/all.xml\n"
        b"User-agent: *\nAllow: /\n"
        b"User-agent: AcmeBot\nLicense: https://ada.example/acme.xml\n"
    )

    def values(agent: str | None) -> list[str]:
        return [rule.value for rule in licenses_for(robots, agent)]

    assert values("AcmeBot") == ["https://ada.example/acme.xml"]
    assert values("other") == ["https://ada.example/all.xml"]
    assert values(None) == ["https://ada.example/all.xml", "https://ada.example/acme.xml"]


def test_a_policy_is_written_for_a_whole_host() -> None:
    policy = Policy(
        {
            Purpose.TRAIN_AI: Decision.LICENSE,
            Purpose.TRAIN_OTHER: Decision.ALLOW,
            Purpose.AI_INPUT: Decision.DENY,
            Purpose.SEARCH: Decision.ALLOW,
            Purpose.DATA_MINING: Decision.DENY,
        },
        rsl_uri="https://ada.example/license.xml",
    )

    result = write(policy)

    assert result.text == (
        "User-agent: *\n"
        "Allow: /\n"
        "Content-Usage: train-ai=n, search=y\n"
        "Content-Signal: ai-train=no, ai-input=no, search=yes\n"
        "License: https://ada.example/license.xml\n"
    )
    assert result.differences == (
        Difference(Purpose.TRAIN_AI, Decision.LICENSE, Decision.DENY),
        Difference(Purpose.TRAIN_OTHER, Decision.ALLOW, Decision.DENY),
        Difference(Purpose.DATA_MINING, Decision.DENY, Decision.UNKNOWN),
    )


def test_a_policy_below_the_root_is_scoped() -> None:
    result = write(Policy({Purpose.TRAIN_AI: Decision.DENY}, path="/photos/"))

    assert "Content-Usage: /photos/ train-ai=n\n" in result.text
    assert read(result.text.encode(), "/photos/1.jpg").decisions == {"train-ai": "deny"}
    assert read(result.text.encode(), "/about").statements == ()


@given(WISHES, st.sampled_from(["/", "/photos/"]))
def test_what_is_written_is_never_looser(wishes: dict[Purpose, Decision], path: str) -> None:
    policy = Policy(wishes, path=path)

    result = write(policy)
    stated = read(result.text.encode(), path + "a").decisions

    differing = {d.purpose: (d.wanted, d.stated) for d in result.differences}
    for purpose in Purpose:
        wish, said = policy.wish(purpose), stated.get(purpose, Decision.UNKNOWN)
        assert differing.get(purpose, (wish, wish)) == (wish, said)
        assert said != Decision.ALLOW or wish == Decision.ALLOW


LINES = st.lists(
    st.sampled_from(
        [
            "User-agent: *",
            "User-agent: GPTBot",
            "Disallow: /",
            "Content-Usage: train-ai=n",
            "Content-Signal: ai-train=no",
            "License: x",
        ]
    )
    | st.text(max_size=20).map("Content-Usage: ".__add__)
    | st.text(max_size=20).map("Content-Signal: /".__add__)
    | st.text(max_size=20),
    max_size=10,
).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200) | LINES, st.none() | st.text(max_size=10))
def test_any_file_is_read_without_raising(data: bytes, agent: str | None) -> None:
    robots = parse(data)
    stated = statements_for(robots, "/a", agent).decisions

    assert Decision.ALLOW not in stated.values() or b"y" in data
    assert all(rule.label == "license" for rule in licenses_for(robots, agent))

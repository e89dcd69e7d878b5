"""The templates of rslstandard.org's guides, and the precedence of RSL 1.0, section 3.1.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import rsl
from tribute.standards.policy import Difference, Policy
from tribute.standards.rsl_usage import statements_for, write
from tribute.standards.statement import Parsed
from tribute.vocabulary import Decision, Purpose

WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))
ALL_DENIED = dict.fromkeys(Purpose, Decision.DENY)


def document(*contents: str) -> bytes:
    return f'<rsl xmlns="https://rslstandard.org/rsl">{"".join(contents)}</rsl>'.encode()


def content(*licenses: str, url: str = "/", more: str = "") -> str:
    return f'<content url="{url}"{more}>{"".join(f"<license>{x}</license>" for x in licenses)}</content>'


def permits(words: str, kind: str = "usage") -> str:
    return f'<permits type="{kind}">{words}</permits>'


def prohibits(words: str, kind: str = "usage") -> str:
    return f'<prohibits type="{kind}">{words}</prohibits>'


def read(data: bytes, url: str = "/") -> Parsed:
    return statements_for(rsl.parse(data), url)


def decided(*contents: str, url: str = "/") -> dict[Purpose, Decision]:
    return read(document(*contents), url).decisions


# rslstandard.org, specification, section 3.3, as it is quoted for prohibiting AI use
PROHIBIT = b"""\
<rsl xmlns="https://rslstandard.org/rsl">
  <content url="/">
    <license>
      <prohibits type="usage">ai-all</prohibits>
    </license>
  </content>
</rsl>
"""
# rslstandard.org/guide/ai-preferences
DRAFT = b"""\
<rsl xmlns="https://rslstandard.org/rsl">
 <content url="/">
  <license>
   <permits type="usage">train-ai</permits>
   <payment type="subscription">
    <custom>https://your-website.com/contact-form.html</custom>
   </payment>
  </license>
 </content>
</rsl>
"""


def test_prohibiting_ai_use_says_nothing_of_search() -> None:
    parsed = read(PROHIBIT)

    assert parsed.decisions == dict.fromkeys(
        [Purpose.TRAIN_AI, Purpose.TRAIN_OTHER, Purpose.AI_INPUT], Decision.DENY
    )
    assert {s.source for s in parsed.statements} == {"rsl.xml:3"}
    assert {s.vocabulary for s in parsed.statements} == {"rsl-1.0"}


def test_a_drafts_words_are_translated_and_named() -> None:
    parsed = read(DRAFT)
    (training, *_) = (s for s in parsed.statements if s.purpose == Purpose.TRAIN_AI)

    assert training.decision == Decision.LICENSE
    assert training.vocabulary == "rsl-draft-2025"
    assert training.terms_uri == "https://your-website.com/contact-form.html"
    assert training.params == (("payment", "subscription"),)
    assert parsed.decisions[Purpose.SEARCH] == Decision.DENY


@pytest.mark.parametrize("separator", [" ", ",", ", ", "\n"])
def test_lists_are_separated_by_spaces_or_commas(separator: str) -> None:
    words = separator.join(["search", "ai-input"])

    found = decided(content(permits(words)))

    assert found[Purpose.SEARCH] == found[Purpose.AI_INPUT] == Decision.ALLOW
    assert found[Purpose.TRAIN_AI] == Decision.DENY


def test_everything_prohibited_is_everything_denied() -> None:
    assert decided(content(prohibits("all"))) == ALL_DENIED


def test_within_a_licence_a_prohibition_beats_the_same_permission() -> None:
    assert (
        decided(content(permits("ai-train") + prohibits("ai-train")))[Purpose.TRAIN_AI]
        == Decision.DENY
    )


def test_a_general_prohibition_does_not_beat_a_specific_permission() -> None:
    found = decided(content(permits("search") + prohibits("all")))

    assert found == ALL_DENIED | {Purpose.SEARCH: Decision.ALLOW}


@pytest.mark.parametrize(
    "conditions",
    [
        '<payment type="attribution"/>',
        '<payment type="crawl"><amount currency="USD">0.015</amount></payment>',
        '<payment type="acme:barter"/>',
        '<payment type="free"><standard>https://creativecommons.org/licenses/by/4.0/</standard></payment>',
        '<permits type="user">non-commercial</permits>',
        '<permits type="geo">EU</permits>',
        '<prohibits type="geo">US</prohibits>',
        '<reporting type="audit" endpoint="https://ada.example/"/>',
        "<condition/>",
    ],
)
def test_a_condition_makes_a_licence_of_a_permission(conditions: str) -> None:
    found = decided(content(permits("ai-train") + conditions))

    assert found[Purpose.TRAIN_AI] == Decision.LICENSE


@pytest.mark.parametrize("more", [' server="https://olp.example/"', ' encrypted="true"'])
def test_a_licence_server_must_be_asked_even_for_free(more: str) -> None:
    found = decided(content(permits("ai-train"), more=more))

    assert found[Purpose.TRAIN_AI] == Decision.LICENSE
    assert decided(content(prohibits("all"), more=more)) == ALL_DENIED


def test_terms_beside_a_free_licence_are_to_be_accepted() -> None:
    """They hold legal text that the document does not (section 3, "terms")."""
    free = content(permits("ai-train") + '<payment type="free"/>')
    termed = free.replace("</content>", "<terms> https://ada.example/terms </terms></content>")

    first, *_ = read(document(termed)).statements

    assert decided(free)[Purpose.TRAIN_AI] == Decision.ALLOW
    assert decided(free.replace("</content>", "<terms/></content>"))[Purpose.TRAIN_AI] == (
        Decision.ALLOW
    )
    assert (first.purpose, first.decision, first.terms_uri) == (
        Purpose.TRAIN_AI,
        Decision.LICENSE,
        "https://ada.example/terms",
    )


def test_free_and_warranted_is_a_permission() -> None:
    free = permits("ai-train") + '<payment type="free"/><legal type="warranty">ownership</legal>'

    assert decided(content(free))[Purpose.TRAIN_AI] == Decision.ALLOW


def test_several_licences_are_alternative_offers() -> None:
    free = permits("search") + prohibits("ai-train")
    paid = permits("ai-train") + '<payment type="training"/>'

    found = decided(content(free, paid))

    assert found[Purpose.SEARCH] == Decision.ALLOW
    assert found[Purpose.TRAIN_AI] == Decision.LICENSE
    assert found[Purpose.AI_INPUT] == Decision.DENY


def test_a_free_offer_does_not_survive_another_licences_prohibition() -> None:
    assert (
        decided(content(permits("ai-train"), prohibits("ai-train")))[Purpose.TRAIN_AI]
        == Decision.DENY
    )


def test_the_most_specific_content_permits_and_a_wider_one_still_prohibits() -> None:
    site = content(permits("search") + prohibits("ai-train"))
    free = content(permits("ai-input ai-train"), url="/free/")

    found = decided(site, free, url="/free/a")

    assert found[Purpose.AI_INPUT] == Decision.ALLOW
    assert found[Purpose.TRAIN_AI] == Decision.DENY
    assert found[Purpose.SEARCH] == Decision.DENY
    assert decided(site, free, url="/about")[Purpose.SEARCH] == Decision.ALLOW


def test_a_wider_prohibition_stays_beside_a_licence_that_does_not_mention_it() -> None:
    site = content(prohibits("ai-train"), permits("search"))
    free = content(permits("ai-train"), url="/free/")

    assert decided(site, free, url="/free/a")[Purpose.TRAIN_AI] == Decision.DENY


def test_a_wider_prohibition_of_an_index_leaves_what_a_narrower_content_permits() -> None:
    site, free = content(prohibits("ai-index")), content(permits("ai-input"), url="/free/")

    assert decided(site, free, url="/free/a")[Purpose.AI_INPUT] == Decision.ALLOW


def test_a_prohibition_without_a_type_still_prohibits() -> None:
    untyped = "<prohibits>ai-train</prohibits><permits>search</permits>"

    assert decided(content(untyped)) == {
        Purpose.TRAIN_AI: Decision.DENY,
        Purpose.TRAIN_OTHER: Decision.DENY,
        Purpose.AI_INPUT: Decision.LICENSE,
        Purpose.SEARCH: Decision.LICENSE,
        Purpose.DATA_MINING: Decision.LICENSE,
    }


@pytest.mark.parametrize(
    ("pattern", "url", "covered"),
    [
        ("https://ada.example/art/*", "https://ada.example/art/1.jpg", True),
        ("https://ada.example/art/*", "https://ben.example/art/1.jpg", False),
        ("https://Ada.example/", "https://ada.example/x", True),
        ("/art/*.jpg$", "https://ada.example/art/1.jpg", True),
        ("/art/*.jpg$", "https://ada.example/art/1.jpg?x", False),
        ("", "anything", True),
        ("art", "/art", False),
    ],
)
def test_contents_cover_addresses(pattern: str, url: str, covered: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(decided(content(prohibits("all"), url=pattern), url=url)) is covered


def test_an_index_restricts_only_what_nothing_else_speaks_of() -> None:
    assert decided(content(prohibits("ai-index"))) == {Purpose.AI_INPUT: Decision.DENY}
    spoken = decided(content(permits("ai-input") + prohibits("ai-index")))
    assert spoken[Purpose.AI_INPUT] == Decision.ALLOW
    assert Decision.ALLOW not in decided(content(permits("ai-index"))).values()


def test_unknown_words_are_problems_and_permit_nothing() -> None:
    parsed = read(document(content(permits("ai-everything"))))

    assert parsed.decisions == {}
    assert [p.code for p in parsed.problems] == ["rsl_unknown_use"]


def test_another_namespace_can_only_refuse() -> None:
    foreign = document(content(permits("search") + prohibits("ai-train"))).replace(
        b"https://rslstandard.org/rsl", b"https://rslstandard.example/"
    )

    parsed = read(foreign)

    assert Purpose.SEARCH not in parsed.decisions
    assert parsed.decisions[Purpose.TRAIN_AI] == Decision.DENY
    assert [p.code for p in parsed.problems] == ["rsl_other_root"]


BOMB = b'<!DOCTYPE rsl [<!ENTITY a "ai-train">]>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<rsl",
        BOMB + document(content(permits("&a;"))),
        b'<!DOCTYPE rsl SYSTEM "file:///etc/passwd">' + document(content(permits("all"))),
        b"<a>" * 50 + b"</a>" * 50,
        b"<rsl>" + b"<content/>" * 30_000 + b"</rsl>",
        document("x" * 2_000_000),
        "<rsl/>".encode("utf-32"),
    ],
)
def test_hostile_documents_say_nothing(data: bytes) -> None:
    parsed = read(data)

    assert parsed.statements == ()
    assert [p.code for p in parsed.problems] == ["rsl_unreadable"]


def test_a_policy_is_written() -> None:
    policy = Policy(
        {
            Purpose.TRAIN_AI: Decision.LICENSE,
            Purpose.TRAIN_OTHER: Decision.LICENSE,
            Purpose.AI_INPUT: Decision.DENY,
            Purpose.SEARCH: Decision.ALLOW,
        },
        terms_uri="https://ada.example/terms",
        owner="Ada & Sons",
    )

    result = write(policy)

    assert result.text == (
        '<rsl xmlns="https://rslstandard.org/rsl">\n'
        '  <content url="/">\n'
        "    <license>\n"
        '      <permits type="usage">search</permits>\n'
        '      <prohibits type="usage">ai-input</prohibits>\n'
        "    </license>\n"
        "    <license>\n"
        '      <permits type="usage">ai-train</permits>\n'
        '      <prohibits type="usage">ai-input</prohibits>\n'
        '      <payment type="training"><custom>https://ada.example/terms</custom></payment>\n'
        "    </license>\n"
        "    <copyright>Ada &amp; Sons</copyright>\n"
        "  </content>\n"
        "</rsl>\n"
    )
    assert result.differences == (Difference(Purpose.DATA_MINING, Decision.UNKNOWN, Decision.DENY),)


@pytest.mark.parametrize("decision", [Decision.ALLOW, Decision.DENY, Decision.LICENSE])
def test_one_decision_for_everything_is_written_whole(decision: Decision) -> None:
    result = write(Policy(dict.fromkeys(Purpose, decision)))

    assert result.differences == ()


@given(WISHES, st.sampled_from(["/", "/a/"]), st.sampled_from([None, "https://ada.example/t"]))
def test_what_is_written_is_never_looser(
    wishes: dict[Purpose, Decision], path: str, terms: str | None
) -> None:
    policy = Policy(wishes, path=path, terms_uri=terms)
    result = write(policy)

    stated = read(result.text.encode(), path + "x").decisions
    differing = {d.purpose: (d.wanted, d.stated) for d in result.differences}
    for purpose in Purpose:
        wish, said = policy.wish(purpose), stated.get(purpose, Decision.UNKNOWN)
        assert differing.get(purpose, (wish, wish)) == (wish, said)
        assert said != Decision.ALLOW or wish == Decision.ALLOW
        if purpose != Purpose.DATA_MINING and wish == Decision.DENY:
            assert said == Decision.DENY


RULES = st.builds(
    lambda name, kind, words: f'<{name} type="{kind}">{words}</{name}>',
    st.sampled_from(["permits", "prohibits"]),
    st.sampled_from(["usage", "user", "geo", ""]),
    st.sampled_from(["all", "ai-all", "ai-train", "search", "ai-index", "train-ai", "x", ""]),
) | st.sampled_from(['<payment type="use"/>', '<payment type="free"/>', "<terms/>", "<x>"])
CONTENTS = st.builds(
    lambda rules, url: content(*rules, url=url),
    st.lists(st.lists(RULES, max_size=4).map("".join), max_size=3),
    st.sampled_from(["/", "", "/a", "https://x/", "https://[", "::"]),
)


@given(st.lists(CONTENTS, max_size=3), st.sampled_from(["/", "/a", "https://x/a", "", "x"]))
def test_any_document_is_read_without_raising(contents: list[str], url: str) -> None:
    data = document(*contents)

    stated = read(data, url).decisions

    assert Decision.ALLOW not in stated.values() or b"<permits" in data


@given(st.binary(max_size=200))
def test_any_octets_are_read_without_raising(data: bytes) -> None:
    assert read(data).statements == ()
    assert read(document().replace(b"</rsl>", data + b"</rsl>")).statements == ()

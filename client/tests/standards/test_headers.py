"""DeviantArt's convention, and the spellings that other readers got wrong."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import markup, tdmrep
from tribute.standards.headers import collect, license_links, parse, parse_page, write
from tribute.standards.policy import Policy
from tribute.vocabulary import Decision, Purpose

TRAINING = dict.fromkeys([Purpose.TRAIN_AI, Purpose.TRAIN_OTHER], Decision.DENY)
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def tagged(value: str, agent: str | None = None) -> dict[Purpose, Decision]:
    return parse({"x-robots-tag": [value]}, agent=agent)[0].decisions


@pytest.mark.parametrize(
    ("value", "agent", "expected"),
    [
        ("noai, noimageai", None, TRAINING),
        ("NOAI", "acme", TRAINING),
        ("noai, otherbot: all", "acme", TRAINING),
        ("googlebot: noindex, noai", "acme", {}),
        ("googlebot: noindex, noai", "GoogleBot", TRAINING | {Purpose.SEARCH: Decision.DENY}),
        ("googlebot: noindex, noai", None, TRAINING | {Purpose.SEARCH: Decision.DENY}),
        ("otherbot: all, *: noai", "acme", TRAINING),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noai", "acme", TRAINING),
        ("none", None, {Purpose.SEARCH: Decision.DENY}),
        ("noml", None, TRAINING | {Purpose.DATA_MINING: Decision.DENY}),
        ("all, ai, index", None, {}),
        ("xnoai", None, {}),
    ],
)
def test_directives_are_read_for_whom_they_address(
    value: str, agent: str | None, expected: dict[Purpose, Decision]
) -> None:
    assert tagged(value, agent) == expected


def test_a_statement_says_whom_and_what_it_addresses() -> None:
    statement, *_ = parse({"x-robots-tag": ["acme: noimageai"]})[0].statements

    assert statement.source == "header:x-robots-tag"
    assert statement.raw == "X-Robots-Tag: acme: noimageai"
    assert statement.params == (("media", "image"), ("agent", "acme"))


def test_a_whole_response_is_read() -> None:
    fields = collect(
        [
            ("Content-Usage", "train-ai=n"),
            ("content-usage", "search=y"),
            ("TDM-Reservation", "1"),
            ("X-Robots-Tag", "noindex"),
        ]
    )

    parsed, reservation = parse(fields)

    assert parsed.decisions == {Purpose.TRAIN_AI: Decision.DENY, Purpose.SEARCH: Decision.DENY}
    assert reservation.value == 1


@pytest.mark.parametrize(
    ("html", "agent", "refused"),
    [
        ('<meta name="robots" content="noai, noimageai">', None, True),
        ("<META NAME=ROBOTS CONTENT=NOAI>", "acme", True),
        ('<meta name="acmebot" content="noai">', "AcmeBot", True),
        ('<meta name="acmebot" content="noai">', "other", False),
        ('<meta name="acmebot" content="noai">', None, True),
        ('<meta name="description" content="noai explained">', None, False),
    ],
)
def test_meta_elements_are_read(html: str, agent: str | None, refused: bool) -> None:  # noqa: FBT001 - a table's column
    parsed = parse_page(markup.parse(html.encode()), agent=agent)

    assert parsed.decisions == (TRAINING if refused else {})


def test_a_page_that_was_not_read_whole_is_a_problem() -> None:
    page = markup.parse(b" " * 5_000_000)

    assert [p.code for p in parse_page(page).problems] == ["page_incomplete"]


@pytest.mark.parametrize("name", ["robots", "GPTBot", "Applebot-Extended", "ChatGPT-User"])
def test_a_page_may_name_crawlers(name: str) -> None:
    page = markup.parse(
        f'<meta name="{name}" content="noai"><meta name="author" content="noai">'.encode()
    )

    assert parse_page(page).decisions == TRAINING
    assert parse_page(page, agent=name).decisions == TRAINING
    assert parse_page(page, agent="other").decisions == (TRAINING if name == "robots" else {})


def test_license_links_are_found() -> None:
    # RSL 1.0, section 4.5
    link = '<https://ada.example/rsl.xml>; rel="license"; type="application/rsl+xml"'
    others = '</style.css>; rel=preload, <https://creativecommons.org/>; rel="license"'

    assert license_links({"link": [f"{others}, {link}"]}) == ("https://ada.example/rsl.xml",)
    assert license_links({"link": [others]}) == ()
    assert license_links({}) == ()


@pytest.mark.parametrize(
    ("field", "targets"),
    [  # RFC 8288, sections 3 and 3.5, and what appendix B makes of other fields
        ("</l.xml>;rel=license;type=application/rsl+xml", ["/l.xml"]),
        ('</l.xml> ;\tREL = "start LICENSE" ; TYPE="Application/RSL+XML"', ["/l.xml"]),
        ("</l.xml>; title*=UTF-8'de'letztes%20Kapitel; rel=license; {type}", ["/l.xml"]),
        ('</l.xml>; title="a \\" , <x>; rel=next"; rel="license"; {type}', ["/l.xml"]),
        ('</l.xml>; rel="license";; nopush; {type};', ["/l.xml"]),
        ('</l.xml>; rel=license; type="application\\/rsl+xml; charset=utf-8"', ["/l.xml"]),
        ("</a,b>; rel=license; {type}, </c>; rel=license; {type}", ["/a,b", "/c"]),
        ('</a>; rel="x, nonsense "y", , </b>; rel=license; {type}', ["/b"]),
        ("</l.xml>; rel=next; rel=license; {type}", []),
        ("</l.xml>; rel='license'; {type}", []),
        ("</l.xml; rel=license; {type}", []),
    ],
)
def test_link_fields_are_read_to_the_letter(field: str, targets: list[str]) -> None:
    field = field.replace("{type}", 'type="application/rsl+xml"')

    assert list(license_links({"link": [field]})) == targets


@pytest.mark.parametrize(
    "part", ["<", "<,", "<a>;", "<a>; b", '<a>; b="', "<a>,", "; ", ",", "<a>; b=\\"]
)
def test_hostile_links_take_no_time(part: str) -> None:
    started = time.process_time()

    license_links({"link": [part * (65_536 // len(part))]})

    assert time.process_time() - started < 2


def test_a_policy_is_written() -> None:
    policy = Policy(
        {Purpose.TRAIN_AI: Decision.DENY, Purpose.TRAIN_OTHER: Decision.DENY},
        rsl_uri="https://ada.example/license.xml",
    )

    assert write(policy).text == (
        "Content-Usage: train-ai=n\r\n"
        "tdm-reservation: 1\r\n"
        "X-Robots-Tag: noai, noimageai\r\n"
        'Link: <https://ada.example/license.xml>; rel="license"; type="application/rsl+xml"\r\n'
    )


@given(WISHES, st.sampled_from([None, "https://ada.example/t"]))
def test_what_is_written_is_never_looser(
    wishes: dict[Purpose, Decision], terms: str | None
) -> None:
    policy = Policy(wishes, terms_uri=terms)
    result = write(policy)
    lines = [line.partition(": ") for line in result.text.split("\r\n") if line]

    parsed, reservation = parse(collect((name, value) for name, _, value in lines))
    stated = (parsed + tdmrep.statements_of(reservation)).decisions

    differing = {d.purpose: (d.wanted, d.stated) for d in result.differences}
    for purpose in Purpose:
        wish, said = policy.wish(purpose), stated.get(purpose, Decision.UNKNOWN)
        assert differing.get(purpose, (wish, wish)) == (wish, said)
        assert said != Decision.ALLOW or wish == Decision.ALLOW
        assert wish != Decision.DENY or said == Decision.DENY


@given(
    st.dictionaries(
        st.sampled_from(["x-robots-tag", "content-usage", "tdm-reservation", "tdm-policy", "link"]),
        st.lists(st.text(max_size=60) | st.text('<>;,="rel icnse:noai', max_size=60), max_size=3),
    ),
    st.none() | st.text(max_size=5),
)
def test_any_fields_are_read_without_raising(
    headers: dict[str, list[str]], agent: str | None
) -> None:
    parsed, reservation = parse(headers, agent=agent)

    assert {s.decision for s in parsed.statements if s.standard != "aipref"} <= {Decision.DENY}
    assert reservation.value in {None, 0, 1}
    assert isinstance(license_links(headers), tuple)


def test_whoever_asks_with_a_version_is_the_same_crawler() -> None:
    fields = {"x-robots-tag": ["foobot: noai"]}
    page = markup.parse(b'<meta name="FooBot" content="noai">')

    assert parse(fields, agent="FooBot/2.1")[0].decisions == TRAINING
    assert parse_page(page, agent="FooBot/2.1").decisions == TRAINING

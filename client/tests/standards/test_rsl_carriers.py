"""RSL in feeds (RSL 1.0, section 4.7) and inside files (section 4.8)."""

import pytest

from tribute.standards import epub, rsl_carriers, safe_xml
from tribute.standards.rsl_carriers import parse_feed
from tribute.standards.statement import Parsed, cautious
from tribute.vocabulary import Decision, Purpose

ARTICLE = "https://ada.example/articles/1"
RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:rsl="https://rslstandard.org/rsl" version="2.0">
  <channel>
    <title>Ada's notes</title>
    <link>https://ada.example/</link>
    <description>What I write.</description>
    <item>
      <title>One</title>
      <link>{ARTICLE}</link>
      <rsl:content url="{ARTICLE}">
        <rsl:license>
          <rsl:permits type="usage">ai-all</rsl:permits>
          <rsl:payment type="use"><rsl:amount currency="EUR">0.05</rsl:amount></rsl:payment>
        </rsl:license>
      </rsl:content>
    </item>
    <item>
      <title>Two</title>
      <guid>https://ada.example/articles/2</guid>
      <rsl:content>
        <rsl:license><rsl:prohibits type="usage">ai-train</rsl:prohibits></rsl:license>
      </rsl:content>
    </item>
    <item>
      <link>https://ada.example/articles/3</link>
      <rsl:content url="/articles/3">
        <rsl:license><rsl:permits type="usage">all</rsl:permits></rsl:license>
      </rsl:content>
    </item>
    <item><link>https://ada.example/articles/4</link></item>
  </channel>
</rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:r="https://rslstandard.org/rsl">
  <entry>
    <link rel="self" href="https://ada.example/feed"/>
    <link href="https://ada.example/a"/>
    <r:license><r:prohibits type="usage">all</r:prohibits></r:license>
  </entry>
</feed>"""
RDF = """<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:l="https://rslstandard.org/rsl"
    xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <item rdf:about="https://ada.example/a"><l:rsl><l:content><l:license>
    <l:prohibits type="usage">all</l:prohibits></l:license></l:content></l:rsl></item>
</rdf:RDF>"""
FREE = '<rsl:license><rsl:permits type="usage">all</rsl:permits></rsl:license>'
DENIED = dict.fromkeys(Purpose, Decision.DENY)


def said(text: str | bytes, url: str) -> dict[Purpose, Decision]:
    data = text.encode() if isinstance(text, str) else text
    feed = parse_feed(data, source="feed.xml")
    assert feed is not None
    return feed.statements_for(url).decisions


def test_each_item_speaks_of_its_own_address() -> None:
    one, two, three = (said(RSS, f"https://ada.example/articles/{n}") for n in (1, 2, 3))

    assert one[Purpose.TRAIN_AI] == Decision.LICENSE
    assert one[Purpose.SEARCH] == Decision.DENY  # what a list of permissions leaves out
    assert two == {Purpose.TRAIN_AI: Decision.DENY, Purpose.TRAIN_OTHER: Decision.DENY}
    assert three == dict.fromkeys(Purpose, Decision.ALLOW)
    assert said(RSS, "https://ada.example/articles/4") == {}
    assert said(RSS, "https://mallory.example/articles/2") == {}


def test_a_statement_keeps_its_line_and_its_price() -> None:
    feed = parse_feed(RSS.encode(), source="feed.xml")
    assert feed is not None

    first = feed.statements_for(ARTICLE).statements[0]

    assert (first.source, first.scope) == ("feed.xml:11", ARTICLE)
    assert ("amount", "0.05 EUR") in first.params


@pytest.mark.parametrize("text", [ATOM, RDF])
def test_atom_and_rss_1_are_read_alike(text: str) -> None:
    assert said(text, "https://ada.example/a") == DENIED


def test_a_feed_itself_is_refused_what_any_item_refuses() -> None:
    feed = parse_feed(RSS.encode(), source="feed.xml")
    assert feed is not None

    found = feed.refusals()

    assert found.decisions[Purpose.TRAIN_AI] == Decision.DENY
    assert found.decisions[Purpose.AI_INPUT] == Decision.LICENSE
    assert Decision.ALLOW not in {s.decision for s in found.statements}
    assert {s.scope for s in found.statements} == {ARTICLE, "https://ada.example/articles/2"}


@pytest.mark.parametrize("pattern", ["/a$", "https://ada.example/*b", "/%61*$"])
def test_whatever_place_is_refused_the_feed_itself_is(pattern: str) -> None:
    text = RSS.replace(f'url="{ARTICLE}"', f'url="{pattern}"').replace("permits", "prohibits")
    feed = parse_feed(text.encode())
    assert feed is not None

    assert feed.refusals().decisions[Purpose.AI_INPUT] == Decision.DENY


@pytest.mark.parametrize(
    "text",
    [
        RSS.replace("<item>", f"<rsl:content url='{ARTICLE}'>{FREE}</rsl:content><item>", 1),
        RSS.replace("<item>", f"<rsl:content>{FREE}</rsl:content><item>", 1),
        RSS.replace("<item>", f"<item><rsl:content>{FREE}</rsl:content></item><item>", 1),
        RSS.replace("rslstandard.org/rsl", "rslstandard.org/rsl/"),
        RSS.replace("https://rsl", "http://RSL"),
    ],
)
def test_what_the_standard_does_not_foresee_permits_nothing(text: str) -> None:
    unforeseen = said(text.replace(">ai-all<", ">all<").replace('url="/articles/3"', ""), ARTICLE)

    assert unforeseen[Purpose.TRAIN_AI] in {Decision.LICENSE, Decision.DENY}
    assert Decision.ALLOW not in said(text, "https://ada.example/other").values()


def test_a_refusal_around_the_items_counts_for_all() -> None:
    refused = "<rsl:license><rsl:prohibits type='usage'>all</rsl:prohibits></rsl:license>"
    text = RSS.replace("<item>", f"{refused}<item>", 1)

    assert said(text, "https://ada.example/articles/3") == DENIED


@pytest.mark.parametrize("text", ["<html/>", "<rsl/>", "<rss", "", "<feed/>", "\0"])
def test_what_is_no_feed_is_none(text: str) -> None:
    assert parse_feed(text.encode()) is None


@pytest.mark.parametrize(
    "data",
    [
        RSS.encode()[:-30],
        b"<!DOCTYPE rss>" + RSS.encode().partition(b"?>")[2],
        RSS.encode("utf-16")[:-1],
        RSS.replace("</channel>", " " * 9_000_000 + "</channel>").encode(),
    ],
)
def test_a_feed_that_cannot_be_read_may_refuse(data: bytes) -> None:
    feed = parse_feed(data)
    assert feed is not None

    found = feed.statements_for(ARTICLE)

    assert [p.code for p in found.problems] == ["rsl_unreadable"]
    assert all(c.decision == Decision.UNKNOWN for c in cautious(found).values())


def test_a_broken_feed_without_rsl_says_nothing() -> None:
    assert parse_feed(b"<rss><channel><item>") is None


def test_a_place_that_cannot_be_read_may_be_any() -> None:
    feed = parse_feed(RSS.replace('url="/articles/3"', 'url="articles/3"').encode())
    assert feed is not None

    assert [p.code for p in feed.statements_for("/").problems] == ["rsl_bad_url"]


def test_a_long_feed_is_read_to_its_end() -> None:
    items = "".join(
        f"<item><link>https://ada.example/{n}</link><a/><b/></item>" for n in range(9_000)
    )

    assert said(RSS.replace("<item>", items + "<item>", 1), "https://ada.example/articles/2")


BOOK = "https://ada.example/book.epub"
PACKAGE = f"""<package xmlns="http://www.idpf.org/2007/opf"><metadata>
  <rsl:rsl xmlns:rsl="https://rslstandard.org/rsl"><rsl:content url="{BOOK}">
    <rsl:license><rsl:permits type="usage">all</rsl:permits></rsl:license>
  </rsl:content></rsl:rsl></metadata></package>"""
REFUSED = PACKAGE.replace("permits", "prohibits")


def embedded(package: str, at: str) -> Parsed:
    return rsl_carriers.from_roots([("opf", safe_xml.parse(package.encode()))], at=at)


def test_a_licence_inside_a_file_goes_where_its_copies_go() -> None:
    for at in (BOOK, "https://library.example/copy.epub", "/"):
        found = embedded(REFUSED, at)

        assert found.decisions == DENIED
        assert found.statements[0].scope == BOOK


def test_a_licence_inside_a_file_permits_at_its_own_address_alone() -> None:
    assert embedded(PACKAGE, BOOK).decisions == dict.fromkeys(Purpose, Decision.ALLOW)
    assert embedded(PACKAGE, "https://library.example/copy.epub").decisions == {}
    assert embedded(PACKAGE.replace(f' url="{BOOK}"', ""), BOOK).decisions == {}


def picture(metadata: str, encoding: str = "utf-8") -> bytes:
    return b"\xff\xd8\xff\xe1" + metadata.encode(encoding) + b"\xff\xda\xff\xd9"


WRAPPER = REFUSED.partition("<metadata>")[2].partition("</metadata>")[0]


@pytest.mark.parametrize("data", [picture(WRAPPER), b"\x89PNG..iTXtXML:com" + WRAPPER.encode()])
def test_a_licence_inside_a_picture_is_read(data: bytes) -> None:
    found = rsl_carriers.from_media(data, [], source="a.jpg", at="/")

    assert found.decisions == DENIED
    assert found.statements[0].source.startswith("a.jpg:rsl[1]")


@pytest.mark.parametrize(
    "data",
    [
        picture(WRAPPER[:-20]),
        picture(WRAPPER, "utf-16-le"),
        picture(WRAPPER.replace("<rsl:r", "<rsl:q")),
    ],
)
def test_a_licence_that_is_not_found_may_refuse(data: bytes) -> None:
    found = rsl_carriers.from_media(data, [], source="a.jpg", at="/")

    assert [p.code for p in found.problems] == ["rsl_unreadable"]


def test_a_picture_that_only_mentions_rsl_says_nothing() -> None:
    data = picture("see https://rslstandard.org/rsl")

    assert rsl_carriers.from_media(data, [], source="a.jpg", at="/") == Parsed()


def test_every_package_of_an_epub_is_read_or_none() -> None:
    assert epub.of_file(b"PK", source="epub").problems[0].code == "epub_unreadable"

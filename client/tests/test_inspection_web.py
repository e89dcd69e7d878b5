import pytest

from client.tests.standards.test_hostile import epub
from tribute.fetching import Fetched, FetchFailed
from tribute.inspection import Findings
from tribute.inspection_web import inspect_url
from tribute.vocabulary import Decision, Purpose

PAGE = "https://ada.example/art/1"
RSL = '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>{}</license></content></rsl>'
PAID = RSL.format('<permits type="usage">ai-train</permits><payment type="training"/>')
FREE = RSL.format('<permits type="usage">all</permits>')


class Web:
    """Some addresses and what they answer; everything else is absent. Keeps what was asked."""

    def __init__(self, **more: Fetched | Exception) -> None:
        self.answers: dict[str, Fetched | Exception] = {
            PAGE: answer(PAGE, "<p>hello", media="text/html"),
        }
        self.asked: list[str] = []

    def put(self, url: str, body: str, **fields: str) -> "Web":
        self.answers[url] = answer(url, body, **fields)
        return self

    def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        found = self.answers.get(url, Fetched(url, 404, (), b""))
        if isinstance(found, Exception):
            raise found
        return found

    def inspect(self, url: str = PAGE, agent: str | None = None) -> Findings:
        return inspect_url(url, fetch=self, agent=agent)


def answer(url: str, body: str, media: str = "text/plain", **fields: str) -> Fetched:
    spelled = {name.replace("_", "-"): value for name, value in fields.items()}
    return Fetched(url, 200, tuple(({"Content-Type": media} | spelled).items()), body.encode())


def decisions(findings: Findings) -> dict[str, str]:
    return {
        purpose.value: found.decision.value
        for purpose, found in findings.combined.items()
        if found.decision != Decision.UNKNOWN
    }


def test_a_silent_site_says_nothing() -> None:
    web = Web()

    findings = web.inspect()

    assert decisions(findings) == {}
    assert findings.complete
    assert web.asked == [
        "https://ada.example/robots.txt",
        "https://ada.example/ai.txt",
        "https://ada.example/.well-known/tdmrep.json",
        PAGE,
    ]


def test_every_place_is_read_and_the_most_restrictive_wins() -> None:
    web = Web()
    web.put("https://ada.example/robots.txt", "User-agent: *\nContent-Usage: search=y, train-ai=y")
    web.put("https://ada.example/ai.txt", "Allow: /")
    web.put(PAGE, "<meta name=robots content=noai>", media="text/html", Content_Usage="search=y")

    findings = web.inspect()

    assert decisions(findings) == {"train-ai": "deny", "train-other": "deny", "search": "allow"}
    assert {s.standard.value for s in findings.parsed.statements} == {
        "aipref",
        "ai-txt",
        "x-robots",
    }


@pytest.mark.parametrize(
    ("header", "meta", "expected"),
    [
        ({}, "", "deny"),
        ({"tdm_reservation": "0"}, "", "allow"),
        ({"tdm_reservation": "0"}, '<meta name="tdm-reservation" content="1">', "deny"),
        ({"tdm_reservation": "7"}, "", "deny"),
    ],
)
def test_tdm_reservations_supersede_each_other(
    header: dict[str, str], meta: str, expected: str
) -> None:
    web = Web().put(PAGE, meta, media="text/html", **header)
    web.put(
        "https://ada.example/.well-known/tdmrep.json", '[{"location": "/", "tdm-reservation": 1}]'
    )

    assert decisions(web.inspect())["data-mining"] == expected


@pytest.mark.parametrize("where", ["robots", "header", "link"])
def test_licences_are_found_wherever_they_are_named(where: str) -> None:
    web = Web().put("https://ada.example/license.xml", PAID, media="application/rsl+xml")
    link = 'rel="license" type="application/rsl+xml"'
    if where == "robots":
        web.put("https://ada.example/robots.txt", "License: https://ada.example/license.xml")
    elif where == "header":
        named = '</license.xml>; rel="license"; type="application/rsl+xml"'
        web.put(PAGE, "", media="text/html", Link=named)
    else:
        web.put(PAGE, f'<link {link} href="../license.xml">', media="text/html")

    assert decisions(web.inspect())["train-ai"] == "license"


def test_a_licence_that_is_missing_permits_nothing() -> None:
    web = Web().put("https://ada.example/robots.txt", "License: /l.xml\nLicense: https://[\n")
    web.put("https://ada.example/ai.txt", "Allow: /")

    findings = web.inspect()

    assert decisions(findings) == {}
    assert not findings.complete


def test_only_some_licences_are_fetched() -> None:
    lines = "\n".join(f"License: https://ada.example/{n}.xml" for n in range(9))
    web = Web().put("https://ada.example/robots.txt", lines)
    for n in range(9):
        web.put(f"https://ada.example/{n}.xml", FREE)

    findings = web.inspect()

    assert sum(url.endswith(".xml") for url in web.asked) == 5
    assert decisions(findings) == {}


@pytest.mark.parametrize(
    "trouble", [FetchFailed("no route"), Fetched("x", 503, (), b""), Fetched("x", 429, (), b"")]
)
@pytest.mark.parametrize("name", ["robots.txt", "ai.txt", ".well-known/tdmrep.json"])
def test_a_file_that_cannot_be_reached_permits_nothing(
    name: str, trouble: Fetched | Exception
) -> None:
    web = Web().put(PAGE, "", media="text/html", tdm_reservation="0")
    web.answers[f"https://ada.example/{name}"] = trouble

    findings = web.inspect()

    assert decisions(findings) == {}
    assert not findings.complete
    assert (PAGE in web.asked) is (name != "robots.txt")


def test_a_web_page_in_a_files_place_is_no_such_file() -> None:
    web = Web().put("https://ada.example/ai.txt", "<p>Not found", media="text/html")

    findings = web.inspect()

    assert findings.complete
    assert findings.parsed.problems == ()


def test_a_page_that_crawlers_should_not_fetch_is_not_fetched() -> None:
    web = Web().put(
        "https://ada.example/robots.txt", "User-agent: *\nDisallow: /art\nContent-Signal: search=no"
    )

    findings = web.inspect()

    assert PAGE not in web.asked
    assert decisions(findings) == {"search": "deny"}
    assert not findings.complete


def test_a_redirect_is_read_at_both_ends() -> None:
    web = Web()
    web.answers[PAGE] = answer("https://ben.example/2", "", media="text/html")
    web.put("https://ben.example/robots.txt", "User-agent: *\nContent-Usage: train-ai=n")
    web.put(
        "https://ada.example/.well-known/tdmrep.json", '[{"location": "/", "tdm-reservation": 1}]'
    )

    assert decisions(web.inspect()) == {
        "train-ai": "deny",
        "train-other": "deny",
        "ai-input": "deny",
        "data-mining": "deny",
    }


def test_a_page_that_is_not_there_permits_nothing() -> None:
    web = Web().put("https://ada.example/ai.txt", "Allow: /")
    web.answers[PAGE] = Fetched(PAGE, 404, (), b"")

    assert decisions(web.inspect()) == {}
    web.answers[PAGE] = FetchFailed("no route")
    assert decisions(web.inspect()) == {}


def test_an_asker_with_a_name_is_answered_under_it() -> None:
    web = Web().put("https://ada.example/robots.txt", "User-agent: GPTBot\nDisallow: /")

    assert decisions(web.inspect(agent="acme")) == {}
    assert decisions(web.inspect(agent="gptbot")) == {"train-ai": "deny"}


def test_documents_of_other_kinds_are_read_by_what_they_are() -> None:
    packet = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/></rdf:RDF>'
    )
    web = Web().put(PAGE, "%PDF-1.7\n" + packet, media="application/pdf")

    assert decisions(web.inspect())[Purpose.DATA_MINING] == "deny"


FEED = """<rss version="2.0" xmlns:rsl="https://rslstandard.org/rsl"><channel><item>
  <link>https://ada.example/art/1</link><rsl:content url="/art/1"><rsl:license>
  <rsl:{} type="usage">all</rsl:{}></rsl:license></rsl:content></item></channel></rss>"""
REFUSING, PERMITTING = (FEED.format(word, word) for word in ("prohibits", "permits"))
FEED_URL = "https://ada.example/feed"


def linking(href: str = "/feed", times: int = 1) -> Web:
    link = '<link rel="alternate" type="application/rss+xml" href="{}">'
    links = "".join(link.format(href + "?" * n) for n in range(times))
    return Web().put(PAGE, links, media="text/html")


@pytest.mark.parametrize(("feed", "expected"), [(REFUSING, "deny"), (PERMITTING, "allow")])
def test_the_feed_that_a_page_links_is_read(feed: str, expected: str) -> None:
    web = linking().put(FEED_URL, feed, media="application/rss+xml")

    assert decisions(web.inspect())["search"] == expected


def test_another_hosts_feed_may_only_refuse() -> None:
    there = "https://feeds.example/ada"
    refusing = linking(there).put(there, REFUSING)
    permitting = linking(there).put(there, PERMITTING)

    assert decisions(refusing.inspect())["search"] == "deny"
    assert decisions(permitting.inspect()) == {}


@pytest.mark.parametrize("feed", [FetchFailed("no route"), answer(FEED_URL, REFUSING[:-9])])
def test_a_feed_that_cannot_be_read_may_refuse(feed: Fetched | Exception) -> None:
    web = linking()
    web.answers[FEED_URL] = feed

    assert not web.inspect().complete


def test_a_feed_that_is_gone_or_speaks_of_no_licence_says_nothing() -> None:
    assert linking().inspect().complete
    assert linking().put(FEED_URL, "<rss><chan", media="text/xml").inspect().complete


def test_only_some_feeds_are_fetched() -> None:
    web = linking(times=9)

    assert not web.inspect().complete
    assert sum(url.startswith(FEED_URL) for url in web.asked) == 5


@pytest.mark.parametrize("media", ["application/rss+xml", "text/xml", "application/xml"])
def test_a_feed_itself_is_refused_what_an_item_refuses(media: str) -> None:
    refusing = Web().put(PAGE, REFUSING.replace("/art/1", "/art/2"), media=media)
    permitting = Web().put(PAGE, PERMITTING, media=media)

    assert decisions(refusing.inspect())["search"] == "deny"
    assert decisions(permitting.inspect()) == {}


def test_a_licence_is_read_at_its_own_address() -> None:
    web = Web().put(PAGE, PAID, media="application/rsl+xml")

    assert decisions(web.inspect())["train-ai"] == "license"


def test_xml_of_another_kind_says_nothing() -> None:
    web = Web().put(PAGE, "<!DOCTYPE a><a>", media="application/xml")

    assert web.inspect().complete


def test_a_licence_inside_a_book_is_read() -> None:
    url = "https://ada.example/art/book"
    package = (
        '<package><metadata><r:rsl xmlns:r="https://rslstandard.org/rsl"><r:content url="{}">'
        '<r:license><r:permits type="usage">all</r:permits></r:license></r:content></r:rsl>'
        "</metadata></package>"
    )
    web = Web()
    for copy in (url, "https://mallory.example/copy"):
        body = epub(package.format(url))
        web.answers[copy] = Fetched(copy, 200, (("Content-Type", "application/epub+zip"),), body)

    assert decisions(web.inspect(url))["train-ai"] == "allow"
    assert decisions(web.inspect("https://mallory.example/copy")) == {}


def test_why_a_page_was_not_fetched_is_said() -> None:
    asking, silent = (
        Web().put("https://ada.example/robots.txt", "User-agent: *\nDisallow: /"),
        Web(),
    )
    silent.answers["https://ada.example/robots.txt"] = FetchFailed("no route")

    said = [web.inspect().parsed.problems[-1].message for web in (asking, silent)]

    assert said == [
        "robots.txt asks crawlers not to fetch this page",
        "the page was not fetched, since robots.txt may ask crawlers not to",
    ]

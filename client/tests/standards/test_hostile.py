"""What strangers may send to every reader: it never raises, never turns a refusal into a permission,
and takes time in proportion to what it reads."""

import io
import json
import random
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable

import pytest

from tribute.standards import (
    ai_txt,
    aipref,
    c2pa,
    headers,
    markup,
    odrl,
    robots,
    robots_usage,
    rsl,
    rsl_carriers,
    rsl_usage,
    tdm_ai,
    tdmrep,
    tdmrep_embedded,
    xmp,
)
from tribute.standards import epub as epubs
from tribute.standards.statement import Parsed, cautious, joined
from tribute.vocabulary import Decision

Reader = Callable[[bytes], Parsed]

ADDRESSES = ("/", "/a", "https://x.example/art/b?c=%41", "", "x", "\udcff", "http://[::1", "//x")
RSL = b'<rsl xmlns="https://rslstandard.org/rsl"><content url="%s"><license>%s</license></content></rsl>'
PROHIBITS = b'<prohibits type="usage">all</prohibits>'
METADATA = b"1 0 obj << /Subtype /XML /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj "
XMP = (
    b'%PDF-1.7\n<?xpacket begin="" id="W5"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:tdm="http://www.w3.org/ns/tdmrep/"><tdm:reservation>1</tdm:reservation>'
    b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def epub(package: str) -> bytes:
    """An EPUB of nothing but its package document."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="a.opf"/></rootfiles></container>',
        )
        archive.writestr("a.opf", package)
    return written.getvalue()


def manifest_store(assertions: list[object]) -> bytes:
    """A reader's JSON about a file whose signer is trusted."""
    manifests = {"m": {"assertions": assertions}}
    store = {"active_manifest": "m", "manifests": manifests, "validation_state": "Trusted"}
    return json.dumps(store).encode()


def refusal(use: str = "notAllowed") -> dict[str, object]:
    return {
        "label": "cawg.training-mining",
        "data": {"entries": {"cawg.ai_generative_training": {"use": use}}},
    }


def everywhere(read: Callable[[str], Parsed]) -> Parsed:
    return joined(read(address) for address in ADDRESSES)


def read_robots(data: bytes) -> Parsed:
    rules = robots.parse(data)
    asked = [robots_usage.statements_for(rules, a, t) for a in ADDRESSES for t in (None, "GPTBot")]
    robots_usage.licenses_for(rules)
    return joined(asked)


def read_page(data: bytes) -> Parsed:
    page = markup.parse(data)
    reservation, problems = tdmrep_embedded.from_page(page)
    found = headers.parse_page(page) + tdmrep.statements_of(reservation)
    return found + Parsed(problems=problems)


def read_headers(data: bytes) -> Parsed:
    value = data.decode("utf-8", "surrogateescape")
    names = ("X-Robots-Tag", "Content-Usage", "tdm-reservation", "tdm-policy", "Link")
    fields = headers.collect((name, value) for name in names)
    headers.license_links(fields)
    found, reservation = headers.parse(fields)
    return found + tdmrep.statements_of(reservation)


def read_tdmrep(data: bytes) -> Parsed:
    rules = tdmrep.parse(data)
    found = everywhere(lambda address: tdmrep.statements_of(rules.at(address)))
    return found + Parsed(problems=rules.problems)


def read_offer(data: bytes) -> Parsed:
    return Parsed(problems=odrl.parse(data).problems)


def read_epub(data: bytes) -> Parsed:
    reservation, problems = tdmrep_embedded.from_packages(epubs.of_file(data, source="epub"))
    return tdmrep.statements_of(reservation) + Parsed(problems=problems)


def read_pdf(data: bytes) -> Parsed:
    reservation, problems = tdmrep_embedded.from_xmp(xmp.of_pdf(data, source="pdf"))
    return tdmrep.statements_of(reservation) + Parsed(problems=problems)


def read_ai_txt(data: bytes) -> Parsed:
    document = ai_txt.parse(data)
    return everywhere(lambda address: ai_txt.statements_for(document, address))


def read_rsl(data: bytes) -> Parsed:
    document = rsl.parse(data)
    return everywhere(lambda address: rsl_usage.statements_for(document, address))


def read_feed(data: bytes) -> Parsed:
    feed = rsl_carriers.parse_feed(data)
    return Parsed() if feed is None else everywhere(feed.statements_for) + feed.refusals()


def read_picture(data: bytes) -> Parsed:
    packets = xmp.of_file(data, source="a.jpg").packets
    return everywhere(
        lambda address: rsl_carriers.from_media(data, packets, source="a.jpg", at=address)
    )


# Each reader, and a document in which everything is refused.
READERS: dict[str, tuple[Reader, bytes]] = {
    "robots.txt": (
        read_robots,
        (
            b"User-agent: *\nDisallow: /b*c$\nContent-Usage: /a train-ai=n\nContent-Signal: ai-train=no"
            b"\n\nUser-agent: GPTBot\nDisallow: /\n"
        ),
    ),
    "aipref": (
        lambda data: aipref.parse(data, source="x"),
        b'train-ai=n, search=n, a;b=1, c=(1 "x");d, e=:aGk=:, f=@123, g=?1, h=%"f%c3%bc"',
    ),
    "ai.txt": (read_ai_txt, b"User-agent: *\nDisallow: *.jpg\nDisallow: /\n"),
    "tdmrep": (read_tdmrep, b'[{"location":"/a*","tdm-reservation":1},{"location":"/b"}]'),
    "odrl": (
        read_offer,
        (
            b'{"profile":"http://www.w3.org/ns/tdmrep","@type":"Offer","assigner":{"vcard:fn":"x"},'
            b'"permission":[{"action":"tdm:mine","duty":[{"action":"compensate"}]}]}'
        ),
    ),
    "rsl": (read_rsl, RSL % (b"/art/*", PROHIBITS)),
    "c2pa": (c2pa.parse, manifest_store([refusal()])),
    "tdm-ai": (
        lambda data: tdm_ai.parse(data, proven=True),
        b'{"version":"1.0","iscc":"ISCC:KEC","all":"false","train-ai":"false"}',
    ),
    "html": (
        read_page,
        (
            b'<html><head><meta name="robots" content="noai, noimageai"><meta name=tdm-reservation'
            b' content=1><link rel=license type="application/rsl+xml" href=/l.xml></head>'
        ),
    ),
    "headers": (read_headers, b"noai, otherbot: noindex, unavailable_after: 25 Jun 2010 15:00 PST"),
    "epub": (
        read_epub,
        epub(
            '<package prefix="tdm: http://www.w3.org/ns/tdmrep#"><metadata>'
            '<meta property="tdm:reservation">1</meta></metadata></package>'
        ),
    ),
    "pdf": (read_pdf, XMP),
    "filtered pdf": (
        read_pdf,
        b"%PDF 1 0 obj << /Type /Metadata /Filter [/ASCIIHexDecode /FlateDecode] >>\nstream\n"
        + zlib.compress(XMP[9:]).hex().encode()
        + b">\nendstream\nendobj",
    ),
    "feed": (
        read_feed,
        (
            b'<rss xmlns:r="https://rslstandard.org/rsl"><channel><item><link>https://x.example/art/b'
            b'</link><r:content url="/a*"><r:license><r:prohibits type="usage">all</r:prohibits>'
            b"</r:license></r:content></item></channel></rss>"
        ),
    ),
    "picture": (read_picture, b"\xff\xd8" + RSL % (b"https://x.example/art/b", PROHIBITS)),
}
NASTY = [
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"<", b">", b"&", b"{", b"[", b"]", b"}"),
    *(b"null", b"1e999", b"NaN", b"-1", b"9" * 5000, b"\\ud800", b"%", b"%ff", b"*", b"$", b":"),
    *(
        b"=",
        b";",
        b",",
        b"\r",
        b"\n",
        b"\t",
        b" ",
        b"#",
        b"<!--",
        b"<![CDATA[",
        b"&#" + b"9" * 5000,
    ),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&#0;", b"&#xD800;", b"\xed\xa0\x80", b"\xe2\x80\xa8"),
    *(b'<?xml version="1.0" encoding="utf-7"?>', b'<?xml version="1.0" encoding="utf-16"?>'),
]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The document with a few pieces put in, taken out, repeated or overwritten."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        start = chance.randrange(len(changed) + 1)
        stop = min(len(changed), start + chance.randrange(1, 30))
        match chance.randrange(5):
            case 0:
                changed[start:start] = chance.choice(NASTY) * chance.choice([1, 1, 3, 300])
            case 1:
                del changed[start:stop]
            case 2:
                changed[start:start] = changed[start:stop] * chance.choice([1, 2, 50])
            case 3:
                changed[start:stop] = bytes([chance.randrange(256)])
            case _:
                changed[start:stop] = chance.choice(NASTY)
    return bytes(changed[:200_000])


def allowed(found: Parsed) -> list[object]:
    return [s for s in found.statements if s.decision == Decision.ALLOW]


@pytest.mark.parametrize("name", READERS)
def test_nothing_that_strangers_send_raises(name: str) -> None:
    read, refused = READERS[name]
    chance = random.Random(name)

    for _ in range(400):
        assert isinstance(read(mutated(refused, chance)), Parsed)


@pytest.mark.parametrize("name", READERS)
def test_a_refusal_that_lost_some_of_its_octets_permits_nothing(name: str) -> None:
    read, refused = READERS[name]
    chance = random.Random(name)

    for _ in range(400):
        broken = bytearray(refused)
        for _ in range(chance.choice([1, 1, 1, 2, 5])):
            start = chance.randrange(len(broken))
            del broken[start : start + chance.choice([1, 1, 2, 9])]
        assert allowed(read(bytes(broken))) == [], bytes(broken)


def many(line: bytes, size: int = 240_000) -> bytes:
    return line * (size // len(line))


LARGE: dict[str, tuple[Reader, Callable[[], bytes]]] = {
    "rules with stars": (read_robots, lambda: many(b"Disallow: /" + b"*a" * 20 + b"b\n")),
    "groups": (read_robots, lambda: many(b"User-agent: a\nContent-Usage: train-ai=n\n")),
    "preferences": (read_robots, lambda: b"User-agent: *\n" + many(b"Content-Usage: train-ai=n\n")),
    "signals": (read_robots, lambda: b"User-agent: *\nContent-Signal: " + many(b"a=b,")),
    "comments": (read_page, lambda: many(b"<!--", 1_000_000)),
    "open tags": (read_page, lambda: many(b"<a ", 1_000_000)),
    "attributes": (read_page, lambda: b"<meta " + many(b"a ", 1_000_000)),
    "long references": (read_page, lambda: b'<meta name="robots" content="&#' + many(b"9") + b'">'),
    "directives": (read_headers, lambda: many(b"b: noai,", 64_000)),
    "members": (lambda data: aipref.parse(data, source="x"), lambda: many(b"a=n,", 65_000)),
    "deep arrays": (read_tdmrep, lambda: many(b"[", 1_000_000)),
    "deep objects": (c2pa.parse, lambda: many(b'{"a":', 1_000_000)),
    "assertions": (c2pa.parse, lambda: manifest_store([refusal()] * 60_000)),
    "strange entries": (
        c2pa.parse,
        lambda: manifest_store(
            [
                {
                    "label": "cawg.training-mining",
                    "data": {"entries": {f"x{i}": {} for i in range(20)}},
                }
            ]
            * 20_000
        ),
    ),
    "contents": (read_rsl, lambda: many((RSL % (b"/*a*b*", PROHIBITS))[43:-6], 900_000)),
    "items": (
        read_feed,
        lambda: (
            b'<rss xmlns:r="https://rslstandard.org/rsl">'
            + many(b"<item><r:license><r:prohibits/></r:license></item>", 1_000_000)
            + b"</rss>"
        ),
    ),
    "wrappers": (read_picture, lambda: many(b"<rsl:rsl xmlns='https://rslstandard.org/rsl'", 9**7)),
    "compressed nothing": (
        read_pdf,
        lambda: b"%PDF" + (METADATA % zlib.compress(b" " * 1_000_000)) * 900,
    ),
    "deep elements": (read_rsl, lambda: many(b"<rsl>", 1_000_000)),
    "packets": (read_pdf, lambda: b"%PDF" + many(b"<?xpacket begin=", 20_000_000)),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_document_takes_seconds_and_no_more(name: str) -> None:
    read, written = LARGE[name]
    data = written()
    started = time.process_time()

    read(data)

    assert time.process_time() - started < 10  # what is quadratic takes minutes


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (read_rsl, RSL % (b"*.jpg", PROHIBITS)),
        (read_tdmrep, b'[{"location":"images/*","tdm-reservation":1}]'),
        (read_tdmrep, b'[{"location":"https://ada.example/","tdm-reservation":1}]'),
    ],
)
def test_a_rule_for_no_place_may_be_meant_for_any(read: Reader, data: bytes) -> None:
    permitted = aipref.parse(b"train-ai=y", source="header")

    found = cautious(read(data) + permitted)

    assert {each.decision for each in found.values()} == {Decision.UNKNOWN}


@pytest.mark.parametrize("line", [b"GPTBot, CCBot", b"GPTBot;", b"gptbot/1.1"])
def test_a_crawlers_name_ends_where_no_name_goes_on(line: bytes) -> None:
    rules = robots.parse(b"User-agent: " + line + b"\nDisallow: /\n")

    assert not rules.access("/", "GPTBot").allowed


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("&#110;oai", 2),
        ("&#0000110;oai", 2),
        ("&#" + "0" * 5000 + "110;oai", 2),
        ("noai, &#" + "9" * 5000 + ";", 2),
        ("&#" + "9" * 5000 + ";", 0),
    ],
)
def test_character_references_are_read_however_they_are_written(written: str, found: int) -> None:
    page = markup.parse(f'<meta name="robots" content="{written}">'.encode())

    assert len(headers.parse_page(page).statements) == found


def test_a_signal_without_a_value_is_a_problem() -> None:
    found = read_robots(b"User-agent: *\nContent-Signal: ai-train: no\n")

    assert "content_signal_unknown" in codes(found.problems)


def codes(problems: Iterable[object]) -> set[str]:
    return {getattr(problem, "code", "") for problem in problems}

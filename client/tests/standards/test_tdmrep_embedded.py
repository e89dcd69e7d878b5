"""The examples of TDMRep's sections on HTML, EPUB 2, EPUB 3 and PDF."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import epub as epubs
from tribute.standards import markup, xmp
from tribute.standards.statement import Problem
from tribute.standards.tdmrep import EMBEDDED_LAYER, Reservation
from tribute.standards.tdmrep_embedded import from_packages, from_page, from_xmp

POLICY = "https://provider.com/policies/policy.json"
PAGE = f"""\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="tdm-reservation" content="1">
    <meta name="tdm-policy" content="{POLICY}">
    <title>Document title</title>
  </head>
</html>
"""
CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles><rootfile full-path="OEBPS/package.opf"
    media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
EPUB_2 = f"""<package version="2.0" xmlns="http://www.idpf.org/2007/opf">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:title>Document title</dc:title>
    <meta name="tdm:reservation" content="1" />
    <meta name="tdm:policy" content="{POLICY}" />
  </metadata>
</package>"""
EPUB_3 = f"""<package prefix="tdm: http://www.w3.org/ns/tdmrep#" version="3.0"
    xmlns="http://www.idpf.org/2007/opf">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:title>Document title</dc:title>
    <meta property="tdm:reservation">1</meta>
    <meta property="tdm:policy">{POLICY}</meta>
  </metadata>
</package>"""
XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:tdm="http://www.w3.org/ns/tdmrep/">
    <tdm:reservation>1</tdm:reservation>
    <tdm:policy>{POLICY}</tdm:policy>
  </rdf:Description>
</rdf:RDF></x:xmpmeta>"""


def epub(package: str | bytes, container: str = CONTAINER) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/package.opf", package)
    return stream.getvalue()


def pdf(packet: str) -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj<</Type/Metadata/Subtype/XML>>stream\n"
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        + packet.encode()
        + b'\n<?xpacket end="w"?>\nendstream\n%%EOF'
    )


def from_epub(data: bytes) -> tuple[Reservation | None, tuple[Problem, ...]]:
    return from_packages(epubs.of_file(data, source="epub"))


def from_pdf(data: bytes) -> tuple[Reservation | None, tuple[Problem, ...]]:
    return from_xmp(xmp.of_pdf(data, source="pdf"))


def found(reservation: Reservation | None) -> tuple[int | None, str | None, int]:
    assert reservation is not None
    return reservation.value, reservation.policy, reservation.layer


def test_a_page_is_read() -> None:
    reservation, problems = from_page(markup.parse(PAGE.encode()))

    assert found(reservation) == (1, POLICY, EMBEDDED_LAYER)
    assert reservation is not None
    assert reservation.source == "page:5"
    assert problems == ()


@pytest.mark.parametrize("package", [EPUB_2, EPUB_3])
def test_an_epub_is_read(package: str) -> None:
    reservation, problems = from_epub(epub(package))

    assert found(reservation) == (1, POLICY, EMBEDDED_LAYER)
    assert reservation is not None
    assert reservation.source.startswith("epub:OEBPS/package.opf:")
    assert problems == ()


def test_a_pdf_is_read() -> None:
    reservation, problems = from_pdf(pdf(XMP))

    assert found(reservation) == (1, POLICY, EMBEDDED_LAYER)
    assert problems == ()


def test_xmp_properties_may_be_attributes_and_stand_without_a_packet() -> None:
    rdf = XMP[XMP.index("<rdf:RDF") : XMP.index("</x:xmpmeta>")]
    attributes = rdf.replace(' rdf:about=""', ' rdf:about="" tdm:reservation="0"').replace(
        "<tdm:reservation>1</tdm:reservation>", ""
    )

    assert found(from_pdf(b"%PDF " + attributes.encode())[0])[0] == 0


def test_the_strictest_packet_of_a_pdf_counts() -> None:
    free = XMP.replace(">1<", ">0<")

    assert found(from_pdf(pdf(free) + pdf(XMP))[0])[0] == 1


@pytest.mark.parametrize("value", ["2", "yes", "", "1 0", "true"])
def test_any_other_value_is_unset(value: str) -> None:
    page = markup.parse(f'<meta name=tdm-reservation content="{value}">'.encode())

    reservation, problems = from_page(page)

    assert found(reservation)[0] is None
    assert [p.code for p in problems] == ["tdmrep_bad_value"]


@pytest.mark.parametrize(
    "page",
    [
        b"<!-- <meta name=tdm-reservation content=1> -->",
        b"<script>'<meta name=tdm-reservation content=1>'</script>",
        b"<meta property=tdm-reservation content=1>",
    ],
)
def test_what_is_no_meta_element_is_not_read(page: bytes) -> None:
    assert from_page(markup.parse(page)) == (None, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    "page",
    [
        "<META NAME=TDM-Reservation CONTENT=1 CONTENT=0>",
        "<p><meta content=' 1 ' name='tdm-reservation'/>",
    ],
)
def test_sloppy_pages_are_read(page: str, encoding: str) -> None:
    assert found(from_page(markup.parse(page.encode(encoding)))[0])[0] == 1


BOMB = '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        epub(EPUB_3)[:-30],
        epub(BOMB + EPUB_3),
        epub("<a>" * 100 + "</a>" * 100),
        epub(b"<a>" + b" " * 2_000_000 + b"</a>"),
        epub(EPUB_3, container="<container/>"),
        epub(EPUB_3, container=CONTAINER.replace("package.opf", "other.opf")),
    ],
)
def test_a_broken_or_hostile_epub_says_nothing(data: bytes) -> None:
    reservation, problems = from_epub(data)

    assert reservation is None
    assert [p.code for p in problems] == ["epub_unreadable"]


def test_an_epub_of_too_many_entries_is_not_opened() -> None:
    _, problems = from_epub(epub(EPUB_3) + b"PK\x01\x02" * 30_000)

    assert [p.message for p in problems] == ["the package has too many entries"]


def test_a_hostile_packet_says_nothing() -> None:
    reservation, problems = from_pdf(pdf(BOMB + XMP))

    assert reservation is None
    assert [p.code for p in problems] == ["xmp_unreadable"]


@given(st.binary(max_size=300))
def test_any_octets_are_read_without_raising(data: bytes) -> None:
    assert from_epub(data)[0] is None
    assert from_pdf(data)[0] is None
    assert from_pdf(b"%PDF" + b"<?xpacket begin=''?>" + data + b"<?xpacket end")[0] is None
    reservation, _ = from_page(markup.parse(data))
    assert reservation is None


@given(st.binary(min_size=1, max_size=8), st.integers(0, 2000))
def test_a_damaged_epub_is_read_or_refused(noise: bytes, at: int) -> None:
    whole = epub(EPUB_3)
    at %= len(whole)

    reservation, problems = from_epub(whole[:at] + noise + whole[at + len(noise) :])

    assert problems or reservation is None or reservation.value in {None, 0, 1}

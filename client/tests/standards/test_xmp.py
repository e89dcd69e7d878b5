"""XMP in PDF files: open, filtered, in other encodings, encrypted; the strictest reading is kept."""

import zlib

import pytest

from client.tests.standards.test_pdf_streams import ascii_85, file, hexadecimal, lzw
from tribute.standards import xmp
from tribute.standards.tdmrep_embedded import from_xmp

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/>
</rdf:RDF></x:xmpmeta>"""
PACKET = f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{XMP}<?xpacket end="w"?>'
ENCRYPTED = "trailer << /Root 1 0 R /Encrypt 9 0 R >>"


def reserved(data: bytes) -> int | None:
    reservation, problems = from_xmp(xmp.of_pdf(data, source="pdf"))
    assert problems == ()
    return None if reservation is None else reservation.value


def problems_of(data: bytes) -> list[tuple[str, str]]:
    found = xmp.of_pdf(data, source="pdf")
    assert found.packets == ()
    return [(p.code, p.message) for p in found.problems]


@pytest.mark.parametrize("packet", [PACKET.encode(), XMP.encode(), PACKET.encode("utf-16-le")])
def test_metadata_is_read_however_it_is_written(packet: bytes) -> None:
    assert reserved(file(packet)) == 1
    assert reserved(file(zlib.compress(packet), "/FlateDecode")) == 1
    assert reserved(file(lzw(packet), "/LZWDecode")) == 1
    assert reserved(file(ascii_85(zlib.compress(packet)), "[/ASCII85Decode /FlateDecode]")) == 1
    assert reserved(file(hexadecimal(packet), "/AHx")) == 1


def test_metadata_is_read_from_an_encrypted_file_that_leaves_it_open() -> None:
    assert reserved(file(PACKET.encode(), trailer=ENCRYPTED)) == 1
    assert reserved(file(PACKET.encode(), "/Crypt", trailer=ENCRYPTED)) == 1


@pytest.mark.parametrize(
    ("octets", "filters"),
    [(b"\x8c" * 900, ""), (b"\x8c" * 900, "/FlateDecode"), (b"\x8c" * 900, "/Crypt")],
)
def test_encrypted_metadata_may_refuse(octets: bytes, filters: str) -> None:
    ((code, message),) = problems_of(file(octets, filters, trailer=ENCRYPTED))

    assert code == "xmp_unreadable"
    assert message.startswith("the file is encrypted: ")


def test_the_packets_of_many_pictures_hide_no_refusal() -> None:
    silent = PACKET.replace("reservation", "other").encode()

    assert reserved(file(silent) * 200 + file(PACKET.encode())) == 1


def test_a_picture_with_a_packet_hides_no_metadata_without_one() -> None:
    silent = PACKET.replace("reservation", "other").encode()

    assert reserved(file(silent) + file(XMP.encode())) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF" + b"1 0 obj <</Subtype /XML " * 500_000,
        b'%PDF <?xpacket begin="' * 500_000,
        file(zlib.compress(PACKET.encode())[:-9], "/FlateDecode"),
        file(PACKET.encode()[:-20]),
        file(b"no XML", "[]"),
    ],
)
def test_what_cannot_be_read_to_its_end_may_refuse(data: bytes) -> None:
    assert {code for code, _ in problems_of(data)} == {"xmp_unreadable"}

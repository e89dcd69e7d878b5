"""Metadata streams under every filter of ISO 32000-2, section 7.4, alone and in chains."""

import base64
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import pdf_streams
from tribute.standards.pdf_streams import Stream, Undecodable

PACKET = b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>"


def file(octets: bytes, filters: str = "", more: str = "", *, trailer: str = "") -> bytes:
    """A PDF of one metadata stream."""
    named = f"/Filter {filters} " if filters else ""
    head = f"%PDF-1.7\n1 0 obj\n<< /Type /Metadata /Subtype /XML {named}{more}>>\nstream\n"
    return head.encode() + octets + f"\nendstream\nendobj\n{trailer}\n%%EOF".encode()


def run_length(octets: bytes) -> bytes:
    """Literal runs, and one repeated run where there is one."""
    found = bytearray()
    for start in range(0, len(octets), 100):
        piece = octets[start : start + 100]
        if len(set(piece)) == 1 and len(piece) > 1:
            found += bytes((257 - len(piece), piece[0]))
        else:
            found += bytes((len(piece) - 1,)) + piece
    return bytes(found) + b"\x80"


def lzw(octets: bytes, *, early: int = 1) -> bytes:
    """LZW as TIFF and PDF write it: clear first, the width raised one code early."""
    bits: list[str] = []
    table = {bytes((i,)): i for i in range(256)}
    size, free, word = 9, 258, b""

    def put(code: int) -> None:
        bits.append(f"{code:0{size}b}")

    put(256)
    for octet in octets:
        longer = word + bytes((octet,))
        if longer in table:
            word = longer
            continue
        put(table[word])
        table[longer] = free
        free += 1
        size = max(9, (free - 1 + early).bit_length())
        if free == 4095:
            put(256)
            table = {bytes((i,)): i for i in range(256)}
            size, free = 9, 258
        word = bytes((octet,))
    if word:
        put(table[word])
        free += 1
        size = min(12, max(9, (free - 1 + early).bit_length()))
    put(257)
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def hexadecimal(octets: bytes) -> bytes:
    return (
        b"\n".join(octets.hex().encode()[i : i + 60] for i in range(0, 2 * len(octets), 60)) + b">"
    )


def ascii_85(octets: bytes) -> bytes:
    return base64.a85encode(octets, wrapcol=70) + b"~>"


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "FlateDecode": zlib.compress,
    "ASCIIHexDecode": hexadecimal,
    "ASCII85Decode": ascii_85,
    "RunLengthDecode": run_length,
    "LZWDecode": lzw,
    "Fl": zlib.compress,
    "AHx": hexadecimal,
    "A85": ascii_85,
    "RL": run_length,
    "LZW": lzw,
    "Crypt": bytes,
}


def only(data: bytes) -> Stream | Undecodable:
    (found,) = pdf_streams.metadata(data)
    return found


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("packet", [PACKET, PACKET + b" " * 3_000, bytes(range(256)) * 40])
def test_each_filter_is_undone(name: str, packet: bytes) -> None:
    assert only(file(ENCODERS[name](packet), f"/{name}")) == Stream(packet, filtered=True)


@pytest.mark.parametrize(
    "chain",
    [
        ["ASCII85Decode", "FlateDecode"],
        ["ASCIIHexDecode", "LZWDecode"],
        ["A85", "RunLengthDecode", "Fl"],
        ["Crypt", "FlateDecode"],
    ],
)
def test_chains_of_filters_are_undone_in_order(chain: list[str]) -> None:
    octets = PACKET
    for name in reversed(chain):
        octets = ENCODERS[name](octets)

    found = only(file(octets, "[ " + " ".join(f"/{name}" for name in chain) + " ]"))

    assert found == Stream(PACKET, filtered=True)


def test_codes_may_grow_late() -> None:
    octets = lzw(bytes(range(256)) * 20, early=0)

    found = only(file(octets, "/LZWDecode", "/DecodeParms << /EarlyChange 0 >> "))

    assert found == Stream(bytes(range(256)) * 20, filtered=True)


def test_a_stream_ends_where_it_says() -> None:
    data = file(PACKET + b"\r\nendstream\r\n", more=f"/Length {len(PACKET) + 13} ")

    assert only(data) == Stream(PACKET + b"\r\nendstream\r\n", filtered=False)
    assert only(file(PACKET, more="/Length 8 0 R ")) == Stream(PACKET, filtered=False)
    assert only(file(PACKET, more="/Length 7 ")) == Stream(PACKET, filtered=False)


def test_a_stream_without_filters_is_as_it_stands() -> None:
    assert only(file(PACKET)) == Stream(PACKET, filtered=False)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (file(PACKET, "/JBIG2Decode"), "JBIG2Decode is not known"),
        (file(PACKET, "7 0 R"), "elsewhere"),
        (file(PACKET, "[ 7 0 R /FlateDecode ]"), "elsewhere"),
        (file(zlib.compress(PACKET)[:-9], "/FlateDecode"), "cut off"),
        (file(zlib.compress(b" " * 2**21), "/FlateDecode"), "over 1 MiB"),
        (file(run_length(b" " * 2**21), "/RunLengthDecode"), "over 1 MiB"),
        (file(lzw(b" " * 2**21), "/LZWDecode"), "over 1 MiB"),
        (file(b"zz>", "/ASCIIHexDecode"), "cannot be decoded"),
        (file(b"41", "/ASCIIHexDecode"), "cut off"),
        (file(b"!!\x7f~>", "/ASCII85Decode"), "cannot be decoded"),
        (file(b"\x05abc", "/RunLengthDecode"), "cut off"),
        (file(b"\xff\xff\xff", "/LZWDecode"), "broken"),
        (file(zlib.compress(PACKET), "/Fl", "/DecodeParms <</Predictor 12>> "), "differences"),
        (file(PACKET, "/Crypt", "/DecodeParms << /Name /StdCF >> "), "encrypted"),
        (b"%PDF 1 0 obj << /Type /Metadata >> endobj", "no beginning"),
    ],
)
def test_what_cannot_be_decoded_is_told(data: bytes, says: str) -> None:
    found = only(data)

    assert isinstance(found, Undecodable)
    assert says in str(found)


def test_metadata_without_end_is_not_read_to_its_end() -> None:
    *_, last = pdf_streams.metadata(file(PACKET) * 1_200)

    assert isinstance(last, Undecodable)
    assert str(last) == "there is too much metadata to read all of it"


def test_an_encrypted_file_says_so() -> None:
    assert pdf_streams.is_encrypted(file(PACKET, trailer="trailer << /Encrypt 9 0 R >>"))
    assert not pdf_streams.is_encrypted(file(PACKET, trailer="<< /EncryptMetadata false >>"))


@given(st.sampled_from([*ENCODERS]), st.binary(max_size=400))
def test_any_octets_are_decoded_or_refused(name: str, octets: bytes) -> None:
    found = only(file(octets, f"/{name}"))

    assert isinstance(found, Stream | Undecodable)


@given(st.binary(max_size=6_000))
def test_lzw_gives_back_what_was_written(octets: bytes) -> None:
    assert only(file(lzw(octets), "/LZWDecode")) == Stream(octets, filtered=True)

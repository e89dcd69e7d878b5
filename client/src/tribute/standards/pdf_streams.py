"""Decode the metadata streams of a PDF, filter by filter; interpret nothing else of the file.

Source: ISO 32000-2, sections 7.3.8 (streams), 7.4 (filters) and 14.3.2 (metadata streams). Files come
from strangers: what is decoded is bounded, and a stream that cannot be is reported, since its metadata
may refuse. Encrypted streams are not decrypted.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

LIMIT = 1024 * 1024
_MOST_STREAMS = 1_000
_MOST_DECODED = 16 * 1024 * 1024
_DICTIONARY_BYTES = 4_000
_METADATA = re.compile(rb"/(?:Subtype\s*/XML|Type\s*/Metadata)\b")
_STREAM = re.compile(rb">>\s*stream(?:\r\n|\n|\r)")
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/\w+|[^\s/]+)")
_LENGTH = re.compile(rb"/Length\s+([0-9]{1,9})(?!\s+[0-9]+\s+R)\b")
_END = re.compile(rb"\s*endstream")
_LONGEST_WRITTEN = 3 * LIMIT
_NAME = re.compile(rb"/(\w+)")
_PREDICTOR = re.compile(rb"/Predictor\s+0*([2-9]|[1-9][0-9]+)\b")
_LATE_CHANGE = re.compile(rb"/EarlyChange\s+0\b")
_OTHER_CRYPT_FILTER = re.compile(rb"/Name\s*/(?!Identity\b)")
_ENCRYPT = re.compile(rb"/Encrypt\s*(?:<<|[0-9]+\s+[0-9]+\s+R\b)")
_BLANKS = b" \t\r\n\f\0"
_CLEAR, _END_OF_DATA, _FIRST_FREE = 256, 257, 258
_LONGEST_CODE = 12


class Undecodable(Exception):
    """A metadata stream can be decoded by the filters known here, within the limits."""


def is_encrypted(data: bytes) -> bool:
    """Tell whether the file says that it is encrypted, be it in parts."""
    return _ENCRYPT.search(data) is not None


@dataclass(frozen=True, slots=True)
class Stream:
    """What a metadata stream holds; filtered: whether it stands otherwise in the file."""

    octets: bytes
    filtered: bool


def metadata(data: bytes) -> Iterator[Stream | Undecodable]:
    """Yield each metadata stream, its filters undone, or why that cannot be done."""
    begun, decoded = -1, 0
    for number, found in enumerate(_METADATA.finditer(data)):
        if number == _MOST_STREAMS or decoded > _MOST_DECODED:
            yield Undecodable("there is too much metadata to read all of it")
            return
        begin = max(0, data.rfind(b"obj", max(0, found.start() - _DICTIONARY_BYTES), found.start()))
        if begin == begun:
            continue  # both marks stand in one dictionary
        begun = begin
        try:
            stream = _decoded(data, begin, found.end())
        except Undecodable as error:
            yield error
        else:
            decoded += len(stream.octets)
            yield stream


def _decoded(data: bytes, begin: int, marked: int) -> Stream:
    until = marked + _DICTIONARY_BYTES
    head = _STREAM.search(data, max(begin, marked - _DICTIONARY_BYTES), until)
    if head is None:
        raise Undecodable("a metadata stream has no beginning")
    dictionary = data[begin : head.start() + 2]
    octets = _written(data, head.end(), dictionary)
    filters = _filters(dictionary)
    for name in filters:
        if name not in _DECODERS:
            raise Undecodable(f"the filter {name.decode('ascii', 'replace')} is not known")
        try:
            octets = _DECODERS[name](octets, dictionary)
        except (zlib.error, binascii.Error, ValueError) as error:
            raise Undecodable(f"a metadata stream cannot be decoded: {error}") from error
    if len(octets) > LIMIT:
        raise Undecodable("a metadata stream is over 1 MiB")
    return Stream(octets, filtered=bool(filters))


def _written(data: bytes, start: int, dictionary: bytes) -> bytes:
    """Return a stream's octets as they stand: as many as it says, if it ends there, or up to its end."""
    length = _LENGTH.search(dictionary)
    if length is not None and _END.match(data, start + int(length[1])):
        return data[start : start + int(length[1])]
    end = data.find(b"endstream", start, start + _LONGEST_WRITTEN)
    if end < 0:
        return data[start : start + _LONGEST_WRITTEN]
    # The line's end before the word belongs to neither.
    return data[start:end].removesuffix(b"\n").removesuffix(b"\r")


def _filters(dictionary: bytes) -> list[bytes]:
    found = _FILTER.search(dictionary)
    if found is None:
        return []
    listed = found[1].strip(b"[]" + _BLANKS)
    names = _NAME.findall(listed)
    if _NAME.sub(b"", listed).strip(_BLANKS):
        raise Undecodable("a metadata stream names its filters elsewhere")
    return names


def _flate(octets: bytes, dictionary: bytes) -> bytes:
    _refuse_predictors(dictionary)
    inflate = zlib.decompressobj()
    found = inflate.decompress(octets, LIMIT + 1)
    if len(found) <= LIMIT and not inflate.eof:
        raise Undecodable("a compressed metadata stream is cut off")
    return found


def _ascii_hex(octets: bytes, _dictionary: bytes) -> bytes:
    digits = _before(octets, b">").translate(None, _BLANKS)
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _ascii_85(octets: bytes, _dictionary: bytes) -> bytes:
    return base64.a85decode(_before(octets, b"~>"), ignorechars=_BLANKS + b"\v")


def _run_length(octets: bytes, _dictionary: bytes) -> bytes:
    found, at = bytearray(), 0
    while at < len(octets) and len(found) <= LIMIT:
        length = octets[at]
        if length == 128:  # noqa: PLR2004 - the end of the data, section 7.4.5
            return bytes(found)
        if length < 128:  # noqa: PLR2004 - so many octets follow, and one more
            found += octets[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            found += octets[at + 1 : at + 2] * (257 - length)
            at += 2
    if len(found) <= LIMIT:
        raise Undecodable("a compressed metadata stream is cut off")
    return bytes(found)


def _lzw(octets: bytes, dictionary: bytes) -> bytes:
    """Undo LZWDecode (section 7.4.4): codes of 9 to 12 bits, the highest bit first."""
    _refuse_predictors(dictionary)
    early = 0 if _LATE_CHANGE.search(dictionary) else 1
    table: list[bytes] = []
    found, size, held, bits, last = bytearray(), 9, 0, 0, b""
    for octet in octets:
        held, bits = (held << 8 | octet) & 0xFFFFFF, bits + 8
        if bits < size:
            continue
        bits -= size
        code = held >> bits & ((1 << size) - 1)
        if code == _END_OF_DATA or len(found) > LIMIT:
            return bytes(found)
        if code == _CLEAR:
            table, size, last = [], 9, b""
            continue
        entry = _entry(code, table, last)
        found += entry
        if last and len(table) + _FIRST_FREE < 1 << _LONGEST_CODE:
            table.append(last + entry[:1])
        last = entry
        taken = len(table) + _FIRST_FREE + early
        size = min(max(9, taken.bit_length()), _LONGEST_CODE)
    raise Undecodable("a compressed metadata stream is cut off")


def _entry(code: int, table: list[bytes], last: bytes) -> bytes:
    if code < _CLEAR:
        return bytes((code,))
    if code - _FIRST_FREE < len(table):
        return table[code - _FIRST_FREE]
    if last and code - _FIRST_FREE == len(table):
        return last + last[:1]
    raise Undecodable("a compressed metadata stream is broken")


def _crypt(octets: bytes, dictionary: bytes) -> bytes:
    """Undo nothing: the Identity filter leaves a stream readable in an encrypted file."""
    if _OTHER_CRYPT_FILTER.search(dictionary):
        raise Undecodable("a metadata stream is encrypted")
    return octets


def _refuse_predictors(dictionary: bytes) -> None:
    if _PREDICTOR.search(dictionary):
        raise Undecodable("a metadata stream is written as differences, which is not undone here")


def _before(octets: bytes, mark: bytes) -> bytes:
    before, found, _ = octets.partition(mark)
    if not found:
        raise Undecodable("a metadata stream is cut off")
    return before


_DECODERS: Mapping[bytes, Callable[[bytes, bytes], bytes]] = {
    b"FlateDecode": _flate,
    b"Fl": _flate,
    b"ASCIIHexDecode": _ascii_hex,
    b"AHx": _ascii_hex,
    b"ASCII85Decode": _ascii_85,
    b"A85": _ascii_85,
    b"RunLengthDecode": _run_length,
    b"RL": _run_length,
    b"LZWDecode": _lzw,
    b"LZW": _lzw,
    b"Crypt": _crypt,
}

"""Find XMP in files and parse it; know none of the vocabularies written in it.

Source: ISO 16684-1, section 7.3 and annex A: packets can be found without knowing the file's format.
In a PDF they may be filtered all the same, or in another encoding; ``pdf_streams`` undoes the filters.
"""

from dataclasses import dataclass

from tribute.standards import pdf_streams, safe_xml
from tribute.standards.pdf_streams import Undecodable
from tribute.standards.safe_xml import Element, UnsafeXml
from tribute.standards.statement import Problem, limited

_PDF_LIMIT = 256 * 1024 * 1024
_MOST_PACKETS = 1_000
_BEGIN, _END = b"<?xpacket begin=", b"<?xpacket end"
_RDF_BEGIN, _RDF_END = b"<rdf:RDF", b"</rdf:RDF>"
# What may stand around a packet: padding, and zeros of a careless writer.
_PADDING = b" \t\r\n\0"


@dataclass(frozen=True, slots=True)
class Xmp:
    """The packets of a file, each with its place and root; problems: those that cannot be read."""

    packets: tuple[tuple[str, Element], ...] = ()
    problems: tuple[Problem, ...] = ()


def of_file(data: bytes, *, source: str) -> Xmp:
    """Read the packets that stand openly in a file of any kind."""
    found, problems = _openly(data, source)
    return _parsed(found, problems, source)


def of_pdf(data: bytes, *, source: str) -> Xmp:
    """Read the packets of a PDF, those in filtered streams included.

    Metadata that is encrypted, or cannot be decoded, is a problem.
    """
    if len(data) > _PDF_LIMIT:
        return Xmp(problems=(Problem(source, "pdf_too_large", "the file is over 256 MiB"),))
    found, problems = _openly(data, source)
    encrypted = pdf_streams.is_encrypted(data)
    for stream in pdf_streams.metadata(data):
        if isinstance(stream, Undecodable):
            problems.append(_unreadable(source, str(stream), encrypted=encrypted))
            continue
        # Whole packets were found above, where they stand openly in octets of ASCII.
        if stream.filtered or _BEGIN not in stream.octets:
            inside, more = _in_stream(stream.octets, source, encrypted=encrypted)
            found += inside
            problems += more
    return _parsed(found, problems, source)


def _in_stream(octets: bytes, source: str, *, encrypted: bool) -> tuple[list[bytes], list[Problem]]:
    """Find the packets of a metadata stream, which is one document as a rule."""
    if _parses(octets):
        return [octets], []
    packets, problems = _openly(octets, source)
    if not packets and not problems:
        problems = [_unreadable(source, "a metadata stream is no XML", encrypted=encrypted)]
    return packets, problems


def _openly(data: bytes, source: str) -> tuple[list[bytes], list[Problem]]:
    """Find packets as they are, or bare RDF where there are none."""
    wrapped, whole = _between(data, _BEGIN, _END)
    packets = [packet.partition(b"?>")[2] for packet in wrapped]
    if not wrapped and whole:
        bare, whole = _between(data, _RDF_BEGIN, _RDF_END)
        packets = [packet + _RDF_END for packet in bare]
    message = "a packet has no end, or there are too many"
    return packets, [] if whole else [_unreadable(source, message)]


def _parsed(found: list[bytes], problems: list[Problem], source: str) -> Xmp:
    packets = []
    for number, packet in enumerate(found, start=1):
        try:
            root = safe_xml.parse(_unpadded(packet), limit=pdf_streams.LIMIT)
        except UnsafeXml as error:
            problems.append(_unreadable(source, f"packet {number}: {error}"))
        else:
            packets.append((f"{source}:xmp[{number}]", root))
    return Xmp(tuple(packets), limited(list(dict.fromkeys(problems)), source))


def _parses(stream: bytes) -> bool:
    try:
        safe_xml.parse(_unpadded(stream), limit=pdf_streams.LIMIT)
    except UnsafeXml:
        return False
    return True


def _unpadded(packet: bytes) -> bytes:
    """Drop the padding around a packet, unless its zeros are halves of characters."""
    return packet if b"\0" in packet[:4] else packet.strip(_PADDING)


def _between(data: bytes, begin: bytes, end: bytes) -> tuple[list[bytes], bool]:
    """Return what stands from each beginning to the next end, and whether that was all there is.

    No octet is looked at twice.
    """
    found: list[bytes] = []
    start = data.find(begin)
    while start >= 0:
        stop = data.find(end, start)
        if stop < 0 or len(found) == _MOST_PACKETS:
            return found, False
        found.append(data[start:stop])
        start = data.find(begin, stop)
    return found, True


def _unreadable(source: str, message: str, *, encrypted: bool = False) -> Problem:
    told = f"the file is encrypted: {message}" if encrypted else message
    return Problem(source, "xmp_unreadable", told)

"""Find TDM reservations inside content: HTML pages, EPUB packages and PDF metadata.

Source: TDMRep, sections on HTML, EPUB 2, EPUB 3 and PDF. Containers come from strangers: a zip is
read entry by entry within limits, a PDF is searched for its XMP packets and never interpreted.
"""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from tribute.standards import safe_xml
from tribute.standards.markup import Page
from tribute.standards.safe_xml import Element, UnsafeXml
from tribute.standards.statement import Problem
from tribute.standards.tdmrep import EMBEDDED_LAYER, Reservation, read_texts

_Found = tuple[Reservation | None, tuple[Problem, ...]]

_EPUB_NAMESPACE = "http://www.w3.org/ns/tdmrep#"
_XMP_NAMESPACES = ("http://www.w3.org/ns/tdmrep/", "http://www.w3.org/ns/tdmrep#")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ENTRY = b"PK\x01\x02"
_CONTAINER = "META-INF/container.xml"
_PACKET_BEGIN, _PACKET_END = b"<?xpacket begin=", b"<?xpacket end"
# A metadata stream's dictionary and where its octets begin (ISO 32000-2, sections 7.3.8 and 14.3.2).
_METADATA = re.compile(rb"/Subtype\s*/XML\b")
_STREAM = re.compile(rb"[^\0]{0,2000}?>>\s*stream\r?\n")
_DICTIONARY_BYTES = 2_000
_RDF_BEGIN, _RDF_END = b"<rdf:RDF", b"</rdf:RDF>"
_XML_LIMIT = 1024 * 1024
_PDF_LIMIT = 256 * 1024 * 1024
_MOST_ENTRIES = 20_000
_MOST_PACKETS = 50
_MOST_PACKAGES = 5


def from_page(page: Page, *, source: str = "page") -> _Found:
    """Read ``<meta name="tdm-reservation">`` and ``tdm-policy``."""
    metas = page.named("tdm-reservation") + page.named("tdm-policy")
    if not metas:
        return None, ()
    return read_texts(
        [meta.content for meta in page.named("tdm-reservation")],
        [meta.content for meta in page.named("tdm-policy") if meta.content],
        source=f"{source}:{metas[0].line}",
        raw="; ".join(f"{meta.name}: {meta.content}" for meta in metas),
        layer=EMBEDDED_LAYER,
    )


def from_epub(data: bytes, *, source: str = "epub") -> _Found:
    """Read the package document's metadata, in the form of EPUB 2 or of EPUB 3."""
    if data.count(_ENTRY) > _MOST_ENTRIES:  # before zipfile makes an object of each
        return None, (Problem(source, "epub_unreadable", "the package has too many entries"),)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            packages = _packages(archive)
    except (UnsafeXml, *_ZIP_ERRORS) as error:
        problem = Problem(source, "epub_unreadable", f"the package cannot be read: {error}")
        return None, (problem,)
    fields = [field for path, package in packages for field in _package_fields(path, package)]
    return _from_fields(fields, source)


def from_pdf(data: bytes, *, source: str = "pdf") -> _Found:
    """Read ``tdm:reservation`` from the XMP packets of a PDF, of which the strictest counts.

    ISO 16684 wants packets readable without knowing the format; those that were compressed all the
    same are inflated. Packets in encrypted streams, or filtered otherwise, are not seen.
    """
    if len(data) > _PDF_LIMIT:
        return None, (Problem(source, "pdf_too_large", "the file is over 256 MiB"),)
    packets = _packets(data)
    fields: list[tuple[str, str, str]] = []
    problems: list[Problem] = []
    for inflated in _inflated(data):
        if inflated is None:
            message = "a compressed metadata stream cannot be read"
            problems.append(Problem(source, "xmp_unreadable", message))
        else:
            packets += _packets(inflated)
    for number, packet in enumerate(packets, start=1):
        try:
            root = safe_xml.parse(packet.strip().strip(b"\x00"), limit=_XML_LIMIT)
        except UnsafeXml as error:
            message = f"packet {number}: {error}"
            problems.append(Problem(source, "xmp_unreadable", message))
            continue
        fields += _xmp_fields(root, f"{source}:xmp[{number}]")
    found, more = _from_fields(fields, source)
    return found, (*problems, *more)


def _packets(data: bytes) -> list[bytes]:
    """Return what stands in XMP packets, or in bare RDF where there are none."""
    wrapped = [packet.partition(b"?>")[2] for packet in _between(data, _PACKET_BEGIN, _PACKET_END)]
    return wrapped or [packet + _RDF_END for packet in _between(data, _RDF_BEGIN, _RDF_END)]


def _inflated(data: bytes) -> Iterator[bytes | None]:
    """Yield the metadata streams that are compressed and nothing else; None for a broken one."""
    for number, found in enumerate(_METADATA.finditer(data)):
        if number == _MOST_PACKETS:
            return
        begin = max(0, data.rfind(b"obj", max(0, found.start() - _DICTIONARY_BYTES), found.start()))
        stream = _STREAM.match(data, begin)
        if stream is None or b"/FlateDecode" not in stream[0]:
            continue
        try:
            inflate = zlib.decompressobj()
            end = stream.end() + _XML_LIMIT
            packet = inflate.decompress(data[stream.end() : end], _XML_LIMIT)
        except zlib.error:
            yield None
        else:
            yield packet if inflate.eof else None


def _packages(archive: zipfile.ZipFile) -> list[tuple[str, Element]]:
    """Return the package documents that the container names, by path (OCF 3.3, section 4.2.6.3)."""
    container = safe_xml.parse(_entry(archive, _CONTAINER))
    paths = [
        e.attributes["full-path"]
        for e in container.descendants()
        if e.name == "rootfile" and "full-path" in e.attributes
    ]
    if not paths:
        raise UnsafeXml("the container names no package")
    return [(path, safe_xml.parse(_entry(archive, path))) for path in paths[:_MOST_PACKAGES]]


def _package_fields(path: str, package: Element) -> list[tuple[str, str, str]]:
    prefixes = _prefixes(package.attributes.get("prefix", ""))
    fields = []
    for meta in package.descendants():
        if meta.name != "meta":
            continue
        place = f"{path}:{meta.line}"
        if "property" in meta.attributes:
            prefix, _, term = meta.attributes["property"].strip().partition(":")
            if prefixes.get(prefix) == _EPUB_NAMESPACE:
                fields.append((term, meta.text.strip(), place))
        elif meta.attributes.get("name", "").strip().startswith("tdm:"):
            term = meta.attributes["name"].strip().removeprefix("tdm:")
            fields.append((term, meta.attributes.get("content", "").strip(), place))
    return fields


def _between(data: bytes, begin: bytes, end: bytes) -> list[bytes]:
    """Return what stands from each beginning to the next end, looking at no octet twice."""
    found: list[bytes] = []
    start = data.find(begin)
    while start >= 0 and len(found) < _MOST_PACKETS:
        stop = data.find(end, start)
        if stop < 0:
            break
        found.append(data[start:stop])
        start = data.find(begin, stop)
    return found


def _prefixes(declared: str) -> dict[str, str]:
    """Read ``prefix="tdm: http://… other: http://…"`` (EPUB 3.3, appendix D.1.4).

    ``tdm`` means TDMRep even when a package forgot to declare it.
    """
    words = declared.split()
    pairs = zip(words[::2], words[1::2], strict=False)
    return {"tdm": _EPUB_NAMESPACE} | {name.rstrip(":"): uri for name, uri in pairs}


def _xmp_fields(root: Element, place: str) -> list[tuple[str, str, str]]:
    """Collect properties written as elements or as attributes of ``rdf:Description``."""
    fields = []
    for element in root.descendants():
        if element.namespace in _XMP_NAMESPACES:
            fields.append((element.name, element.text.strip(), place))
        if element.tag == f"{{{_RDF}}}Description":
            for name, value in element.attributes.items():
                namespace, _, term = name.removeprefix("{").rpartition("}")
                if namespace in _XMP_NAMESPACES:
                    fields.append((term, value.strip(), place))
    return fields


def _from_fields(fields: Sequence[tuple[str, str, str]], source: str) -> _Found:
    ours = [field for field in fields if field[0] in {"reservation", "policy"}]
    if not ours:
        return None, ()
    return read_texts(
        [text for term, text, _ in ours if term == "reservation"],
        [text for term, text, _ in ours if term == "policy" and text],
        source=f"{source}:{ours[0][2]}" if not ours[0][2].startswith(source) else ours[0][2],
        raw="; ".join(f"tdm:{term}: {text}" for term, text, _ in ours),
        layer=EMBEDDED_LAYER,
    )


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read one entry, never more than the limit, whatever its header claims."""
    with archive.open(name) as stream:
        data = stream.read(_XML_LIMIT + 1)
    if len(data) > _XML_LIMIT:
        raise UnsafeXml(f"{name!r} is over 1 MiB")
    return data


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    KeyError,  # no such entry
    RuntimeError,  # encrypted
    NotImplementedError,  # an unknown compression
    OSError,
    EOFError,
    ValueError,
)

"""Open an EPUB and parse its package documents; know nothing of what their metadata means.

Source: EPUB 3.3, section 4.2.6.3 (the container), and 5 (package documents). Files come from strangers:
the zip is read entry by entry, within limits.
"""

import io
import lzma
import struct
import zipfile
import zlib
from dataclasses import dataclass

from tribute.standards import safe_xml
from tribute.standards.safe_xml import Element, UnsafeXml
from tribute.standards.statement import Problem

_ENTRY = b"PK\x01\x02"
_CONTAINER = "META-INF/container.xml"
_XML_LIMIT = 1024 * 1024
_MOST_ENTRIES = 20_000
_MOST_PACKAGES = 5


@dataclass(frozen=True, slots=True)
class Packages:
    """The package documents of a file, each with its path and root; problems: why there are none."""

    documents: tuple[tuple[str, Element], ...] = ()
    problems: tuple[Problem, ...] = ()


def of_file(data: bytes, *, source: str) -> Packages:
    """Read the package documents that the container names; all of them or none."""
    if data.count(_ENTRY) > _MOST_ENTRIES:  # before zipfile makes an object of each
        return _unreadable(source, "the package has too many entries")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return Packages(tuple(_packages(archive)))
    except (UnsafeXml, *_ZIP_ERRORS) as error:
        return _unreadable(source, f"the package cannot be read: {error}")


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
    if len(paths) > _MOST_PACKAGES:
        raise UnsafeXml("the container names too many packages")
    return [(path, safe_xml.parse(_entry(archive, path))) for path in paths]


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read one entry, never more than the limit, whatever its header claims."""
    with archive.open(name) as stream:
        data = stream.read(_XML_LIMIT + 1)
    if len(data) > _XML_LIMIT:
        raise UnsafeXml(f"{name!r} is over 1 MiB")
    return data


def _unreadable(source: str, message: str) -> Packages:
    return Packages(problems=(Problem(source, "epub_unreadable", message),))


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

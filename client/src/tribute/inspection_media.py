"""Read the C2PA manifest inside a picture, a recording or a PDF; fetch none that lies elsewhere.

The library that reads them weighs 53 MB, so it is an extra that few install: without it a file that
seems to carry a manifest is reported as unread, and so is one whose manifest lies at some address.
"""

import importlib
import io

from tribute.standards import c2pa
from tribute.standards.statement import Parsed, Problem

# A JUMBF box; its name in PDF; the address of a manifest elsewhere, in XMP; the element in SVG.
_MARKS = (b"jumb", b"C2PA_Manifest", b"dcterms:provenance", b"c2pa:manifest")
_BEGINNINGS = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"%PDF", "application/pdf"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/avi"),
    (8, b"avif", "image/avif"),
    (8, b"heic", "image/heic"),
    (8, b"qt  ", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
)
_FAMILIES = ("image/", "audio/", "video/")
# Reading must not tell strangers that somebody reads, nor reach where a stranger's file points.
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


def media_type_of(body: bytes) -> str | None:
    """Return the kind of file that begins like this, among those that may carry a manifest."""
    return next((kind for at, begins, kind in _BEGINNINGS if body.startswith(begins, at)), None)


def seems_to_carry(body: bytes) -> bool:
    """Tell whether a file has the marks of a manifest, inside it or at some address."""
    return any(mark in body for mark in _MARKS)


def may_carry(body: bytes, declared: str) -> bool:
    """Tell whether a file is of a kind that may carry a manifest; declared: its media type."""
    return media_type_of(body) is not None or declared.startswith(_FAMILIES)


def read(body: bytes, declared: str, *, source: str) -> Parsed:
    """Say what the manifest inside a file asserts; nothing when it seems to carry none.

    How a file begins tells its kind, not what somebody declared.
    """
    media_type = media_type_of(body)
    if media_type is None and any(declared == known for *_, known in _BEGINNINGS):
        return _unread(source, f"it does not begin as {declared} does")
    if not seems_to_carry(body):
        return Parsed()
    try:
        library = importlib.import_module("c2pa")
    except ImportError:
        return _unread(
            source, "it seems to carry a C2PA manifest: install tribute[c2pa] to read it"
        )
    try:
        context = library.Context.from_dict(_OFFLINE)
        with library.Reader(media_type or declared, io.BytesIO(body), context=context) as manifest:
            return c2pa.parse(manifest.json().encode(), source=source)
    except library.C2paError as error:
        if "ManifestNotFound" in type(error).__name__ + str(error):
            return Parsed()
        return _unread(source, f"its C2PA manifest cannot be read: {error}")


def _unread(source: str, message: str) -> Parsed:
    return Parsed(problems=(Problem(source, "c2pa_unreadable", message),))

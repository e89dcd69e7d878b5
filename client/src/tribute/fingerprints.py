"""Turn the bytes of a work into what it is recognised by: SHA-256 and ISCC (ISO 24138).

The hash finds exactly these bytes, the ISCC also near-copies of the content. Nothing is kept of
the bytes themselves. How alike two works must be to count as near-copies is for the caller to say.

Images follow the preparation that ISO 24138 asks for: upright by their EXIF orientation, on white,
without a uniform border, grey, 32 by 32. Decoding them needs the extra ``media`` (Pillow).
"""

from __future__ import annotations

import codecs
import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from iscc_lib import (
    MT,
    ST,
    VS,
    gen_data_code_v0,
    gen_image_code_v0,
    gen_text_code_v0,
    iscc_decode,
    iscc_decompose,
)

from tribute.identifiers import key_of
from tribute.vocabulary import IdentifierKind, Medium

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_TEXT_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 64_000_000

# Measured on edited texts: 64 bits merge strangers far too often, 256 bits do not.
_TEXT_BITS = 256
_DATA_BITS = 256
_IMAGE_BITS = 64
_IMAGE_SIDE = 32
_READ_SIZE = 1024 * 1024
# Formats that Pillow decodes in process; EPS, for one, would start Ghostscript.
_IMAGE_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
# Pillow's decoders answer damaged files with any of these; warnings may be set to raise.
_DECODER_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    Warning,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_COMPARABLE = (MT.CONTENT, MT.SEMANTIC, MT.DATA)


class InvalidWork(ValueError):
    """A work's bytes must be what its medium says, within the limits, and not without content."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a work is recognised by.

    sha256: 64 hexadecimal digits.
    iscc: one ISCC unit, or None when there is too little content to tell works apart by it (an
        empty text, a picture of one colour: all of those would share one code).
    """

    sha256: str
    iscc: str | None
    medium: Medium


def fingerprint(stream: BinaryIO, medium: Medium) -> Fingerprint:
    """Return the fingerprint of a whole file.

    stream: seekable, open for reading bytes; read from its start, left at its end.
    Text and code get a Text-Code of 256 bits, images an Image-Code of 64, everything else a
    Data-Code of 256 bits, which recognises re-edited bytes but no re-encoding.
    Raises InvalidWork when the bytes are not of the medium or exceed its limit.
    """
    stream.seek(0)
    sha256 = sha256_of(stream)
    is_empty = stream.tell() == 0
    stream.seek(0)
    if is_empty:
        return Fingerprint(sha256, None, medium)
    try:
        return Fingerprint(sha256, _content_code(stream, medium), medium)
    except _NothingToRecognise:
        return Fingerprint(sha256, None, medium)
    finally:
        stream.seek(0, 2)


def sha256_of(stream: BinaryIO) -> str:
    """Return the SHA-256 of what is left in ``stream``, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    while chunk := stream.read(_READ_SIZE):
        digest.update(chunk)
    return digest.hexdigest()


def text_code(text: str) -> str:
    """Return the ISCC Text-Code of ``text``, 256 bits.

    Case, spacing and punctuation do not matter; a few changed words change a few bits. Blind to
    excerpts. Raises InvalidWork for lone surrogates, and for a text without a letter or digit.
    """
    try:
        result = gen_text_code_v0(text, bits=_TEXT_BITS)
    except UnicodeEncodeError as error:
        raise InvalidWork("the text has lone surrogates") from error
    if result["characters"] == 0:
        raise _NothingToRecognise("the text is empty")
    return str(result["iscc"])


def image_code(stream: BinaryIO) -> str:
    """Return the ISCC Image-Code of a picture (its first frame), 64 bits.

    Re-encoding and scaling do not matter; mirrored and heavily cropped copies are not recognised.
    Raises InvalidWork for what is not a BMP, GIF, JPEG, PNG, TIFF or WebP, has more than 64
    million pixels, or has only one colour; ImportError without the extra ``media``.
    """
    pixels = _prepared_pixels(stream)
    return str(gen_image_code_v0(pixels, bits=_IMAGE_BITS)["iscc"])


def iscc_distance(a: str, b: str) -> float | None:
    """Return the share of differing bits, 0.0 to 1.0, or None when the codes do not compare.

    Units compare when main type, subtype and version agree; codes of different lengths over their
    common first bits. Of composite codes the content decides before the data; instance codes,
    being plain hashes, never compare. Raises InvalidIdentifier for what is not an ISCC.
    """
    left, right = _units(a), _units(b)
    for main_type in _COMPARABLE:
        for unit, digest in left.items():
            if unit[0] == main_type and unit in right:
                return _hamming(digest, right[unit])
    return None


class _NothingToRecognise(InvalidWork):
    """A content code must be drawn from some content."""


def _content_code(stream: BinaryIO, medium: Medium) -> str:
    match medium:
        case Medium.TEXT | Medium.CODE:
            return text_code(_decoded(stream))
        case Medium.IMAGE:
            return image_code(stream)
        case _:
            return str(gen_data_code_v0(stream, bits=_DATA_BITS)["iscc"])


def _decoded(stream: BinaryIO) -> str:
    data = stream.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        raise InvalidWork(f"a text of more than {MAX_TEXT_BYTES} bytes")
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidWork(
            f"not text in UTF-8, nor UTF-16 with a byte order mark: {error}"
        ) from error


def _prepared_pixels(stream: BinaryIO) -> bytes:
    # Here and not above: Pillow is an optional extra.
    import PIL.Image

    try:
        with PIL.Image.open(stream, formats=_IMAGE_FORMATS) as image:
            _require_bearable(image)
            grey = _trimmed(_upright_on_white(image)).convert("L")
            size = (_IMAGE_SIDE, _IMAGE_SIDE)
            return grey.resize(size, PIL.Image.Resampling.BICUBIC).tobytes()
    except InvalidWork:
        raise
    except (*_DECODER_ERRORS, PIL.Image.DecompressionBombError) as error:
        raise InvalidWork(f"not a readable picture: {error}") from error


def _require_bearable(image: Image) -> None:
    # Opening has read the header only; what follows would decode.
    if image.width * image.height > MAX_PIXELS:
        raise InvalidWork(f"a picture of {image.width} by {image.height} pixels")


def _upright_on_white(image: Image) -> Image:
    import PIL.Image
    import PIL.ImageOps

    image = PIL.ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a sample, which convert() would clip
        image = image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image).convert("RGB")


def _trimmed(image: Image) -> Image:
    """Cut off the border that has the colour of the upper left pixel."""
    corner = image.getpixel((0, 0))
    assert isinstance(corner, tuple)
    boxes = [
        box
        for band, level in zip(image.split(), corner, strict=True)
        if (box := band.point([value != level for value in range(256)]).getbbox())
    ]
    if not boxes:
        raise _NothingToRecognise("a picture of one colour")
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return image.crop((min(lefts), min(tops), max(rights), max(bottoms)))


def _units(iscc: str) -> dict[tuple[MT, ST, VS], bytes]:
    canonical = key_of(IdentifierKind.ISCC, iscc).canonical
    units = {}
    for unit in iscc_decompose(canonical):
        main_type, subtype, version, _, digest = iscc_decode(unit)
        units[main_type, subtype, version] = digest
    return units


def _hamming(a: bytes, b: bytes) -> float:
    size = min(len(a), len(b))
    differing = int.from_bytes(a[:size], "big") ^ int.from_bytes(b[:size], "big")
    return differing.bit_count() / (8 * size)

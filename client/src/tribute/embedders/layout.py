"""Descriptors of a picture's layout and colours, as vectors.

Owns the transform: low frequencies of a discrete cosine transform of luminance and colour, as the
colour layout descriptor of ISO/IEC 15938-3 (MPEG-7), clause 8.7, with more coefficients. It finds
pictures that are composed and coloured alike, above all altered copies. It knows nothing of
subjects or styles, so that what it finds is weaker evidence than a learned embedding would be.
"""

import io
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

NAME = "tribute-layout"
REVISION = "1"
PREPROCESSING = "upright, on white, YCbCr, 32 x 32; DCT-II, 8 x 8 of Y and 4 x 4 of Cb and Cr"

SIDE = 32
LUMINANCE, COLOUR = 8, 4
DIMENSIONS = LUMINANCE**2 - 1 + 2 * COLOUR**2
MOST_PIXELS = 64_000_000

_FAINTEST = 1e-6
"""What rounding leaves of nothing is shorter."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

Floats = NDArray[np.float32]


class Embedder:
    """Makes one vector of a picture."""

    def of_file(self, content: bytes) -> Floats:
        """Return (1, DIMENSIONS). Raises ValueError for what is no picture, or too large a one."""
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise ValueError("the picture has too many pixels")
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise ValueError("this is no picture that can be read") from error
        white = Image.new("RGBA", upright.size, "white")
        small = Image.alpha_composite(white, upright).convert("YCbCr").resize((SIDE, SIDE))
        planes = (np.asarray(small, np.float64) - 128) / 255
        parts = [
            _frequencies(planes[:, :, number], LUMINANCE if number == 0 else COLOUR)
            for number in range(3)
        ]
        # How bright a picture is as a whole tells nothing about it; its colour does.
        vector = np.concatenate([parts[0][1:], *parts[1:]])
        length = float(np.linalg.norm(vector))
        if length < _FAINTEST:
            raise ValueError("a picture of one grey has no layout")
        return (vector / length).astype(np.float32)[None, :]


def _frequencies(plane: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """Return the lowest kept x kept coefficients of the DCT-II, row by row."""
    places = (np.arange(SIDE) + 0.5) * pi / SIDE
    waves = np.cos(np.arange(kept)[:, None] * places)
    return np.asarray((waves @ plane @ waves.T).ravel())

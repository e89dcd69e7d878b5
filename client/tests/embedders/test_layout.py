"""Pictures composed and coloured alike have near vectors."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tribute.embedders import layout


def drawn(seed: int) -> Image.Image:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(blocks).resize((240, 160))


def vector(picture: Image.Image, **options: int) -> NDArray[np.float32]:
    made = io.BytesIO()
    picture.save(made, "JPEG", **options)
    found: NDArray[np.float32] = layout.Embedder().of_file(made.getvalue())[0]
    return found


def test_a_vector_has_its_dimension_and_the_length_one() -> None:
    found = vector(drawn(1))

    assert found.shape == (layout.DIMENSIONS,)
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-5)


def test_a_smaller_worse_copy_is_near_and_another_picture_is_not() -> None:
    copy = vector(drawn(1).resize((90, 60)), quality=30)

    assert float(vector(drawn(1)) @ copy) > 0.98
    assert max(abs(float(vector(drawn(1)) @ vector(drawn(n)))) for n in range(2, 12)) < 0.7


def test_brightness_is_no_part_of_it() -> None:
    brighter = drawn(1).point(lambda value: value // 2 + 64)

    assert float(vector(drawn(1)) @ vector(brighter)) > 0.98


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        layout.Embedder().of_file(content)


def test_a_picture_of_one_grey_has_no_layout() -> None:
    grey = io.BytesIO()
    Image.new("L", (64, 64), 128).save(grey, "PNG")

    with pytest.raises(ValueError, match="one grey"):
        layout.Embedder().of_file(grey.getvalue())

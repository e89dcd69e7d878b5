import hashlib
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iscc_lib import gen_data_code_v0, gen_instance_code_v0, gen_iscc_code_v0, gen_text_code_v0
from PIL import Image, ImageDraw, ImageOps

from tribute import fingerprints
from tribute.fingerprints import (
    Fingerprint,
    InvalidWork,
    fingerprint,
    image_code,
    iscc_distance,
    sha256_of,
    text_code,
)
from tribute.identifiers import InvalidIdentifier
from tribute.vocabulary import Medium


def prose(words: int, seed: int = 1) -> str:
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices("abcdefghij", k=5)) for _ in range(400)]
    return " ".join(chance.choices(vocabulary, k=words))


def picture() -> Image.Image:
    image = Image.linear_gradient("L").resize((320, 200)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 150, 150), fill="red")
    draw.rectangle((200, 90, 300, 190), fill="navy")
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    stream.seek(0)
    return stream


def test_sha256_of_reads_the_stream_in_pieces() -> None:
    data = bytes(3 * 1024 * 1024 + 7)

    assert sha256_of(io.BytesIO(data)) == hashlib.sha256(data).hexdigest()


def test_text_code_is_the_256_bit_code_of_the_standard() -> None:
    # The first 64 bits are the conformance vector "Hello World" of ISO 24138's reference code.
    assert text_code("Hello World") == gen_text_code_v0("Hello World", bits=256)["iscc"]
    assert iscc_distance(text_code("Hello World"), "ISCC:EAASKDNZNYGUUF5A") == 0.0


def test_text_code_ignores_case_spacing_and_punctuation() -> None:
    text = prose(200)

    assert text_code(text.upper().replace(" ", ",\n")) == text_code(text)


def test_distance_grows_with_the_edits() -> None:
    words = prose(1_000).split()
    edited = [*words[:30], *prose(40, seed=2).split(), *words[70:]]

    near = iscc_distance(text_code(" ".join(words)), text_code(" ".join(edited)))
    far = iscc_distance(text_code(" ".join(words)), text_code(prose(1_000, seed=3)))

    assert near is not None
    assert far is not None
    assert 0 < near < 0.3 < far


def test_image_code_survives_another_format_and_size() -> None:
    original = image_code(saved(picture()))
    smaller = image_code(saved(picture().resize((160, 100)), "JPEG", quality=40))

    distance = iscc_distance(original, smaller)

    assert distance is not None
    assert distance <= 4 / 64


def test_image_code_looks_at_pictures_upright_on_white_and_without_border() -> None:
    expected = image_code(saved(picture()))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture().transpose(Image.Transpose.ROTATE_90)
    bordered = ImageOps.expand(picture(), 25, "black")
    floating = Image.new("RGBA", (400, 300), (9, 9, 9, 0))
    floating.paste(picture(), (40, 50))

    assert image_code(saved(lying, exif=exif)) == expected
    assert image_code(saved(bordered)) == expected
    assert image_code(saved(floating)) == expected


def test_image_code_reads_sixteen_bit_and_palette_pictures() -> None:
    grey = picture().convert("L")
    deep = Image.frombytes(
        "I;16", grey.size, bytes(b for level in grey.tobytes() for b in (0, level))
    )
    expected = image_code(saved(grey))

    assert image_code(saved(deep)) == expected
    assert iscc_distance(image_code(saved(picture().quantize(64))), expected) is not None


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
@settings(max_examples=30, deadline=None)
@given(position=st.floats(0, 1), damage=st.binary(max_size=6), cut=st.booleans())
def test_image_code_answers_damaged_files_with_invalid_work(
    *, kind: str, position: float, damage: bytes, cut: bool
) -> None:
    data = saved(picture().resize((40, 25)), kind).getvalue()
    at = int(position * len(data))
    broken = data[:at] + damage + (b"" if cut else data[at + len(damage) :])

    try:
        code = image_code(io.BytesIO(broken))
    except InvalidWork:
        return
    assert code.startswith("ISCC:EE")


def test_image_code_refuses_a_bomb_before_decoding_it() -> None:
    bomb = saved(Image.new("1", (9_000, 8_000)))

    with pytest.raises(InvalidWork, match="9000 by 8000"):
        image_code(bomb)


def test_image_code_refuses_what_is_no_picture() -> None:
    with pytest.raises(InvalidWork, match="not a readable picture"):
        image_code(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"))


def test_fingerprint_of_text_reads_utf_8_and_utf_16() -> None:
    text = prose(50)
    plain, wide = text.encode(), text.encode("utf-16")

    prints = [
        fingerprint(io.BytesIO(data), Medium.TEXT)
        for data in (plain, b"\xef\xbb\xbf" + plain, wide)
    ]

    assert prints[0] == Fingerprint(hashlib.sha256(plain).hexdigest(), text_code(text), Medium.TEXT)
    assert {each.iscc for each in prints} == {text_code(text)}
    assert len({each.sha256 for each in prints}) == 3


def test_fingerprint_of_an_image_and_of_other_bytes() -> None:
    data = saved(picture()).getvalue()

    image = fingerprint(io.BytesIO(data), Medium.IMAGE)
    other = fingerprint(io.BytesIO(data), Medium.OTHER)

    assert image.iscc == image_code(io.BytesIO(data))
    assert other.iscc == gen_data_code_v0(data, bits=256)["iscc"]
    assert image.sha256 == other.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("medium", Medium)
def test_fingerprint_of_nothing_has_no_content_code(medium: Medium) -> None:
    assert fingerprint(io.BytesIO(b""), medium) == Fingerprint(
        hashlib.sha256(b"").hexdigest(), None, medium
    )


def test_fingerprint_draws_no_code_from_blank_works() -> None:
    assert fingerprint(io.BytesIO(b" \n...\n"), Medium.TEXT).iscc is None
    assert fingerprint(saved(Image.new("RGB", (90, 90), "teal")), Medium.IMAGE).iscc is None


def test_fingerprint_refuses_bytes_that_are_not_text() -> None:
    with pytest.raises(InvalidWork, match="not text"):
        fingerprint(io.BytesIO(b"\xff\x00\xfe"), Medium.TEXT)


def test_fingerprint_refuses_endless_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "MAX_TEXT_BYTES", 10)

    with pytest.raises(InvalidWork, match="more than 10 bytes"):
        fingerprint(io.BytesIO(b"eleven more"), Medium.TEXT)


def test_text_code_refuses_lone_surrogates_and_silence() -> None:
    with pytest.raises(InvalidWork):
        text_code("a\ud800")
    with pytest.raises(InvalidWork):
        text_code(" -- ")


def test_codes_of_different_kinds_do_not_compare() -> None:
    text = text_code(prose(50))
    data = str(gen_data_code_v0(b"x" * 100)["iscc"])
    instance = str(gen_instance_code_v0(b"x" * 100)["iscc"])

    assert iscc_distance(text, data) is None
    assert iscc_distance(instance, instance) is None


def test_composite_codes_compare_by_their_content() -> None:
    text = gen_text_code_v0(prose(50))["iscc"]
    data, instance = gen_data_code_v0(b"x" * 100)["iscc"], gen_instance_code_v0(b"x")["iscc"]
    composite = gen_iscc_code_v0([text, data, instance])["iscc"]

    assert iscc_distance(composite, text) == 0.0
    assert iscc_distance(composite, data) == 0.0
    assert iscc_distance(text.lower(), composite) == 0.0


def test_iscc_distance_refuses_what_is_not_an_iscc() -> None:
    with pytest.raises(InvalidIdentifier):
        iscc_distance("ISCC:NOPE", text_code("some text"))

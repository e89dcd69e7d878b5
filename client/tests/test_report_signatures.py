"""Reports are signed as RFC 7515 and RFC 8037 say, and nothing else verifies."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tribute.report_signatures import InvalidSignature, Signature, read, sign, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
BODY = b'{"queries":[]}'


def test_the_vector_of_rfc_8037_verifies() -> None:
    """Appendix A.4, with the key of A.1."""
    public = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    value = base64.urlsafe_b64decode(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg=="
    )
    signature = Signature("", 1, "eyJhbGciOiJFZERTQSJ9", value)

    verify(signature, b"Example of Ed25519 signing", public)

    with pytest.raises(InvalidSignature):
        verify(signature, b"Example of Ed25519 signing.", public)


def test_what_is_signed_reads_back() -> None:
    text = sign(BODY, KEY, key_id="rky_1", sequence=7)

    found = read(text)

    verify(found, BODY, PUBLIC)
    assert (found.key_id, found.sequence) == ("rky_1", 7)


def test_neither_body_number_nor_key_can_be_exchanged() -> None:
    text = sign(BODY, KEY, key_id="rky_1", sequence=7)
    with pytest.raises(InvalidSignature):
        verify(read(text), BODY + b" ", PUBLIC)
    for other in (
        sign(BODY, KEY, key_id="rky_1", sequence=8),
        sign(BODY, KEY, key_id="rky_2", sequence=7),
    ):
        mixed = other.split(".")[0] + ".." + text.split(".")[2]
        with pytest.raises(InvalidSignature):
            verify(read(mixed), BODY, PUBLIC)
    with pytest.raises(InvalidSignature):
        verify(read(text), BODY, bytes(32))


def header(**said: object) -> str:
    whole = {"alg": "EdDSA", "kid": "rky_1", "seq": 1} | said
    text = json.dumps({name: value for name, value in whole.items() if value is not None})
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        f"{header()}.e30.AAAA",
        f"{header(alg='none')}..AAAA",
        f"{header(alg='HS256')}..AAAA",
        f"{header(crit=['b64'], b64=False)}..AAAA",
        f"{header(prompt='a poem about')}..AAAA",
        f"{header(kid=None)}..AAAA",
        f"{header(seq=0)}..AAAA",
        f"{header(seq=True)}..AAAA",
        f"{header(seq='1')}..AAAA",
        f"{header(seq=2**53)}..AAAA",
        f"{header()}==..AAAA",
        f"{header()}..AA\u00e4A",
        f"{header()}..AB",
        "!!..AAAA",
        "W10..AAAA",
        "x" * 2_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidSignature):
        read(text)

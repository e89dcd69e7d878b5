"""A certificate is taken out of a store in one way only, and hostile stores say so."""

import io
import json
from datetime import timedelta

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from registry import cbor, signature_boxes
from registry.signature_boxes import UnreadableSignature
from tests.registry.signing import OFFLINE, make_identity, sign

IDENTITY = make_identity(at=timezone.now() - timedelta(days=1))
OWN = x509.load_pem_x509_certificate(IDENTITY.certificates.encode())


def written() -> tuple[bytes, str]:
    """A real manifest store, and its active manifest's label."""
    body = io.BytesIO(sign(IDENTITY))
    with c2pa.Reader("image/png", body, context=c2pa.Context.from_dict(OFFLINE)) as reader:
        label = json.loads(reader.json())["active_manifest"]
        store = io.BytesIO()
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}/c2pa.signature", store)
    return store.getvalue(), label


STORE, LABEL = written()


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def labelled(label: str, *content: bytes) -> bytes:
    described = box(b"jumd", bytes(16) + b"\x03" + label.encode() + b"\x00")
    return box(b"jumb", described + b"".join(content))


def size(kind: int, length: int) -> bytes:
    return bytes([kind << 5 | 25]) + length.to_bytes(2, "big")


def text(data: bytes) -> bytes:
    return size(2, len(data)) + data


DER = OWN.public_bytes(Encoding.DER)
CHAIN = b"\x18\x21" + b"\x81" + text(DER)
NO_HEADER, WITH_CHAIN = b"\xa0", b"\xa1" + CHAIN


def store(
    protected: bytes, unprotected: bytes, *, signatures: int = 1, manifests: int = 1
) -> bytes:
    sign1 = b"\xd2\x84" + text(protected) + unprotected + b"\xf6" + text(bytes(64))
    signature = labelled("c2pa.signature", box(b"cbor", sign1))
    return labelled("c2pa", *[labelled("m", *[signature] * signatures)] * manifests)


def test_the_signers_own_certificate_is_found_in_a_real_store() -> None:
    assert signature_boxes.find(STORE, LABEL).certificate == OWN


@pytest.mark.parametrize(
    ("protected", "unprotected"), [(WITH_CHAIN, NO_HEADER), (NO_HEADER, WITH_CHAIN)]
)
def test_a_chain_lies_in_either_header(protected: bytes, unprotected: bytes) -> None:
    assert signature_boxes.find(store(protected, unprotected), "m").certificate == OWN


@pytest.mark.parametrize(
    "hostile",
    [
        store(WITH_CHAIN, WITH_CHAIN),
        store(NO_HEADER, NO_HEADER),
        store(b"\xa2" + CHAIN + CHAIN, NO_HEADER),
        store(b"\xa2" + CHAIN + b"\x67x5chain\x81" + text(DER), NO_HEADER),
        store(b"\xa1\x18\x21\x80", NO_HEADER),
        store(b"\xa1\x18\x21\x81" + text(b"no certificate"), NO_HEADER),
        store(b"\xbf" + CHAIN + b"\xff", NO_HEADER),
        store(WITH_CHAIN + b"\x00", NO_HEADER),
        store(WITH_CHAIN, NO_HEADER, signatures=2),
        store(WITH_CHAIN, NO_HEADER, signatures=0),
        store(WITH_CHAIN, NO_HEADER, manifests=2),
        store(WITH_CHAIN, NO_HEADER)[:-1],
        b"",
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_refused(hostile: bytes) -> None:
    with pytest.raises(UnreadableSignature):
        signature_boxes.find(hostile, "m")


@given(at=st.integers(0, len(STORE) - 1), byte=st.integers(0, 255), end=st.integers(0, 40))
def test_a_spoilt_store_gives_its_certificate_or_a_reason(at: int, byte: int, end: int) -> None:
    spoilt = STORE[:at] + bytes([byte]) + STORE[at + 1 : len(STORE) - end]
    try:
        found = signature_boxes.find(spoilt, LABEL)
    except UnreadableSignature:
        return
    assert found.certificate.serial_number


@given(st.binary(max_size=200))
def test_any_bytes_are_an_item_or_refused(data: bytes) -> None:
    try:
        cbor.decode(data)
    except cbor.InvalidCbor:
        return


@pytest.mark.parametrize(
    ("data", "item"),
    [
        ("00", 0),
        ("1903e8", 1000),
        ("29", -10),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("6449455446", "IETF"),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("f5", True),
        ("f6", None),
        ("d28101", cbor.Tagged(18, [1])),
    ],
)
def test_examples_of_the_standard(data: str, item: object) -> None:
    """RFC 8949, appendix A."""
    assert cbor.decode(bytes.fromhex(data)) == item


def test_deep_nests_and_long_promises_are_refused() -> None:
    for hostile in (b"\x81" * 100_000, b"\x9b" + b"\xff" * 8, b"\x5b" + b"\xff" * 8, b"\xf8\x20"):
        with pytest.raises(cbor.InvalidCbor):
            cbor.decode(hostile)

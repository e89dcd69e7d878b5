import base64
import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tribute.receipts import (
    InvalidReceipt,
    VerifiedReceipt,
    canonical_json,
    inclusion_path,
    key_id,
    merkle_root,
    request_digest,
    row_digest,
    row_salt,
    signing_input,
    verify_inclusion,
    verify_receipt,
)
from tribute.vocabulary import Purpose

REGISTRY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = REGISTRY.public_key().public_bytes_raw()
MALLORY = Ed25519PrivateKey.from_private_bytes(bytes(32))
CHECK, OPERATOR = "chk_" + "0" * 25 + "1", "opr_" + "0" * 25 + "2"
SALT = b"s" * 32

ITEMS = [{"id": "0", "url": "https://example.com/"}, {"id": "1", "sha256": "ab" * 32}]
ANSWERS = [{"id": "0", "decisions": {}}, {"id": "1", "decisions": {}}]
LEAVES = [
    row_digest(item, answer, salt=row_salt(SALT, i))
    for i, (item, answer) in enumerate(zip(ITEMS, ANSWERS, strict=True))
]


def signed(key: Ed25519PrivateKey = REGISTRY, **changes: Any) -> dict[str, Any]:
    receipt: dict[str, Any] = {
        "v": 1,
        "type": "check.batch",
        "check": CHECK,
        "operator": OPERATOR,
        "purposes": ["train-ai", "search"],
        "at": "2026-03-01T12:00:00Z",
        "items": 2,
        "request_digest": request_digest(ITEMS),
        "answers_root": merkle_root(LEAVES).hex(),
        "log_size": 17,
        "signature": {"alg": "Ed25519", "key_id": key_id(PUBLIC_KEY)},
    } | changes
    value = base64.b64encode(key.sign(signing_input(receipt))).decode()
    return receipt | {"signature": receipt["signature"] | {"value": value}}


def test_a_receipt_verifies_with_nothing_but_the_public_key() -> None:
    assert verify_receipt(signed(), public_key=PUBLIC_KEY, items=ITEMS) == VerifiedReceipt(
        check=CHECK,
        operator=OPERATOR,
        purposes=(Purpose.TRAIN_AI, Purpose.SEARCH),
        at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        items=2,
        request_digest=request_digest(ITEMS),
        answers_root=merkle_root(LEAVES),
        log_size=17,
        key_id=key_id(PUBLIC_KEY),
    )


def test_one_row_is_proven_without_the_others() -> None:
    verified = verify_receipt(signed(), public_key=PUBLIC_KEY)
    leaf = row_digest(ITEMS[1], ANSWERS[1], salt=row_salt(SALT, 1))

    assert verify_inclusion(
        leaf,
        index=1,
        size=verified.items,
        path=inclusion_path(LEAVES, 1),
        root=verified.answers_root,
    )
    assert row_digest(ITEMS[1], ANSWERS[0], salt=row_salt(SALT, 1)) != leaf
    assert row_digest(ITEMS[1], ANSWERS[1], salt=row_salt(SALT, 0)) != leaf


@pytest.mark.parametrize(
    "items",
    [
        [],
        ITEMS[:1],
        ITEMS[::-1],
        [ITEMS[0], {"id": "1"}],
        [ITEMS[0], {"id": float("inf")}],
        [ITEMS[0], {"id": 10**30}],
        [ITEMS[0], {"id": "\ud800"}],
    ],
)
def test_a_receipt_does_not_vouch_for_other_questions(items: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidReceipt, match="other questions"):
        verify_receipt(signed(), public_key=PUBLIC_KEY, items=items)


@pytest.mark.parametrize(
    "forgery",
    [
        {"items": 3},
        {"log_size": 18},
        {"purposes": ["train-ai"]},
        {"at": "2026-03-01T12:00:01Z"},
        {"answers_root": "00" * 32},
        {"operator": "opr_" + "0" * 26},
    ],
)
def test_a_changed_receipt_is_refused(forgery: dict[str, Any]) -> None:
    with pytest.raises(InvalidReceipt, match="does not hold"):
        verify_receipt(signed() | forgery, public_key=PUBLIC_KEY)


def test_a_receipt_by_another_key_is_refused() -> None:
    with pytest.raises(InvalidReceipt, match="does not hold"):
        verify_receipt(signed(MALLORY), public_key=PUBLIC_KEY)
    with pytest.raises(InvalidReceipt, match="not by the one given"):
        verify_receipt(signed(), public_key=MALLORY.public_key().public_bytes_raw())


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"type": "consent.set"},
        {"check": "wrk_" + "0" * 26},
        {"check": 7},
        {"purposes": []},
        {"purposes": ["train-everything"]},
        {"purposes": [["train-ai"]]},
        {"purposes": "train-ai"},
        {"at": "2026-03-01T12:00:00+01:00"},
        {"at": "2026-13-01T12:00:00Z"},
        {"items": True},
        {"items": -1},
        {"items": 2.0},
        {"log_size": "17"},
        {"request_digest": "AB" * 32},
        {"answers_root": "00"},
        {"note": "unsigned words"},
        {"signature": {"alg": "none", "key_id": key_id(PUBLIC_KEY)}},
        {"signature": {"alg": "Ed25519", "key_id": 5}},
    ],
)
def test_a_malformed_receipt_is_refused_even_when_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidReceipt):
        verify_receipt(signed(**changes), public_key=PUBLIC_KEY)


@pytest.mark.parametrize("value", [None, "", "####", "AAAA", "é"])
def test_a_signature_that_is_none_is_refused(value: Any) -> None:
    receipt = signed()
    receipt["signature"]["value"] = value

    with pytest.raises(InvalidReceipt):
        verify_receipt(receipt, public_key=PUBLIC_KEY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(signed())), JSON)
def test_verify_receipt_raises_nothing_but_invalid_receipt(field: str, value: Any) -> None:
    receipt = signed()
    if receipt[field] == value and type(receipt[field]) is type(value):
        return

    with pytest.raises(InvalidReceipt):
        verify_receipt(receipt | {field: value}, public_key=PUBLIC_KEY)


@pytest.mark.parametrize("receipt", [None, [], "receipt", {}])
def test_verify_receipt_refuses_what_is_no_object(receipt: Any) -> None:
    with pytest.raises(InvalidReceipt):
        verify_receipt(receipt, public_key=PUBLIC_KEY)


def test_canonical_json_sorts_and_escapes_as_rfc_8785_asks() -> None:
    assert canonical_json({"b": [1.0, "é\n"], "a": {"€": None}}) == (
        b'{"a":{"\xe2\x82\xac":null},"b":[1,"\xc3\xa9\\n"]}'
    )


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555555", "333333333.3333333"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_rfc_8785_has_them(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json(number).decode() == text


def test_names_are_sorted_by_their_utf_16_code_units() -> None:
    """RFC 8785, section 3.2.3: a smiley, of two units, stands before a Hebrew letter of one."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6", "</script>", "\n"]

    text = canonical_json(dict.fromkeys(names, 0)).decode()

    assert list(json.loads(text)) == [
        "\n", "\r", "1", "</script>", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), 2**60, {1: "a"}, b"bytes", "\ud800"])
def test_canonical_json_refuses_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        canonical_json(value)


def test_request_digest_depends_on_order_but_not_on_the_order_of_fields() -> None:
    assert request_digest([{"url": "u", "id": "0"}]) == request_digest([{"id": "0", "url": "u"}])
    assert request_digest(ITEMS) != request_digest(ITEMS[::-1])

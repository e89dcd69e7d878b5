"""RFC 8259, with cases as in JSONTestSuite; and what an object says twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import c2pa, safe_json, tdm_ai, tdmrep
from tribute.standards.safe_json import AMBIGUOUS, UnsafeJson


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" [1 , -0.0,1e+2]\n", [1, -0.0, 100.0]),
        (b'{"":0,"a\\u0000b":"\\uD834\\udd1e"}', {"": 0, "a\0b": "\U0001d11e"}),
        ('"\u2028\u007f€"'.encode(), "\u2028\x7f€"),
        (b"\xef\xbb\xbf[]", []),
        (b'{"a":1,"a":1}', {"a": 1}),
        (b'{"a":1,"a":2,"b":[{"c":0,"c":false}]}', {"a": AMBIGUOUS, "b": [{"c": AMBIGUOUS}]}),
        (b'{"a":1,"a":2,"a":1}', {"a": AMBIGUOUS}),
    ],
)
def test_documents_are_read(text: bytes, value: object) -> None:
    assert safe_json.parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff", b"[1,]", b"[,1]", b"[1,,2]", b"[01]", b"[+1]", b"[.1]", b"[1.]", b"[0x1]", b"[NaN]",
        b"[-Infinity]", b"['a']", b'["\x00"]', b'["\\x00"]', b'["a\nb"]', b'{"a":1,}', b"{a:1}", b'{"a" 1}',
        b"[1]x", b"[" * 100_000, b"1" * 9999, b"[" + b" " * safe_json.LIMIT + b"]", "[1]".encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(UnsafeJson):
        safe_json.parse(text)


@given(st.binary(max_size=60) | st.text('[]{}:,"\\01ae- ', max_size=40).map(str.encode))
def test_any_octets_are_read_or_refused(text: bytes) -> None:
    try:
        read = safe_json.parse(text)
    except UnsafeJson:
        return
    assert type(read) is type(json.loads(text.decode("utf-8-sig")))


def test_what_is_said_twice_and_differently_permits_nothing() -> None:
    rules = tdmrep.parse(b'[{"location": "/", "tdm-reservation": 1, "tdm-reservation": 0}]')
    declared = tdm_ai.parse(b'{"iscc": "ISCC:A", "all": "false", "all": "true"}', proven=True)
    asserted = c2pa.parse(
        b'{"active_manifest": "m", "manifests": {"m": {"assertions": [{"label": "cawg.training-mining",'
        b'"data": {"entries": {"cawg.ai_training": {"use": "notAllowed", "use": "allowed"}}}}]}}}',
        trusted=True,
    )

    assert tdmrep.statements_of(rules.at("/a")).statements == ()
    assert [p.code for p in rules.problems] == ["tdmrep_bad_value"]
    assert declared.statements == ()
    assert [p.code for p in declared.problems] == ["tdm_ai_bad_value"]
    assert asserted.statements == ()
    assert [p.code for p in asserted.problems] == ["c2pa_unknown_use"]

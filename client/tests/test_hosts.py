import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.hosts import InvalidHost, is_address, parse_host


@given(st.integers(0, 2**32 - 1))
def test_every_number_form_of_an_ipv4_address_is_the_same_address(value: int) -> None:
    expected = str(ipaddress.IPv4Address(value))
    a, b, c, d = value.to_bytes(4, "big")

    assert parse_host(str(value)) == expected
    assert parse_host(hex(value)) == expected
    assert parse_host(f"0{value:o}") == expected
    assert parse_host(f"{a}.{value & 0xFFFFFF}") == expected
    assert parse_host(f"0x{a:X}.{b}.0{c:o}.{d}.") == expected


@given(
    st.binary(min_size=16, max_size=16)
    | st.lists(st.sampled_from([0, 0, 0, 1, 16]), min_size=16, max_size=16).map(bytes)
)
def test_ipv6_is_written_like_rfc_5952(packed: bytes) -> None:
    address = ipaddress.IPv6Address(packed)

    canonical = parse_host(f"[{address.exploded.upper()}]")

    assert ipaddress.IPv6Address(canonical[1:-1]) == address
    assert "." not in canonical
    if address.ipv4_mapped is None:
        assert canonical == f"[{address.compressed}]"


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("faß.de", "xn--fa-hia.de"),
        ("FASS.de", "fass.de"),
        ("日本語。ｊｐ", "xn--wgv71a119e.jp"),
        ("ｗｗｗ.example.org", "example.org"),
        ("e\u0301.example", "xn--9ca.example"),
        ("soft\u00adhyphen.example", "softhyphen.example"),
        ("क्\u200dष.example", "xn--11b2ezcw70k.example"),
        ("a_b.-c-.example", "a_b.-c-.example"),
        ("%F0%9F%92%A9.la", "xn--ls8h.la"),
        # What is ASCII stays: Punycode that ends in its middle, or that UTS #46 would map (ｗｗｗ).
        ("XN--A.example", "xn--a.example"),
        ("xn--", "xn--"),
        ("xn--ABC-.example", "xn--abc-.example"),
        ("xn--8i7caa.example", "xn--8i7caa.example"),
        ("xn--pokxncvks", "xn--pokxncvks"),
    ],
)
def test_names_go_through_uts_46(raw: str, canonical: str) -> None:
    assert parse_host(raw) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a%20b",
        "a／b",
        "xn--a.é",
        "xn--8i7caa.bücher",
        "\u0301a.example",
        "a\u200cb.example",
        "1א.example",
        "א.1b",
        "\ufffd",
        "[::1",
        "[]",
        "[::1]x",
        "[::1%eth0]",
        "0x100000000",
        "1.2.3.4.5",
        "1.x.2",
        "08",
        "x" * 64,
        ".".join(["x" * 50] * 6),
        "x" * 1025,
    ],
)
def test_parse_host_refuses_what_cannot_be_resolved(raw: str) -> None:
    with pytest.raises(InvalidHost):
        parse_host(raw)


@given(st.text())
def test_parse_host_is_idempotent_and_raises_nothing_but_invalid_host(raw: str) -> None:
    try:
        canonical = parse_host(raw)
    except InvalidHost:
        return
    assert parse_host(canonical) == canonical


def test_is_address_tells_addresses_from_names() -> None:
    assert is_address("192.0.2.1")
    assert is_address("[::1]")
    assert not is_address("192.0.2.example")
    assert not is_address("localhost")

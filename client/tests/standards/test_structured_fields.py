"""RFC 9651's own examples (sections 3.2 and 3.3), and what is one octet away from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.structured_fields import NotADictionary, Token, parse_dictionary


@pytest.mark.parametrize(
    ("field", "members"),
    [
        (b'en="Applepie", da=:w4ZibGV0w6ZydGU=:', {"en": None, "da": None}),
        (b"a=?0, b, c; foo=bar", {"a": None, "b": None, "c": None}),
        (b"rating=1.5, feelings=(joy sadness)", {"rating": None, "feelings": None}),
        (b"a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", dict.fromkeys("abcd")),
        (b"date=@1659578233", {"date": None}),
        (b'title=%"This is intended for display to %c3%bcsers."', {"title": None}),
        (b"token=foo123/456", {"token": Token("foo123/456")}),
        (b"a=1 ,\t b=x", {"a": None, "b": Token("x")}),
        (b"a=x, a=y", {"a": Token("y")}),
        # as in the HTTP working group's test suite
        (b"a=1\t,\t b=x;p;q=?0", {"a": None, "b": Token("x")}),
        (b"a=foo123;x=?1, *k=*t", {"a": Token("foo123"), "*k": Token("*t")}),
        (b"a=-0.0, b=:aGVsbG8=:, c=()", dict.fromkeys("abc")),
        (b"", {}),
        (b"   ", {}),
    ],
)
def test_valid_dictionaries_are_read(field: bytes, members: dict[str, Token | None]) -> None:
    assert parse_dictionary(field) == members


@pytest.mark.parametrize(
    "field",
    [
        b"Train-AI=n",
        b"a=n,",
        b"a=n;",
        b"a==n",
        b"a=n b=y",
        b"a = n",
        b"a=",
        b"a=(1 2",
        b"a=(1,2)",
        b"a=1234567890123456",
        b"a=1.2345",
        b'a="unterminated',
        b"a=:not base64:",
        b'a=%"%ff"',
        b"a=?2",
        b"a=n\x00",
        "a=ü".encode(),
        b"\ta=n",
        b"a=" + b"x" * 70_000,
        # as in the HTTP working group's test suite
        b",a=n",
        b"a=n,,b=y",
        b"=n",
        b"*a=n,b=,c=y",
        b"a=(1\t2)",
        b"a=-",
        b"a=--0",
        b"a=1.",
        b"a=1.5.4",
        b"a=@1.5",
        b'a="\\a"',
        b"a=:aGVsbG8=",
        b"a=:=aGVsbG8=:",
        b'a=%"%C3%BC"',
    ],
)
def test_one_wrong_octet_refuses_the_whole_field(field: bytes) -> None:
    with pytest.raises(NotADictionary):
        parse_dictionary(field)


@given(st.binary(max_size=200) | st.text('ab=(); ,"?:%@1.-\\ ', max_size=60).map(str.encode))
def test_any_octets_are_read_or_refused(field: bytes) -> None:
    try:
        members = parse_dictionary(field)
    except NotADictionary:
        return
    assert all(key == key.lower() for key in members)


def test_the_last_of_equal_keys_counts_at_the_place_of_the_first() -> None:
    assert list(parse_dictionary(b"a=x, b=y, a=z").items()) == [
        ("a", Token("z")),
        ("b", Token("y")),
    ]

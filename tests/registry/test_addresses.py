"""Addresses by the thousand: the same keys as one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import addresses
from tribute import identifiers
from tribute.identifiers import InvalidIdentifier
from tribute.vocabulary import IdentifierKind

PARTS = st.sampled_from(
    [
        "a",
        "/",
        "..",
        "%7e",
        "%2F",
        "?",
        "#",
        ":8443",
        ":80",
        "@",
        "ä",
        "\\",
        '"',
        " ",
        "\udc80",
        "'",
    ]
)


@given(
    st.sampled_from(["https://", "HTTP:", "http://www.", "ftp://", ""]),
    st.sampled_from(
        ["ada.example", "B\u00fccher.example", "[::1]", "1.2", "a_b.example", "\u00df"]
    ),
    st.lists(PARTS, max_size=8).map("".join),
)
def test_an_address_has_the_key_and_the_places_it_has_by_itself(
    scheme: str, host: str, rest: str
) -> None:
    url = scheme + host + rest
    try:
        own, *places = identifiers.candidate_keys(url)
    except InvalidIdentifier:
        with pytest.raises(InvalidIdentifier):
            addresses.key_of(url)
        return

    found = addresses.key_of(url)

    assert found == own == identifiers.key_of(IdentifierKind.URL, url)
    assert list(addresses.places(addresses.folder_of(found.canonical))) == places

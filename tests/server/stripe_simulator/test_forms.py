"""Forms are read back as the SDK meant them."""

from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from server.stripe_simulator.forms import decode_form

NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
LEAVES = st.text(max_size=8)
# An empty hash or list writes no field, so that no form can bear it.
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_decode_form_reads_what_the_sdk_encodes(params: dict[str, Any]) -> None:
    assert decode_form(urlencode(list(_api_encode(params)))) == params


def test_decode_form_appends_to_lists_without_numbers() -> None:
    assert decode_form("expand[]=data.source&expand[]=data") == {"expand": ["data.source", "data"]}

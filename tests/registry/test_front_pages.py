"""The tag that shows control: in the head of the page, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.front_pages import challenges

TAG = '<meta name="tribute-challenge" content="x.y">'


@pytest.mark.parametrize(
    "page",
    [
        TAG,
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>A</title>{TAG}</head>",
        f"\ufeff<html><head><script>if (a < b) {{ '<body>' }}</script>{TAG}<body>",
        f"<head><style>p > b {{}}</style><link rel=icon href=/i>{TAG}",
        "<META CONTENT='x.y' NAME='Tribute-Challenge' />",
        '<meta name="tribute-challenge" content="x.y" content="z">',
        f"<!-- <body> -->{TAG}",
    ],
)
def test_a_tag_in_the_head_is_found(page: str) -> None:
    assert challenges(page.encode()) == ["x.y"]


@pytest.mark.parametrize(
    "page",
    [
        "",
        f"<body>{TAG}",
        f"<head></head>{TAG}",
        f"<p>{TAG}",
        f"Hello{TAG}",
        f"<head><title>{TAG}</title>",
        f"<head><script>{TAG}</script>",
        f"<head><noscript>{TAG}</noscript>",
        f"<head><template>{TAG}</template>",
        f"<!-- {TAG} -->",
        f"<head><textarea>{TAG}</textarea>",
        TAG.replace("name", "property"),
        TAG.replace("tribute", "other"),
        "<meta name='tribute-challenge",
    ],
)
def test_a_tag_elsewhere_shows_nothing(page: str) -> None:
    assert challenges(page.encode()) == []


def test_a_tag_without_content_is_empty_and_two_tags_are_two() -> None:
    assert challenges(b"<meta name=tribute-challenge><meta name=tribute-challenge content=b>") == [
        "",
        "b",
    ]


@given(st.binary() | st.text(alphabet="<>!-/='\" metahdbopy&#x0;[").map(str.encode))
def test_no_page_crashes_the_reader(page: bytes) -> None:
    assert isinstance(challenges(page), list)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.markup import Link, Meta, parse


@pytest.mark.parametrize(
    "page",
    [
        '<meta name="robots" content="noai">',
        "<META NAME=robots CONTENT=noai>",
        "<meta name='robots'content='noai'/>",
        '<meta content="noai" name="robots" name="other" >',
        '<meta\tname = "robots"\n/content = "&#110;oai">',
        '<meta name="robots" ="x" content="noai">',
        "<!----><meta name=robots content=noai>",
        "<!--> --><meta name=robots content=noai>",
        "<!-- x --!><meta name=robots content=noai>",
        "<p a='<!--'><meta name=robots content=noai>",
        "<script>'<!--'</script ><meta name=robots content=noai>",
        "<title></meta></title><meta name=robots content=noai>",
        "1 < 2 <3 <meta name=robots content=noai>",
        "<![if x]><?php <meta name=x?><meta name=robots content=noai>",
        "<noscript><meta name=robots content=noai></noscript>",
        "</p <meta name=a content=b><meta name=robots content=noai>",
    ],
)
def test_meta_elements_are_found_as_browsers_find_them(page: str) -> None:
    assert [(m.name, m.content) for m in parse(page.encode()).metas] == [("robots", "noai")]


@pytest.mark.parametrize(
    "page",
    [
        "<!-- <meta name=robots content=noai>",
        "<!-- > <meta name=robots content=noai> -->",
        "<script><meta name=robots content=noai></script>",
        "<textarea><meta name=robots content=noai></textarea>",
        "<style><meta name=robots content=noai>",
        "<a title='<meta name=robots content=noai>'>",
        "<meta name=robots content='noai",
        "<meta name=robots",
        "< meta name=robots content=noai>",
    ],
)
def test_what_is_no_element_is_not_found(page: str) -> None:
    assert parse(page.encode()).metas == ()


def test_links_and_inline_documents_are_found() -> None:
    page = parse(
        b'<link rel="License canonical" type="application/rsl+xml; x=y" href=" /l.xml ">\n'
        b"<SCRIPT type='application/rsl+xml'>\n<rsl/></SCRIPT>\n<meta name=a content=b>"
    )

    assert page.links == (Link(("license", "canonical"), "application/rsl+xml", "/l.xml", 1),)
    assert page.documents == (("\n<rsl/>", 2),)
    assert page.metas == (Meta("a", "b", 4),)
    assert page.complete


def test_a_page_of_too_many_elements_is_incomplete() -> None:
    page = parse(b"<meta name=a>" * 5000)

    assert not page.complete
    assert len(page.metas) == 1001


OPENINGS = ["<", "<!", "<!--", "<![", "<?", "</", "<a ", "<a b='", "<a b=", "<meta ", "&#",
            "<script>", "<script></", "<title>", "<style><!--", "<a/", "<a =", "<a b  "]  # fmt: skip


@pytest.mark.parametrize("opening", OPENINGS)
def test_what_is_left_open_takes_no_time(opening: str) -> None:
    data = (opening * (500_000 // len(opening))).encode()
    started = time.process_time()

    parse(data)

    assert time.process_time() - started < 5


@given(st.lists(st.sampled_from([*OPENINGS, ">", "'", '"', "-->", "</script>", "name=robots",
                                 " content=noai", "\x00", "\n"]), max_size=20))  # fmt: skip
def test_any_markup_is_read_without_raising(parts: list[str]) -> None:
    assert parse("".join(parts).encode()).complete

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import headers
from tribute.standards.markup import Link, Meta, parse
from tribute.vocabulary import Decision, Purpose


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


@pytest.mark.parametrize(
    ("written", "read"),
    [  # HTML, section 13.2.5.73, as in html5lib's tests of tokenizers
        ("/p?a=1&copy=2&notx=3", "/p?a=1&copy=2&notx=3"),
        ("/p?a=1&amp;copy=2&lt", "/p?a=1&copy=2<"),
        ("&noti;&not;&not", "&noti;\u00ac\u00ac"),
        ("&#x6E;o&#97i&#x110000;", "noai\ufffd"),
        ("&#" + "9" * 5000 + ";&#x" + "f" * 5000, "\ufffd\ufffd"),
    ],
)
def test_references_in_attributes_are_resolved_as_browsers_do(written: str, read: str) -> None:
    assert parse(f'<meta name=a content="{written}">'.encode()).metas[0].content == read


def test_only_five_characters_are_white_space() -> None:
    page = parse(
        "<meta name=robots content=noindex,\u3000noai\x0b><script></script\x0b><meta>".encode()
    )

    assert [(m.name, m.content) for m in page.metas] == [("robots", "noindex,\u3000noai")]
    assert headers.parse_page(page).decisions[Purpose.TRAIN_AI] == Decision.DENY


def test_links_and_inline_documents_are_found() -> None:
    page = parse(
        b'<link rel="License canonical" type="application/rsl+xml; x=y" href=" /l.xml ">\n'
        b"<SCRIPT type='application/rsl+xml'>\n<rsl/></SCRIPT>\n<meta name=a content=b>"
    )

    assert page.links == (Link(("license", "canonical"), "application/rsl+xml", "/l.xml", 1),)
    assert page.documents == (("\n<rsl/>", 2),)
    assert page.metas == (Meta("a", "b", 4),)
    assert page.complete


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_zeros_between_the_letters_hide_no_refusal(encoding: str) -> None:
    page = parse("<p>é<meta name=robots content=noai>".encode(encoding))

    assert [(m.name, m.content) for m in page.metas] == [("robots", "noai")]
    assert not page.complete


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
    assert parse("".join(parts).encode()).complete is ("\0" not in "".join(parts))

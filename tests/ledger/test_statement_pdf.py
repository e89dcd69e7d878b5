"""The statement as a document: it says what the CSV says, and its payouts are those of the books."""

import re
import string
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anyascii import anyascii
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fpdf.syntax import PDFString as PdfString
from hypothesis import given
from hypothesis import strategies as st

from ledger import statement_pdf, statements
from ledger.errors import UnknownPeriod
from ledger.gateway_paper import PaperGateway
from ledger.money import Money
from ledger.posting import EntryKind
from ledger.vocabulary import AccountKind
from registry.models import Creator, Operator, User
from tests.factories import api_client
from tests.ledger.cast import approved, earn, of, send

pytestmark = pytest.mark.usefixtures("sound")


def this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def words(pdf: bytes) -> str:
    """Every text drawn, in order, one a line."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    pages = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    drawn = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", b"\n".join(pages))
    return "\n".join(re.sub(rb"\\(.)", rb"\1", text).decode("latin-1") for text in drawn)


@pytest.fixture
def paid(world: None, ada: Creator, mia: User, noah: User, gateway: PaperGateway) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.pay_out(of(ada).transfer_id)


@pytest.mark.usefixtures("paid")
def test_the_document_says_what_the_lines_say(ada: Creator) -> None:
    text = words(statement_pdf.render(ada, this_month()))
    for expected in ("Ada (ada)", ada.pk, "Opening balance", "Closing balance", "Page 1 of \n1"):
        assert expected in text
    for section in statements.sections(statements.lines(ada, this_month())):
        assert statements.decimal(section.closing) in text
        for line in section.lines:
            assert f"{line.batch}: " in text
            assert statements.decimal(line.balance) in text


@pytest.mark.usefixtures("paid")
def test_payouts_equal_what_left_the_books_to_the_micro(ada: Creator) -> None:
    month = this_month()
    left = [
        line.debit.micros
        for line in statements.lines(ada, month)
        if line.account == AccountKind.CREATOR_IN_PAYOUT and EntryKind.PAYOUT_SENT in line.what
    ]
    (payout,) = ada.payouts.all()
    assert sum(left) == payout.amount_micros == 3_000_000
    story = f"{payout.created_at:%Y-%m}"
    assert story != month, "the sender's clock says another month than the books"
    assert statements.paid_out(ada, story) == []
    assert [found.pk for found in statements.paid_out(ada, month)] == [payout.pk]
    text = words(statement_pdf.render(ada, month))
    assert payout.pk in text
    assert str(Money(3_000_000, "EUR")) in text


def test_a_quiet_month_is_a_document_too(ada: Creator) -> None:
    text = words(statement_pdf.render(ada, "2020-02"))
    assert "Nothing was booked in this month." in text
    assert "01 February 2020 to 29 February 2020, UTC" in text
    with pytest.raises(UnknownPeriod):
        statement_pdf.render(ada, "2020-13")


@pytest.mark.usefixtures("world")
def test_it_runs_over_pages_and_the_same_month_gives_the_same_bytes(
    ada: Creator, acme: Operator
) -> None:
    for _ in range(60):
        earn(ada, acme, 1_000)
    first = statement_pdf.render(ada, this_month())
    assert statement_pdf.render(ada, this_month()) == first
    text = words(first)
    assert "Page 2 of \n2" in text
    assert text.count("Recorded (UTC)") >= 3, "the headings stand on each page"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("艾达 (Łovelace) \\ Söhne", "AiDa (Lovelace) \\ Söhne"),
        ("Дмитрий Шостакович", "Dmitriy Shostakovich"),
        ("Nguyễn Thị Hoa", "Nguyen Thi Hoa"),
        ("A\u030angstr\u006f\u0308m x\u0323", "Ångström x"),
        ("\ue000", "U+E000"),
    ],
)
def test_without_a_font_a_name_is_written_in_latin_letters(
    ada: Creator, name: str, written: str
) -> None:
    ada.display_name = name
    pdf = statement_pdf.render(ada, "2020-02")
    assert f"{written} (ada)" in words(pdf)
    assert "?" not in words(pdf)
    assert "Written in Latin letters" in words(pdf)
    assert PdfString(f"Holder: {name} (ada)", encrypt=False).serialize().encode("latin-1") in pdf
    assert statement_pdf.render(ada, "2020-02") == pdf


def test_a_latin_name_is_written_as_it_is(ada: Creator) -> None:
    ada.display_name = "Zoë Müller-Åström"
    text = words(statement_pdf.render(ada, "2020-02"))
    assert "Zoë Müller-Åström (ada)" in text
    assert "Written in Latin letters" not in text


@given(name=st.text(min_size=1, max_size=60))
def test_no_letter_becomes_a_question_mark(name: str) -> None:
    creator = Creator(handle="ada", display_name=name)
    drawn = statement_pdf._Document(creator, "2020-02")._drawable(name)
    drawn.encode("latin-1")
    assert drawn.count("?") <= sum("?" in anyascii(sign) for sign in name)


def make_font(file: Path, letters: str) -> str:
    """A TrueType font in which every letter is a box."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (500, 700), (500, 0)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in letters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(letter): f"uni{ord(letter):04X}" for letter in letters})
    font.setupGlyf(dict.fromkeys(names, box))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": file.stem, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    font.setupPost()
    font.save(file)
    return str(file)


def test_with_fonts_a_name_stands_as_it_is(ada: Creator, tmp_path: Path, settings: Any) -> None:
    latin = make_font(tmp_path / "latin.ttf", string.printable.strip() + " ")
    chinese = make_font(tmp_path / "chinese.ttf", "艾达")
    settings.STATEMENT_FONTS = [latin, chinese]
    ada.display_name = "艾达 Łovelace"
    with closing(statement_pdf._Document(ada, "2020-02")) as document:
        assert document._drawable(ada.display_name) == "艾达 Lovelace", "what no font has is read"
    pdf = statement_pdf.render(ada, "2020-02")
    assert pdf.count(b"/FontFile2") >= 2, "both fonts are embedded"
    assert statement_pdf.render(ada, "2020-02") == pdf


@pytest.mark.usefixtures("paid")
def test_it_is_downloaded_by_its_creator_alone(ada: Creator, ben: Creator, acme: Any) -> None:
    answer = api_client(ada).get(f"/v1/statements-of-account/{this_month()}.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert ada.pk not in words(
        api_client(ben).get(f"/v1/statements-of-account/{this_month()}.pdf").content
    )
    assert api_client(acme).get(f"/v1/statements-of-account/{this_month()}.pdf").status_code == 403
    malformed = api_client(ada).get("/v1/statements-of-account/2020-13.pdf")
    assert malformed.json()["code"] == "unknown_period"

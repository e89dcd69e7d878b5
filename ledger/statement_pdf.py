"""A month's statement of account as a document that a person would file.

Draws what `ledger.statements` found and adds nothing up itself but the payouts. The same month
gives the same bytes, so that a copy can be compared. Letters that no font at hand has are written in
Latin ones, never left out or as a question mark; the holder's name as registered then stands in the
document's properties, which need no font.
"""

import unicodedata
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from anyascii import anyascii
from django.conf import settings
from fpdf import FPDF, XPos, YPos
from fpdf.enums import Align
from fpdf.fonts import TTFFont

from ledger import statements
from ledger.models import Payout
from ledger.money import Money
from ledger.statements import Section, decimal, described
from ledger.vocabulary import PayoutStatus
from registry.models import Creator

__all__ = ["render"]

_MARGIN, _LINE, _FOOT = 18.0, 5.2, 20.0
_GREY, _RULE = 95, 190
_LATIN_1 = 256
_TRANSLITERATED = (
    "Written in Latin letters. The name as registered stands in this document's properties."
)
_COLUMNS = (
    ("Recorded (UTC)", 29.0, Align.L),
    ("What", 42.0, Align.L),
    ("Batch: entries", 32.0, Align.L),
    ("Credit", 23.0, Align.R),
    ("Debit", 23.0, Align.R),
    ("Balance", 25.0, Align.R),
)
"""Heading, width in millimetres, and side; together as wide as A4 between the margins."""
_PAYOUT_COLUMNS = (
    ("Payout", 64.0, Align.L),
    ("Status", 34.0, Align.L),
    ("Taken back", 38.0, Align.R),
    ("Paid", 38.0, Align.R),
)


def render(creator: Creator, period: str) -> bytes:
    """The statement of one month, ``YYYY-MM`` (UTC), as PDF. Raises UnknownPeriod."""
    _, end = statements.month(period)
    with closing(_Document(creator, period)) as document:
        return _written(document, creator, period, end)


def _written(document: "_Document", creator: Creator, period: str, end: datetime) -> bytes:
    document.set_creation_date(end)
    document.add_page()
    document.introduce()
    found = statements.sections(statements.lines(creator, period))
    for section in found:
        document.section(section)
    if not found:
        document.say("Nothing was booked in this month.")
    document.payouts(statements.paid_out(creator, period))
    return bytes(document.output())


class _Document(FPDF):
    """Pages of one statement: what stands on each, and tables that run over them."""

    def __init__(self, creator: Creator, period: str) -> None:
        super().__init__(format="A4")
        self._creator, self._period = creator, period
        self._families = self._add_fonts(settings.STATEMENT_FONTS)
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_FOOT)
        self.alias_nb_pages()
        self.set_title(f"Statement of account {period}")
        self.set_author("Tribute")
        self.set_subject(f"Holder: {creator.display_name} ({creator.handle})")
        self.set_lang("en")

    def header(self) -> None:
        """Say on every page whose statement it is."""
        self._font(9, grey=_GREY)
        self._cell(100, "Tribute   Statement of account")
        self._cell(0, f"{self._creator.pk}   {self._period}", align=Align.R, last=True)
        self.set_draw_color(_RULE)
        self.line(_MARGIN, self.get_y() + 1, self.w - _MARGIN, self.get_y() + 1)
        self.ln(6)

    def footer(self) -> None:
        """Number the pages, and say what the figures are."""
        self.set_y(-_FOOT + 6)
        self._font(8, grey=_GREY)
        self._cell(130, "Amounts with six decimal places. Batches and entries as in the ledger.")
        self._cell(0, f"Page {self.page_no()} of {{nb}}", align=Align.R)

    def introduce(self) -> None:
        """Write the title, the holder and the period."""
        start, end = statements.month(self._period)
        last = end - timedelta(days=1)
        self._font(20, bold=True)
        self._cell(0, "Statement of account", height=12, last=True)
        for name, value in (
            ("Holder", f"{self._creator.display_name} ({self._creator.handle})"),
            ("Account holder's number", self._creator.pk),
            ("Period", f"{start:%d %B %Y} to {last:%d %B %Y}, UTC"),
            ("Issued by", settings.PUBLIC_URL),
        ):
            self._font(10, grey=_GREY)
            self._cell(46, name, height=6)
            self._font(10)
            self._cell(0, value, height=6, last=True)
        if self._drawable(name := self._creator.display_name) != name:
            self._font(8, grey=_GREY)
            self._cell(0, _TRANSLITERATED, last=True)
        self.ln(4)

    def section(self, section: Section) -> None:
        """Write one account: opening balance, lines, closing balance."""
        name = section.account.word.replace("-", " ").capitalize()
        self._title(f"{name}, {section.opening.currency}")
        self._heads(_COLUMNS)
        blank = ("", "", "")
        self._row(_COLUMNS, ("", "Opening balance", *blank, decimal(section.opening)), bold=True)
        for line in section.lines:
            credit, debit = (
                decimal(money) if money.micros else "" for money in (line.credit, line.debit)
            )
            entries = f"{line.batch}: {_position(line.first_entry)}-{_position(line.last_entry)}"
            when = f"{line.at:%Y-%m-%d %H:%M}"
            balance = decimal(line.balance)
            self._row(_COLUMNS, (when, described(line), entries, credit, debit, balance))
        credited = decimal(_sum([line.credit for line in section.lines], section.opening.currency))
        debited = decimal(_sum([line.debit for line in section.lines], section.opening.currency))
        closing = ("", "Closing balance", "", credited, debited, decimal(section.closing))
        self._row(_COLUMNS, closing, bold=True)
        self.ln(4)

    def payouts(self, found: Sequence[Payout]) -> None:
        """Write what left for the creator's account in the month, and its sum by currency."""
        self._title("Payouts")
        if not found:
            self.say("No payout was sent in this month.")
            return
        self._heads(_PAYOUT_COLUMNS)
        for payout in found:
            back = Money(payout.reversed_micros, payout.currency)
            status = PayoutStatus(payout.status).replace("_", " ")
            taken = str(back) if back.micros else ""
            self._row(_PAYOUT_COLUMNS, (payout.pk, status, taken, str(payout.amount)))
        for currency in sorted({payout.currency for payout in found}):
            amounts = [payout.amount for payout in found if payout.currency == currency]
            total = str(_sum(amounts, currency))
            self._row(_PAYOUT_COLUMNS, ("Sent in this month", "", "", total), bold=True)

    def say(self, text: str) -> None:
        """Write a sentence."""
        self._font(10)
        self._cell(0, text, height=7, last=True)

    def _title(self, text: str) -> None:
        if self.will_page_break(4 * _LINE):
            self.add_page()
        self._font(12, bold=True)
        self._cell(0, text, height=8, last=True)

    def _heads(self, columns: Sequence[tuple[str, float, Align]]) -> None:
        self._font(8, grey=_GREY)
        self._cells(columns, [name for name, _, _ in columns])
        self.set_draw_color(_RULE)
        self.line(_MARGIN, self.get_y(), self.w - _MARGIN, self.get_y())

    def _row(
        self,
        columns: Sequence[tuple[str, float, Align]],
        texts: Sequence[str],
        *,
        bold: bool = False,
    ) -> None:
        if self.will_page_break(_LINE):
            self.add_page()
            self._heads(columns)
        self._font(8, bold=bold)
        self._cells(columns, texts)

    def _cells(self, columns: Sequence[tuple[str, float, Align]], texts: Sequence[str]) -> None:
        for (_, width, align), text in zip(columns, texts, strict=True):
            fitting = self._fitting(text, width) if align == Align.L else text
            self._cell(width, fitting, align=align)
        self.ln(_LINE)

    def _fitting(self, text: str, width: float) -> str:
        """Cut words that their column cannot hold; figures are never cut."""
        written = self._drawable(text)
        while written and self.get_string_width(written) > width - 2 * self.c_margin:
            written = written[:-3].rstrip(". ") + ".."
        return written

    def _cell(
        self,
        width: float,
        text: str,
        *,
        height: float = _LINE,
        align: Align = Align.L,
        last: bool = False,
    ) -> None:
        after = (XPos.LMARGIN, YPos.NEXT) if last else (XPos.RIGHT, YPos.TOP)
        self.cell(width, height, self._drawable(text), align=align, new_x=after[0], new_y=after[1])

    def _font(self, size: int, *, bold: bool = False, grey: int = 0) -> None:
        self.set_font(next(iter(self._families), "Helvetica"), "B" if bold else "", size)
        self.set_text_color(grey)

    def _add_fonts(self, files: Sequence[str]) -> list[str]:
        """Load the fonts of the settings: the first draws what it can, the others what is left."""
        families = [f"Statement{number}" for number in range(len(files))]
        for family, file in zip(families, files, strict=True):
            for style in ("", "B"):
                self.add_font(family, style, file)
        if families:
            self.set_fallback_fonts(families[1:], exact_match=False)
        return families

    def close(self) -> None:
        """Let go of the fonts' files, which are read until the document is written."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def _drawable(self, text: str) -> str:
        written = unicodedata.normalize("NFC", text)
        return "".join(sign if self._has(sign) else _in_latin(sign) for sign in written)

    def _has(self, sign: str) -> bool:
        """Whether some font has the letter; Helvetica has those of Latin-1."""
        if not self._families:
            return sign.isprintable() and ord(sign) < _LATIN_1
        fonts = (self.fonts[family.lower()] for family in self._families)
        return any(ord(sign) in font.cmap for font in fonts if isinstance(font, TTFFont))


def _in_latin(sign: str) -> str:
    """A letter as it is read, or its number in Unicode when nobody knows how.

    Marks and signs that only shape their neighbours are left out, as in any transliteration.
    """
    if read := anyascii(sign):
        return read
    return "" if unicodedata.category(sign) in {"Mn", "Me", "Cc", "Cf"} else f"U+{ord(sign):04X}"


def _position(entry_id: int) -> int:
    """An entry's place in its batch, from 1."""
    return (entry_id & 0xFFFFF) + 1


def _sum(amounts: Sequence[Money], currency: str) -> Money:
    return sum(amounts, start=Money(0, currency))

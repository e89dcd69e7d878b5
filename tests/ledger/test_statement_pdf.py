"""The statement as a document: it says what the CSV says, and its payouts are those of the books."""

import re
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

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
    # The two entries of a payout are dated by the story's clock, the lines by the server's.
    (payout,) = ada.payouts.all()
    assert sum(left) == payout.amount_micros == 3_000_000
    story = f"{payout.created_at:%Y-%m}"
    assert [found.pk for found in statements.paid_out(ada, story)] == [payout.pk]
    text = words(statement_pdf.render(ada, story))
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


def test_any_name_can_be_written(ada: Creator) -> None:
    ada.display_name = "艾达 (Łovelace) \\ Söhne"
    assert "?? (?ovelace) \\ Söhne" in words(statement_pdf.render(ada, "2020-02"))


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

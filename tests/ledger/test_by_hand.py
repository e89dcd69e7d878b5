"""Payouts through a bank: the file has what the schema asks for, a second person answers for it."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import DatabaseError

from ledger import balances, by_hand, line_decisions, payees, payouts, statements
from ledger.accounts import AccountKind
from ledger.errors import (
    InvalidBankAccount,
    MakerIsChecker,
    NoPaymentFile,
    NotPayoutAdmin,
    WrongState,
)
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, PayoutBatch, PayoutEvent
from ledger.money import Money
from ledger.payment_file import NAMESPACE, Party, Transfer, is_iban, write
from registry.models import Creator, Operator, User
from tests.factories import NOON, api_client
from tests.journal import Journal
from tests.ledger.cast import (
    account,
    admin,
    approved,
    attempt,
    earn_available,
    history,
    of,
    send,
    top_up,
)

pytestmark = pytest.mark.usefixtures("sound")

IBAN, OTHER, PAYER = (
    "DE89370400440532013000",
    "GB82WEST12345698765432",
    "FR1420041010050500013M02606",
)
IN_ORDER = {
    "CstmrCdtTrfInitn": ["GrpHdr", "PmtInf"],
    "GrpHdr": ["MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"],
    "PmtInf": [
        *("PmtInfId", "PmtMtd", "NbOfTxs", "CtrlSum", "PmtTpInf", "ReqdExctnDt"),
        *("Dbtr", "DbtrAcct", "DbtrAgt", "ChrgBr", "CdtTrfTxInf", "CdtTrfTxInf"),
    ],
    "CdtTrfTxInf": ["PmtId", "Amt", "Cdtr", "CdtrAcct", "RmtInf"],
}
"""Children in the schema's order: every mandatory element of pain.001.001.09, and what SEPA adds."""


@pytest.fixture
def by_bank(
    acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway, settings: Any
) -> None:
    settings.PAYER_NAME, settings.PAYER_IBAN, settings.PAYER_BIC = "Tribute", PAYER, ""
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 3_004_999)
    earn_available(ben, acme, 2_000_000)
    by_hand.register(ada, holder="Ada Lovelace", iban="DE89 3704 0044 0532 0130 00", at=NOON)
    by_hand.register(ben, holder="Ben & Söhne <KG>", iban=OTHER, at=NOON)


def issued(mia: User, noah: User) -> PayoutBatch:
    batch = approved(mia, noah)
    assert by_hand.issue(batch, noah, at=NOON) == 2
    batch.refresh_from_db()
    return batch


@pytest.mark.usefixtures("by_bank")
def test_the_file_has_every_mandatory_element_in_order(mia: User, noah: User) -> None:
    batch = issued(mia, noah)
    written = bytes(by_hand.payment_file(batch, mia).content)
    again = by_hand.hand_over(batch, noah, at=NOON)
    assert bytes(again.content) == written, "downloaded again, it is the same"
    document = ET.fromstring(written)
    assert document.tag == f"{{{NAMESPACE}}}Document"
    for element in document.iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        if name in IN_ORDER:
            children = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
            assert children == IN_ORDER[name], name
        assert len(element) or (element.text or "").strip(), f"{name} is empty"

    def texts(path: str) -> list[str | None]:
        return [found.text for found in document.findall(path, {"": NAMESPACE})]

    assert texts(".//NbOfTxs") == ["2", "2"]
    assert texts(".//CtrlSum") == ["5.00", "5.00"]
    assert texts(".//PmtMtd") == ["TRF"]
    assert sorted(texts(".//InstdAmt"), key=str) == ["2.00", "3.00"]
    assert {amount.get("Ccy") for amount in document.iter(f"{{{NAMESPACE}}}InstdAmt")} == {"EUR"}
    assert set(texts(".//Cdtr/Nm")) == {"Ada Lovelace", "Ben + Sohne KG"}
    assert set(texts(".//CdtrAcct/Id/IBAN")) == {IBAN, OTHER}
    assert texts(".//DbtrAcct/Id/IBAN") == [PAYER]
    references = [*texts(".//EndToEndId"), *texts(".//MsgId")]
    assert all(text and len(text) <= 35 and "_" not in text for text in references)


@pytest.mark.usefixtures("by_bank")
def test_the_banks_answers_move_the_money(
    ada: Creator, ben: Creator, mia: User, noah: User, *, gateway: PaperGateway, journal: Journal
) -> None:
    batch = issued(mia, noah)
    assert send(gateway) == 0, "no program sends what goes by bank"
    payouts.resolve_unknown(gateway=gateway, at=NOON)
    journal()
    by_hand.mark_paid(of(ada), noah, at=NOON)
    by_hand.mark_failed(of(ben), noah, reason="account closed", at=NOON)
    assert (
        journal()
        == """
        creator:ada:in-payout   -3.000000 EUR
        platform:bank            3.000000 EUR

        creator:ben:in-payout   -2.000000 EUR
        creator:ben:available    2.000000 EUR
    """
    )
    assert history(ada) == ["reserved", "sending", "transferred", "paid"]
    assert (of(ben).status, of(ben).trouble) == ("failed", "account closed")
    batch.refresh_from_db()
    assert batch.status == "closed"
    who = PayoutEvent.objects.filter(payout__creator=ada).values_list("by", flat=True)
    assert set(who) == {noah.pk}
    assert statements.earnings(ada, currency="EUR").paid == Money(3_000_000, "EUR")


@pytest.mark.usefixtures("by_bank")
def test_a_bank_may_send_back_what_was_paid(ada: Creator, mia: User, noah: User) -> None:
    issued(mia, noah)
    by_hand.mark_paid(of(ada), noah, at=NOON)
    by_hand.mark_failed(of(ada), noah, reason="returned: account closed", at=NOON)
    assert of(ada).status == "reversed"
    assert balances.balance(account(AccountKind.PLATFORM_BANK)).micros == 0
    assert balances.balance(account(AccountKind.CREATOR_AVAILABLE, ada)).micros == 3_004_999


@pytest.mark.usefixtures("by_bank")
def test_who_drew_the_batch_up_does_not_answer_for_the_bank(
    ada: Creator, mia: User, noah: User
) -> None:
    mallory = User.objects.create_user("mallory@example.org")
    issued(mia, noah)
    with pytest.raises(MakerIsChecker):
        by_hand.mark_paid(of(ada), mia, at=NOON)
    with pytest.raises(MakerIsChecker):
        by_hand.mark_failed(of(ada), mia, reason="no", at=NOON)
    with pytest.raises(NotPayoutAdmin):
        by_hand.mark_paid(of(ada), mallory, at=NOON)
    by_hand.mark_paid(of(ada), noah, at=NOON)
    with pytest.raises(WrongState):
        by_hand.mark_paid(of(ada), noah, at=NOON)


@pytest.mark.usefixtures("by_bank")
def test_nothing_goes_to_a_bank_before_it_is_approved(mia: User, noah: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    with pytest.raises(WrongState):
        by_hand.issue(batch, noah, at=NOON)
    payouts.approve(batch, noah, at=NOON)
    with pytest.raises(NoPaymentFile):
        by_hand.payment_file(batch, noah)


@pytest.mark.usefixtures("by_bank")
def test_a_changed_account_is_held_and_issuing_twice_issues_once(
    ada: Creator, ben: Creator, mia: User, noah: User
) -> None:
    batch = approved(mia, noah)
    by_hand.register(ada, holder="Ada", iban="NL91ABNA0417164300", at=NOON)
    assert by_hand.issue(batch, noah, at=NOON) == 1
    assert (of(ada).status, of(ada).trouble) == ("held", "payee_account_changed")
    assert by_hand.issue(batch, noah, at=NOON) == 0
    assert IBAN.encode() not in bytes(by_hand.payment_file(batch, noah).content)


@pytest.mark.usefixtures("by_bank")
def test_what_is_issued_later_makes_a_file_of_its_own_and_nobody_stands_in_two(
    ada: Creator, ben: Creator, mia: User, noah: User
) -> None:
    batch = approved(mia, noah)
    line_decisions.hold(of(ada), noah, reason="her lawyer called", at=NOON)
    assert by_hand.issue(batch, noah, at=NOON) == 1
    first = bytes(by_hand.payment_file(batch, noah).content)
    by_hand.mark_paid(of(ben), noah, at=NOON)
    line_decisions.release(of(ada), noah, reason="it was about something else", at=NOON)
    by_hand.register(ben, holder="Ben Söhne", iban=OTHER, at=NOON)

    assert by_hand.issue(batch, noah, at=NOON + timedelta(days=3)) == 1
    second = by_hand.payment_file(batch, noah)
    assert OTHER.encode() in first
    assert OTHER.encode() not in bytes(second.content), "Ben was paid already"
    assert IBAN.encode() in bytes(second.content)
    ids = [ET.fromstring(file).findtext(".//{*}MsgId") for file in (first, bytes(second.content))]
    assert ids == [f"{batch.pk}-1".replace("_", "-"), f"{batch.pk}-2".replace("_", "-")]
    assert b"<Dt>2026-06-04</Dt>" in bytes(second.content), "a bank does not pay in the past"
    assert bytes(by_hand.payment_file(batch, noah, number=1).content) == first
    assert [of(ada).payment_file, of(ben).payment_file] == [
        second,
        batch.payment_files.get(number=1),
    ]


@pytest.mark.usefixtures("by_bank")
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_paymentfile SET content = ''",
        "DELETE FROM ledger_paymentfile",
        "UPDATE ledger_payout SET payment_file_id = NULL",
    ],
)
def test_what_a_bank_was_given_is_kept(mia: User, noah: User, sql: str, role: str) -> None:
    issued(mia, noah)
    with pytest.raises(DatabaseError, match=r"append-only|permission denied|one payment file"):
        attempt(role, sql)


@pytest.mark.usefixtures("by_bank")
def test_nothing_is_issued_without_an_account_to_pay_from(
    ada: Creator, mia: User, noah: User, settings: Any
) -> None:
    batch = approved(mia, noah)
    settings.PAYER_IBAN = ""
    with pytest.raises(NoPaymentFile):
        by_hand.issue(batch, noah, at=NOON)
    assert of(ada).status == "reserved"


@pytest.mark.usefixtures("by_bank")
def test_an_account_that_replaced_another_is_paid_to_once_it_has_stood_for_a_while(
    ada: Creator, ben: Creator, mia: User, settings: Any
) -> None:
    by_hand.register(ada, holder="Mallory", iban="NL91ABNA0417164300", at=NOON)
    hold = timedelta(hours=settings.PAYEE_CHANGE_HOLD_HOURS)
    assert hold == timedelta(days=3)
    for at, paid in ((NOON, {ben}), (NOON + hold, {ada, ben})):
        batch = payouts.prepare(mia, currency="EUR", at=at)
        assert {payout.creator for payout in batch.payouts.all()} == paid
        payouts.cancel(batch, mia, at=at)
    again = by_hand.register(ada, holder="Ada L.", iban="NL91 ABNA 0417 1643 00", at=NOON + hold)
    assert payees.paid_from(again) == NOON + hold, "the same account, its holder spelt anew"


def test_a_bank_account_has_right_digits_and_one_owner(ada: Creator, ben: Creator) -> None:
    too_long, nowhere = "DE9837040044053201300000", "ZZ89370400440532013000"
    assert int("".join(str(int(sign, 36)) for sign in too_long[4:] + too_long[:4])) % 97 == 1
    wrongs = ("", "DE88370400440532013000", "DE89", "89DE370400440532013000", "DE89é", too_long)
    for wrong in (*wrongs, nowhere):
        assert not is_iban(wrong)
        with pytest.raises(InvalidBankAccount):
            by_hand.register(ada, holder="Ada", iban=wrong, at=NOON)
    by_hand.register(ada, holder="Ada", iban=IBAN, at=NOON)
    with pytest.raises(InvalidBankAccount):
        by_hand.register(ben, holder="Ben", iban=IBAN, at=NOON)
    assert Payee.objects.get().country == "DE"


def test_other_currencies_have_their_own_digits_and_no_sepa() -> None:
    to = Party("Ada", IBAN)
    written = write(
        message_id="bat_1",
        payer=Party("Tribute", PAYER, "COBADEFFXXX"),
        transfers=[Transfer("pay_1", Money(5_000_000, "JPY"), to, "Tribute")],
        at=NOON,
    ).decode()
    assert '<InstdAmt Ccy="JPY">5</InstdAmt>' in written
    assert "SEPA" not in written
    assert "<BICFI>COBADEFFXXX</BICFI>" in written


@pytest.mark.usefixtures("by_bank")
def test_over_http_the_file_and_the_answers_belong_to_the_approver(
    ada: Creator, ben: Creator, mia: User, noah: User
) -> None:
    batch = approved(mia, noah)
    path = f"/v1/payout-batches/{batch.pk}"
    as_noah, as_mia = api_client(noah), api_client(mia)
    preparer = api_client(admin("olga"), scopes=["payouts:prepare"])
    key = {"Idempotency-Key": "k1"}
    assert as_noah.get(f"{path}/payment-file").json()["code"] == "no_payment_file"
    assert preparer.post(f"{path}:issue", headers=key).status_code == 403
    assert as_noah.post(f"{path}:issue", headers=key).json()["status"] == "sending"
    file = as_mia.get(f"{path}/payment-file")
    assert (file.status_code, file["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert as_mia.get(f"{path}/payment-file?number=1").content == file.content
    assert as_mia.get(f"{path}/payment-file?number=2").json()["code"] == "no_payment_file"
    assert api_client(ada).get(f"{path}/payment-file").status_code == 403

    to_ada, to_ben = f"/v1/payouts/{of(ada).pk}", f"/v1/payouts/{of(ben).pk}"
    assert as_mia.post(f"{to_ada}:mark-paid", headers=key).json()["code"] == "maker_is_checker"
    assert preparer.post(f"{to_ada}:mark-paid", headers=key).status_code == 403
    assert as_noah.post(f"{to_ada}:mark-paid", headers=key).json()["status"] == "paid"
    key = {"Idempotency-Key": "k2"}
    silent = as_noah.post(f"{to_ben}:mark-failed", {}, format="json", headers=key)
    assert silent.status_code == 400
    key = {"Idempotency-Key": "k3"}
    failed = as_noah.post(f"{to_ben}:mark-failed", {"reason": "closed"}, format="json", headers=key)
    assert (failed.json()["status"], failed.json()["trouble"]) == ("failed", "closed")


# Examples of the IBAN registry (ISO 13616), of every length that is shortest, longest or common.
IBANS = (
    "NO9386011117947", "BE68539007547034", "DK5000400440116243", "AT611904300234573201",
    "CH9300762011623852957", "GB82WEST12345698765432", "AE070331234567890123456",
    "ES9121000418450200051332", "FR1420041010050500013M02606", "PL61109010140000071219812874",
    "BR9700360305000010009795493P1", "MT84MALT011000012345MTLCAST001S",
    "LC55HEMM000100010012001200023015", "RU0304452522540817810538091310419",
)  # fmt: skip


@pytest.mark.parametrize("iban", IBANS)
def test_the_registrys_examples_are_ibans_and_with_other_digits_none(iban: str) -> None:
    assert is_iban(iban)
    others = {f"{iban[:2]}{digits:02d}{iban[4:]}" for digits in range(100)} - {iban}
    assert not any(is_iban(other) for other in others)


@pytest.mark.parametrize("iban", ["GB00HLFX11016111455365", "GB01BARC20714583608387"])
def test_check_digits_that_only_divide_alike_are_refused(iban: str) -> None:
    assert not is_iban(iban)

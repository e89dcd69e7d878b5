"""A payment file for a bank: ISO 20022 ``pain.001.001.09``, customer credit transfer initiation.

Pure: knows what a bank needs to hear, and no database. Only the elements that the message and
the SEPA rule book (EPC132-08) ask for are written, in the order that the schema fixes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from anyascii import anyascii

from ledger import currencies
from ledger.money import Money, floor_to_minor

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MAX_NAME, MAX_REFERENCE, MAX_PURPOSE = 70, 35, 140
"""Max70Text of SEPA names, Max35Text of references, Max140Text of what a payment is for."""
UNNAMED = "NOTPROVIDED"
"""What SEPA writes where a text is asked for and there is none."""
_NO_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""What no XML 1.0 document may contain (production 2, Char), and line breaks."""

_NOT_SEPA = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
"""What is not of the letters that every SEPA bank must take (EPC217-08, section 1)."""
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        line.split(": ")
        for line in """\
15: NO
16: BE
18: DK FI FK FO GL NL SD
19: MK SI
20: AT BA EE KZ LT LU MN XK
21: CH HR LI LV
22: BG BH CR DE GB GE IE ME RS VA
23: AE GI IL IQ OM SO TL
24: AD CZ ES MD PK RO SA SE SK TN VG
25: LY PT ST
26: IS TR
27: BI DJ FR GR IT MC MR SM
28: AL AZ BY CY DO GT HU LB NI PL SV
29: BR EG PS QA UA
30: JO KW MU YE
31: MT SC
32: LC
33: RU""".splitlines()
    )
    for country in countries.split()
}
"""How long an IBAN is, by country (IBAN registry, ISO 13616-2)."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whose account, and which."""

    name: str
    iban: str
    bic: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment. ``reference`` comes back with the bank's answer."""

    reference: str
    amount: Money
    to: Party
    purpose: str


def write(*, message_id: str, payer: Party, transfers: Sequence[Transfer], at: datetime) -> bytes:
    """The file as UTF-8 XML; the same input gives the same bytes.

    transfers: at least one, all in one currency. at: when the payments were approved; the bank
    is asked to pay on that day.
    """
    ET.register_namespace("", NAMESPACE)
    document = ET.Element(_name("Document"))
    message = _in(document, "CstmrCdtTrfInitn")
    header = _in(message, "GrpHdr")
    _in(header, "MsgId", reference(message_id))
    _in(header, "CreDtTm", at.isoformat(timespec="seconds"))
    _totals(header, transfers)
    in_euros = transfers[0].amount.currency == "EUR"
    payer_name = _text(payer.name, MAX_NAME, sepa=in_euros)
    _in(_in(header, "InitgPty"), "Nm", payer_name)
    payment = _in(message, "PmtInf")
    _in(payment, "PmtInfId", reference(message_id))
    _in(payment, "PmtMtd", "TRF")
    _totals(payment, transfers)
    if in_euros:
        _in(_in(_in(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _in(_in(payment, "ReqdExctnDt"), "Dt", at.date().isoformat())
    _in(_in(payment, "Dbtr"), "Nm", payer_name)
    _in(_in(_in(payment, "DbtrAcct"), "Id"), "IBAN", payer.iban)
    agent = _in(_in(payment, "DbtrAgt"), "FinInstnId")
    if payer.bic:
        _in(agent, "BICFI", payer.bic)
    else:
        _in(_in(agent, "Othr"), "Id", "NOTPROVIDED")
    _in(payment, "ChrgBr", "SLEV" if in_euros else "SHAR")
    for transfer in transfers:
        _transfer(payment, transfer)
    ET.indent(document)
    written: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return written


def reference(typed_id: str) -> str:
    """An id in the characters that banks carry (EPC217-08): no underscore, at most 35."""
    return typed_id.replace("_", "-")[:MAX_REFERENCE]


def is_iban(text: str) -> bool:
    """Whether length and check digits are right (ISO 13616, ISO 7064 mod 97-10).

    Check digits are 98 less a remainder by 97: none are 00, 01 or 99, which divide as others do.
    """
    if not (text.isascii() and text.isalnum() and text == text.upper() and text[2:4].isdigit()):
        return False
    if len(text) != _IBAN_LENGTHS.get(text[:2]):
        return False
    if not "02" <= text[2:4] <= "98":
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _transfer(payment: ET.Element, transfer: Transfer) -> None:
    in_euros = transfer.amount.currency == "EUR"
    written = _in(payment, "CdtTrfTxInf")
    _in(_in(written, "PmtId"), "EndToEndId", reference(transfer.reference))
    amount = _in(_in(written, "Amt"), "InstdAmt", _decimal(transfer.amount))
    amount.set("Ccy", transfer.amount.currency)
    _in(_in(written, "Cdtr"), "Nm", _text(transfer.to.name, MAX_NAME, sepa=in_euros))
    _in(_in(_in(written, "CdtrAcct"), "Id"), "IBAN", transfer.to.iban)
    _in(_in(written, "RmtInf"), "Ustrd", _text(transfer.purpose, MAX_PURPOSE, sepa=in_euros))


def _text(said: str, longest: int, *, sepa: bool) -> str:
    """What a person typed, as XML and the schema take it: one line, never empty.

    sepa: in the letters that every SEPA bank takes, others written in them (EPC217-08): ö as o,
    艾达 as AiDa, & as +. A bank that met another letter would refuse the whole file.
    """
    one_line = " ".join(_NO_XML.sub(" ", said).split())
    if sepa:
        latin = _NOT_SEPA.sub(" ", anyascii(one_line.replace("&", "+")))
        one_line = re.sub("/{2,}", "/", " ".join(latin.split())).strip("/ ")
    return one_line[:longest].rstrip("/ ") or UNNAMED


def _totals(parent: ET.Element, transfers: Sequence[Transfer]) -> None:
    total = sum(transfer.amount.micros for transfer in transfers)
    _in(parent, "NbOfTxs", str(len(transfers)))
    _in(parent, "CtrlSum", _decimal(Money(total, transfers[0].amount.currency)))


def _decimal(money: Money) -> str:
    """The amount with the currency's own digits, as banks write it."""
    minor, rest = floor_to_minor(money)
    assert not rest.micros, "payouts are whole minor units"
    digits = currencies.find(money.currency).exponent
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}}" if digits else str(whole)


def _in(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, _name(name))
    element.text = text
    return element


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"

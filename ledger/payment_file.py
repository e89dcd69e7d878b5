"""A payment file for a bank: ISO 20022 ``pain.001.001.09``, customer credit transfer initiation.

Pure: knows what a bank needs to hear, and no database. Only the elements that the message and
the SEPA rule book (EPC132-08) ask for are written, in the order that the schema fixes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from ledger import currencies
from ledger.money import Money, floor_to_minor

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MAX_NAME, MAX_REFERENCE, MAX_PURPOSE = 70, 35, 140
"""Max70Text of SEPA names, Max35Text of references, Max140Text of what a payment is for."""
UNNAMED = "NOTPROVIDED"
"""What SEPA writes where a text is asked for and there is none."""
_NO_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""What no XML 1.0 document may contain (production 2, Char), and line breaks."""


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
    _in(_in(header, "InitgPty"), "Nm", _text(payer.name, MAX_NAME))
    payment = _in(message, "PmtInf")
    _in(payment, "PmtInfId", reference(message_id))
    _in(payment, "PmtMtd", "TRF")
    _totals(payment, transfers)
    in_euros = transfers[0].amount.currency == "EUR"
    if in_euros:
        _in(_in(_in(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _in(_in(payment, "ReqdExctnDt"), "Dt", at.date().isoformat())
    _in(_in(payment, "Dbtr"), "Nm", _text(payer.name, MAX_NAME))
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
    """Whether the check digits are right (ISO 13616, ISO 7064 mod 97-10)."""
    if not (text.isascii() and text.isalnum() and text == text.upper() and 15 <= len(text) <= 34):  # noqa: PLR2004 - the standard's lengths
        return False
    if not (text[:2].isalpha() and text[2:4].isdigit()):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _transfer(payment: ET.Element, transfer: Transfer) -> None:
    written = _in(payment, "CdtTrfTxInf")
    _in(_in(written, "PmtId"), "EndToEndId", reference(transfer.reference))
    amount = _in(_in(written, "Amt"), "InstdAmt", _decimal(transfer.amount))
    amount.set("Ccy", transfer.amount.currency)
    _in(_in(written, "Cdtr"), "Nm", _text(transfer.to.name, MAX_NAME))
    _in(_in(_in(written, "CdtrAcct"), "Id"), "IBAN", transfer.to.iban)
    _in(_in(written, "RmtInf"), "Ustrd", _text(transfer.purpose, MAX_PURPOSE))


def _text(said: str, longest: int) -> str:
    """What a person typed, as XML and the schema take it: one line, never empty."""
    return " ".join(_NO_XML.sub(" ", said).split())[:longest].rstrip() or UNNAMED


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

"""Payment files against ISO 20022's own schema, whatever people are called.

The schema is the one published at iso20022.org, pain.001.001.09 of February 2019, as the package
``sepaxml`` (MIT) carries it; contributors to ISO 20022 grant everybody a royalty-free licence to use
what is published (iso20022.org/intellectual-property-rights).
"""

import re
from datetime import timedelta
from importlib import resources
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.money import Money
from ledger.payment_file import NAMESPACE, Party, Transfer, write
from tests.factories import NOON

PAYER = Party("Tribute", "FR1420041010050500013M02606", "COBADEFFXXX")
TO = Party("Ada Lovelace", "DE89370400440532013000")
NAMES = {"": NAMESPACE}
SEPA = re.compile(r"[A-Za-z0-9/?:().,'+ -]+")


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema10:
    file = resources.files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")
    schema = xmlschema.XMLSchema10(file.read_text(encoding="utf-8"))
    assert schema.target_namespace == NAMESPACE
    return schema


def a_file(*transfers: Transfer, payer: Party = PAYER) -> bytes:
    some = transfers or (Transfer("pay_1", Money(3_000_000, "EUR"), TO, "Tribute pay-1"),)
    return write(message_id="bat_1", payer=payer, transfers=some, at=NOON)


@pytest.mark.parametrize(
    ("micros", "currency"),
    [(10_000, "EUR"), (999_999_990_000, "USD"), (5_000_000, "JPY"), (12_340_000, "KWD")],
)
@pytest.mark.parametrize("bic", ["", "COBADEFFXXX"])
def test_a_file_is_valid_in_every_currency(
    schema: xmlschema.XMLSchema10, micros: int, currency: str, bic: str
) -> None:
    several = [
        Transfer(f"pay_{n}", Money(micros, currency), TO, f"Tribute pay-{n}") for n in range(3)
    ]
    written = a_file(*several, payer=Party("Tribute", PAYER.iban, bic))
    assert list(schema.iter_errors(written)) == []


def test_the_schema_refuses_what_it_should(schema: xmlschema.XMLSchema10) -> None:
    good = a_file()
    for right, wrong in (
        (b"<NbOfTxs>1<", b"<NbOfTxs>one<"),
        (b'Ccy="EUR"', b'Ccy="euro"'),
        (b"<PmtMtd>TRF<", b"<PmtMtd>GIFT<"),
        (TO.iban.encode(), b"somewhere"),
        (b"COBADEFFXXX", b"COBA"),
    ):
        assert right in good
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema.validate(good.replace(right, wrong))


@settings(max_examples=60)
@given(name=st.text(max_size=200), purpose=st.text(max_size=300), payer=st.text(max_size=90))
def test_whatever_people_are_called_the_file_is_valid(
    schema: xmlschema.XMLSchema10, name: str, purpose: str, payer: str
) -> None:
    to = Party(name, TO.iban)
    written = a_file(
        Transfer("pay_1", Money(10_000, "EUR"), to, purpose), payer=Party(payer, PAYER.iban)
    )
    schema.validate(written)
    found = ET.fromstring(written).findtext(".//Cdtr/Nm", namespaces=NAMES)
    assert found
    assert SEPA.fullmatch(found), "letters that every bank takes"
    dollars = Transfer("pay_1", Money(10_000, "USD"), to, purpose)
    abroad = a_file(dollars, payer=Party(payer, PAYER.iban))
    schema.validate(abroad)
    said = ET.fromstring(abroad).findtext(".//Cdtr/Nm", namespaces=NAMES)
    assert said
    printable = "".join(name.split())
    if printable.isprintable() and printable.strip("/") and len(name) <= 70:
        whole = printable.strip("/")
        assert "".join(said.split()).strip("/") == whole, "nothing of a name is lost"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Ben & Söhne <KG>", "Ben + Sohne KG"),
        ("艾达", "AiDa"),
        ("Żółć O'Neill", "Zolc O'Neill"),
        ("//Ada//B/", "Ada/B"),
        ("/", "NOTPROVIDED"),
    ],
)
def test_a_sepa_file_has_the_letters_that_every_bank_takes(name: str, written: str) -> None:
    to = Party(name, TO.iban)
    file = a_file(Transfer("pay_1", Money(10_000, "EUR"), to, "Tribute"))
    assert ET.fromstring(file).findtext(".//Cdtr/Nm", namespaces=NAMES) == written


def test_the_day_and_the_hour_are_those_of_the_approval(schema: xmlschema.XMLSchema10) -> None:
    at = NOON.replace(microsecond=123_456) + timedelta(hours=13)
    transfer = Transfer("pay_1", Money(10_000, "EUR"), TO, "Tribute")
    written = write(message_id="bat_1", payer=PAYER, transfers=[transfer], at=at)
    schema.validate(written)
    document = ET.fromstring(written)
    assert document.findtext(".//ReqdExctnDt/Dt", namespaces=NAMES) == "2026-06-02"
    assert document.findtext(".//CreDtTm", namespaces=NAMES) == "2026-06-02T01:00:00+00:00"

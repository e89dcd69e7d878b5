"""The values of PLUS' vocabulary, as the metadata tools of photographers write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.inspection import inspect_file
from tribute.standards import plus, xmp
from tribute.standards.statement import Parsed
from tribute.vocabulary import Decision, Purpose

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
TRAINING = {Purpose.TRAIN_AI, Purpose.TRAIN_OTHER}
ELEMENT = "<plus:DataMining>{}</plus:DataMining>"
PROHIBITED = f"{VOCABULARY}DMI-PROHIBITED-AIMLTRAINING"


def packet(inside: str, attributes: str = "") -> bytes:
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" {attributes}>{inside}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def read(data: bytes) -> Parsed:
    return plus.from_packets(data, xmp.of_file(data, source="a.jpg").packets, source="a.jpg")


@pytest.mark.parametrize(
    ("token", "refused"),
    [
        ("DMI-PROHIBITED-AIMLTRAINING", TRAINING),
        ("DMI-PROHIBITED-GENAIMLTRAINING", {Purpose.TRAIN_AI}),
        ("DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING", set(Purpose) - {Purpose.SEARCH}),
        ("DMI-PROHIBITED", set(Purpose)),
        ("DMI-PROHIBITED-SEECONSTRAINT", set(Purpose)),
        ("DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR", set(Purpose)),
        ("DMI-PROHIBITED-SEELINKEDRIGHTSEXPR", set(Purpose)),
        ("DMI-PROHIBITED-OFLATER", set(Purpose)),
        ("DMI-ALLOWED", set()),
        ("DMI-UNSPECIFIED", set()),
    ],
)
def test_a_prohibition_refuses_and_nothing_permits(token: str, refused: set[Purpose]) -> None:
    found = read(packet(ELEMENT.format(VOCABULARY + token)))

    assert found.decisions == dict.fromkeys(refused, Decision.DENY)
    assert found.problems == ()


@pytest.mark.parametrize(
    "data",
    [
        packet(ELEMENT.format(f" {PROHIBITED}\n")),
        packet(ELEMENT.format("dmi-prohibited-aimltraining")),
        packet(f'<plus:DataMining rdf:resource="{PROHIBITED}"/>'),
        packet(
            f"<plus:DataMining><rdf:Bag><rdf:li>{PROHIBITED}</rdf:li></rdf:Bag></plus:DataMining>"
        ),
        packet("", attributes=f'plus:DataMining="{PROHIBITED}"'),
    ],
)
def test_the_property_is_found_however_it_is_written(data: bytes) -> None:
    assert read(data).decisions == dict.fromkeys(TRAINING, Decision.DENY)


def test_what_cannot_be_read_may_refuse() -> None:
    strange = read(packet(ELEMENT.format("DMI-PERHAPS")))
    hidden = read(b"\xff\xd8\xff" + PROHIBITED.encode("utf-16-le"))

    assert [p.code for p in strange.problems] == ["plus_unknown_value"]
    assert [p.code for p in hidden.problems] == ["plus_unreadable"]
    assert all(p.hides for p in (*strange.problems, *hidden.problems))
    assert read(b"\xff\xd8\xff").problems == ()


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.jpg", b"\xff\xd8\xff"), ("a.mp4", b"\0\0\0\x18ftypmp42"), ("a.pdf", b"%PDF-1.7\n")],
)
def test_a_file_is_inspected(tmp_path: Path, name: str, begins: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(begins + packet(ELEMENT.format(PROHIBITED)))

    found = inspect_file(path, at="https://ada.example/a")

    assert {p for p, each in found.combined.items() if each.decision == Decision.DENY} == TRAINING
    assert {s.standard for s in found.parsed.statements} == {"plus"}


@given(st.text(max_size=40), st.binary(max_size=40))
def test_any_value_is_read_without_raising(value: str, rest: bytes) -> None:
    shown = value.replace("<", "").replace("&", "").encode("utf-8", "replace").decode()
    found = read(packet(ELEMENT.format(shown)) + rest)

    assert Decision.ALLOW not in found.decisions.values()

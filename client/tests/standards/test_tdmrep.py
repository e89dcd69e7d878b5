"""The examples of the W3C Community Group report on the TDM Reservation Protocol."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import odrl, tdmrep
from tribute.standards.policy import Difference, Policy
from tribute.standards.statement import Statement
from tribute.vocabulary import Decision, Purpose

# Section "TDM File on the Origin Server", second example
FILE = b"""\
[
  {
  "location": "/directory-a/",
  "tdm-reservation": 1
  },
  {
  "location": "/directory-b/html/",
  "tdm-reservation": 1,
  "tdm-policy":"https://provider.com/policies/policy.json"
  },
  {
  "location": "/directory-b/images/*.jpg",
  "tdm-reservation": 0
  }
]
"""
POLICY_URI = "https://provider.com/policies/policy.json"
MINED = {Purpose.TRAIN_AI, Purpose.TRAIN_OTHER, Purpose.DATA_MINING}
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def decided(data: bytes, path: str) -> dict[Purpose, Decision]:
    return tdmrep.statements_of(tdmrep.parse(data).at(path)).decisions


def test_the_reports_example() -> None:
    assert decided(FILE, "/directory-a/x.pdf") == dict.fromkeys(
        MINED | {Purpose.AI_INPUT}, Decision.DENY
    )
    assert decided(FILE, "/directory-b/html/x") == dict.fromkeys(
        MINED | {Purpose.AI_INPUT}, Decision.LICENSE
    )
    assert decided(FILE, "https://provider.com/directory-b/images/a/b.jpg") == dict.fromkeys(
        MINED, Decision.ALLOW
    )
    assert decided(FILE, "/elsewhere") == {}
    assert decided(FILE, "/Directory-a/") == {}


def test_a_statement_keeps_its_rule() -> None:
    statement, *_ = tdmrep.statements_of(tdmrep.parse(FILE).at("/directory-b/html/x")).statements

    assert isinstance(statement, Statement)
    assert statement.source == "tdmrep.json[1]"
    assert statement.scope == "/directory-b/html/"
    assert statement.terms_uri == POLICY_URI
    assert json.loads(statement.raw)["tdm-policy"] == POLICY_URI


def test_the_first_match_in_the_file_wins() -> None:
    rules = b"""[{"location": "/", "tdm-reservation": 0},
                 {"location": "/a/", "tdm-reservation": 1}]"""

    assert decided(rules, "/a/b") == dict.fromkeys(MINED, Decision.ALLOW)


@pytest.mark.parametrize("value", ["2", "-1", "true", '"1"', '"0"', "null", "[1]", "1.0", "{}"])
def test_any_other_value_leaves_the_first_match_unset(value: str) -> None:
    rules = f"""[{{"location": "/", "tdm-reservation": {value}}},
                 {{"location": "/", "tdm-reservation": 0}}]""".encode()

    assert decided(rules, "/") == {}
    assert [p.code for p in tdmrep.parse(rules).problems] == ["tdmrep_bad_value"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[",
        b"\xff",
        b"[" * 100_000,
        b'{"location": "/", "tdm-reservation": 0}',
        b"1" * 9999,
    ],
)
def test_what_is_no_array_of_rules_says_nothing(data: bytes) -> None:
    rules = tdmrep.parse(data)

    assert rules.rules == ()
    assert [p.code for p in rules.problems] == ["tdmrep_unreadable"]


def test_a_rule_needs_a_location() -> None:
    rules = tdmrep.parse(b'[{"tdm-reservation": 1}, 7, {"location": 3}]')

    assert rules.rules == ()
    assert [p.source for p in rules.problems] == [f"tdmrep.json[{i}]" for i in range(3)]


def header(*values: str, policy: str | None = None) -> tdmrep.Reservation:
    fields = {"tdm-reservation": values, "tdm-policy": (policy,) if policy else ()}
    return tdmrep.parse_header(fields)[0]


def test_headers_are_read() -> None:
    # Section "TDM Header Field in HTTP Responses", second example
    parsed = tdmrep.statements_of(header("1", policy=POLICY_URI))

    assert set(parsed.decisions.values()) == {Decision.LICENSE}
    assert {s.raw for s in parsed.statements} == {f"tdm-reservation: 1; tdm-policy: {POLICY_URI}"}


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (["0"], 0),
        (["1"], 1),
        (["0, 1"], 1),
        (["0", "1"], 1),
        (["0", "x"], None),
        (["x"], None),
        ([], None),
    ],
)
def test_disagreeing_headers_count_as_reserved(values: list[str], value: int | None) -> None:
    assert header(*values).value == value


def test_later_places_supersede_and_absence_does_not_reset() -> None:
    file = tdmrep.parse(FILE).at("/directory-b/html/x")
    open_header, silent = header("0"), header()

    assert tdmrep.supersede([file, silent]) == file
    assert tdmrep.supersede([open_header, file]) is not None
    superseded = tdmrep.statements_of(tdmrep.supersede([open_header, file]))
    assert superseded.decisions == dict.fromkeys(MINED, Decision.ALLOW)
    assert {s.terms_uri for s in superseded.statements} == {None}


def test_a_policy_alone_supersedes_the_policy_alone() -> None:
    file = tdmrep.parse(FILE).at("/directory-a/x")

    standing = tdmrep.supersede([file, header(policy=POLICY_URI)])

    assert standing is not None
    assert (standing.value, standing.policy) == (1, POLICY_URI)
    assert tdmrep.supersede([header(policy=POLICY_URI), None]) is None


def test_a_policy_is_written() -> None:
    policy = Policy(
        {
            Purpose.TRAIN_AI: Decision.LICENSE,
            Purpose.TRAIN_OTHER: Decision.LICENSE,
            Purpose.AI_INPUT: Decision.LICENSE,
            Purpose.DATA_MINING: Decision.ALLOW,
        },
        terms_uri="https://ada.example/terms",
    )

    result = tdmrep.write(policy)

    assert json.loads(result.text) == [
        {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://ada.example/terms"}
    ]
    assert result.differences == (
        Difference(Purpose.DATA_MINING, Decision.ALLOW, Decision.LICENSE),
    )


def test_one_denied_purpose_withdraws_the_offer() -> None:
    policy = Policy(
        {Purpose.TRAIN_AI: Decision.LICENSE, Purpose.AI_INPUT: Decision.DENY},
        terms_uri="https://ada.example/terms",
    )

    assert json.loads(tdmrep.write(policy).text) == [{"location": "/", "tdm-reservation": 1}]


@given(WISHES, st.sampled_from([None, "https://ada.example/terms"]))
def test_what_is_written_is_never_looser(
    wishes: dict[Purpose, Decision], terms: str | None
) -> None:
    policy = Policy(wishes, path="/a/", terms_uri=terms)
    result = tdmrep.write(policy)

    stated = decided(result.text.encode(), "/a/b")
    differing = {d.purpose: (d.wanted, d.stated) for d in result.differences}
    for purpose in Purpose:
        wish, said = policy.wish(purpose), stated.get(purpose, Decision.UNKNOWN)
        assert differing.get(purpose, (wish, wish)) == (wish, said)
        assert said != Decision.ALLOW or wish == Decision.ALLOW
        if purpose != Purpose.SEARCH and wish == Decision.DENY:
            assert said == Decision.DENY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["location", "tdm-reservation", "tdm-policy", "permission", "assigner"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_file_is_read_without_raising(data: bytes) -> None:
    rules = tdmrep.parse(data)
    stated = tdmrep.statements_of(rules.at("/")).decisions

    assert Decision.ALLOW not in stated.values() or b": 0" in data
    assert isinstance(odrl.parse(data).problems, tuple)


# Section "Full Examples", second example, without its trailing comma, which JSON does not allow
OFFER = b"""\
{
  "@context": ["http://www.w3.org/ns/odrl.jsonld", "http://www.w3.org/ns/tdmrep.jsonld"],
  "@type": "Offer",
  "profile": "http://www.w3.org/ns/tdmrep",
  "uid": "https://provider.com/policies/1",
  "assigner": {
    "uid": "https://provider.com",
    "vcard:fn": "Provider",
    "vcard:hasEmail": "mailto:contact@provider.com",
    "vcard:hasAddress": {"vcard:locality": "Esp\xc3\xa9rance"}
  },
  "permission": [{
    "action": "tdm:mine",
    "duty": [{"action": "compensate"}],
    "constraint": [{"leftOperand": "purpose", "operator": "eq", "rightOperand": "tdm:non-research"}]
  }]
}
"""


def test_a_policy_offer_is_read() -> None:
    offer = odrl.parse(OFFER)

    assert offer.uid == "https://provider.com/policies/1"
    assert offer.permissions == (odrl.Permission(None, ("compensate",), ("tdm:non-research",)),)
    assert ("hasEmail", "mailto:contact@provider.com") in offer.contacts
    assert ("locality", "Espérance") in offer.contacts
    assert offer.problems == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>", "odrl_unreadable"),
        (b"[]", "odrl_unreadable"),
        (b"[" * 100_000, "odrl_unreadable"),
        (OFFER.replace(b'"Offer"', b'"Set"'), "odrl_other_profile"),
        (OFFER.replace(b'ns/tdmrep"', b'ns/other"'), "odrl_other_profile"),
    ],
)
def test_other_policies_are_not_known(data: bytes, code: str) -> None:
    offer = odrl.parse(data)

    assert offer.permissions == ()
    assert [p.code for p in offer.problems] == [code]

"""The example of CAWG Training and Data Mining Assertion 1.1, as a C2PA reader returns it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.c2pa import parse, read_assertions, write
from tribute.standards.policy import Difference, Policy
from tribute.standards.statement import Parsed
from tribute.vocabulary import Decision, Purpose

# Section 2.2, example (its opening brace of "entries" is missing in the source)
EXAMPLE = {
    "entries": {
        "cawg.ai_training": {"use": "allowed"},
        "cawg.ai_generative_training": {"use": "notAllowed"},
        "cawg.data_mining": {
            "use": "constrained",
            "constraint_info": "may only be mined on days whose names end in 'y'",
        },
    }
}
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def store(data: Any, label: str = "cawg.training-mining", **more: Any) -> bytes:
    manifest = {
        "claim_generator": "camera/1.0",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": []}},
            {"label": label, "data": data},
        ],
    }
    active = "urn:c2pa:1"
    whole = {"active_manifest": active, "manifests": {active: manifest}} | {
        "validation_state": "Trusted"
    }
    return json.dumps(whole | more).encode()


def entries(**uses: Any) -> dict[str, Any]:
    return {"entries": {f"cawg.{name}": use for name, use in uses.items()}}


def test_the_specifications_example() -> None:
    parsed = parse(store(EXAMPLE))

    assert parsed.decisions == {
        Purpose.TRAIN_OTHER: Decision.ALLOW,
        Purpose.TRAIN_AI: Decision.DENY,
        Purpose.DATA_MINING: Decision.LICENSE,
    }
    (mining,) = (s for s in parsed.statements if s.purpose == Purpose.DATA_MINING)
    assert mining.terms_uri == "may only be mined on days whose names end in 'y'"
    assert (mining.source, mining.vocabulary) == ("c2pa:cawg.training-mining", "cawg-tdm-1.1")
    assert mining.raw.startswith("cawg.data_mining: constrained, may only")


def test_the_older_label_is_read_too() -> None:
    data = {"entries": {"c2pa.ai_generative_training": {"use": "notAllowed"}}}

    parsed = parse(store(data, label="c2pa.training-mining__1"))

    assert parsed.decisions == {Purpose.TRAIN_AI: Decision.DENY}
    assert {s.vocabulary for s in parsed.statements} == {"c2pa-1.4"}


@pytest.mark.parametrize(
    ("entry", "decision"),
    [
        ({"use": "constrained"}, Decision.DENY),
        ({"use": "constrained", "constraint_info": " "}, Decision.DENY),
        ({"use": "constrained", "constraints_info": "https://ada.example/t"}, Decision.LICENSE),
        ({"use": "allowed"}, Decision.ALLOW),
    ],
)
def test_constrained_needs_information(entry: dict[str, str], decision: Decision) -> None:
    parsed = parse(store(entries(ai_inference=entry)))

    assert parsed.decisions == {Purpose.AI_INPUT: decision}


def test_entries_left_out_by_the_older_schema_are_found() -> None:
    parsed = parse(store({"cawg.ai_training": {"use": "notAllowed"}, "metadata": {}}))

    assert parsed.decisions == {Purpose.TRAIN_OTHER: Decision.DENY}


@pytest.mark.parametrize(
    "entry", [{"use": "Allowed"}, {"use": True}, {"use": ["allowed"]}, {}, "allowed", None]
)
def test_another_use_is_unknown(entry: Any) -> None:
    parsed = parse(store(entries(ai_training=entry)))

    assert parsed.statements == ()
    assert [p.code for p in parsed.problems] == ["c2pa_unknown_use"]


def test_custom_entries_are_not_ours() -> None:
    parsed = parse(store({"entries": {"com.ada.ai_training": {"use": "allowed"}}}))

    assert parsed.statements == ()
    assert [p.code for p in parsed.problems] == ["c2pa_unknown_entry"]


@pytest.mark.parametrize(
    ("more", "valid"),
    [
        ({"validation_state": "Trusted", "validation_status": []}, True),
        ({"validation_state": "Valid"}, False),
        ({"validation_state": None}, False),
        ({"validation_state": "Invalid"}, False),
        ({"validation_status": [{"code": "assertion.dataHash.mismatch"}]}, False),
        ({"validation_status": ["?"]}, False),
    ],
)
def test_an_invalid_or_untrusted_manifest_can_only_refuse(
    more: dict[str, Any],
    valid: bool,  # noqa: FBT001 - a table's column
) -> None:
    uses = {"ai_training": {"use": "allowed"}, "ai_inference": {"use": "notAllowed"}}

    decisions = parse(store(entries(**uses), **more)).decisions

    assert decisions[Purpose.AI_INPUT] == Decision.DENY
    assert (Purpose.TRAIN_OTHER in decisions) is valid


def derived(relationship: str, *, use: str = "notAllowed") -> bytes:
    """A store whose active manifest, of who resized a picture, says nothing but where it is from."""

    def asserting(use: str) -> list[dict[str, Any]]:
        entries = {"cawg.ai_generative_training": {"use": use}}
        return [{"label": "cawg.training-mining", "data": {"entries": entries}}]

    def of(parent: str) -> list[dict[str, str]]:
        return [{"relationship": relationship, "active_manifest": parent}]

    manifests = {
        "resized": {"assertions": asserting("allowed"), "ingredients": of("edited")},
        "edited": {"assertions": [], "ingredients": of("taken")},
        "taken": {"assertions": asserting(use), "ingredients": of("resized")},
    }
    store = {
        "active_manifest": "resized",
        "manifests": manifests,
        "validation_state": "Trusted",
    }
    return json.dumps(store).encode()


def test_what_a_picture_was_edited_from_keeps_its_refusals() -> None:
    found = parse(derived("parentOf"))

    assert found.decisions == {Purpose.TRAIN_AI: Decision.DENY}
    assert [s.source for s in found.statements] == [
        "c2pa:cawg.training-mining",
        "c2pa:parent:cawg.training-mining",
    ]
    assert parse(derived("parentOf", use="allowed")).decisions == {Purpose.TRAIN_AI: Decision.ALLOW}


@pytest.mark.parametrize("relationship", ["componentOf", "inputTo", ""])
def test_other_ingredients_are_other_assets(relationship: str) -> None:
    assert parse(derived(relationship)).decisions == {Purpose.TRAIN_AI: Decision.ALLOW}


def test_the_caller_may_know_the_signer() -> None:
    # As the reader of the C2PA project reports a valid signature of a signer unknown to it
    unknown: dict[str, Any] = {
        "validation_state": "Valid",
        "validation_status": [{"code": "signingCredential.untrusted", "url": "self#jumbf=/c2pa"}],
    }
    data = store(entries(ai_training={"use": "allowed"}), **unknown)

    assert [p.code for p in parse(data).problems] == ["c2pa_untrusted"]
    assert parse(data, trusted=True).decisions == {Purpose.TRAIN_OTHER: Decision.ALLOW}
    assert parse(data, trusted=False).statements == ()


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"[" * 100_000, b"{}", b'{"active_manifest": "a", "manifests": {}}', b"\xff"],
)
def test_a_store_without_a_manifest_says_nothing(data: bytes) -> None:
    parsed = parse(data)

    assert parsed.statements == ()
    assert len(parsed.problems) == 1


def test_a_policy_is_written() -> None:
    policy = Policy(
        {
            Purpose.TRAIN_AI: Decision.LICENSE,
            Purpose.AI_INPUT: Decision.DENY,
            Purpose.SEARCH: Decision.DENY,
        },
        terms_uri="https://ada.example/terms",
    )

    result = write(policy)

    assert json.loads(result.text)["data"]["entries"] == {
        "cawg.ai_generative_training": {
            "use": "constrained",
            "constraint_info": "https://ada.example/terms",
        },
        "cawg.ai_inference": {"use": "notAllowed"},
    }
    assert result.differences == (Difference(Purpose.SEARCH, Decision.DENY, Decision.UNKNOWN),)


@given(WISHES, st.sampled_from([None, "https://ada.example/t"]))
def test_what_is_written_reads_back(wishes: dict[Purpose, Decision], terms: str | None) -> None:
    policy = Policy(wishes, terms_uri=terms)

    stated = read_assertions([json.loads(write(policy).text)]).decisions

    for purpose in set(Purpose) - {Purpose.SEARCH}:
        wish = policy.wish(purpose)
        if wish == Decision.LICENSE and terms is None:
            wish = Decision.DENY
        assert stated.get(purpose, Decision.UNKNOWN) == wish
    assert Purpose.SEARCH not in stated


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["allowed", "constrained", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["entries", "cawg.ai_training", "c2pa.data_mining", "use", "constraint_info", "x"]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@given(JSON, JSON)
def test_any_data_is_read_without_raising(data: Any, assertions: Any) -> None:
    assert isinstance(parse(store(data)), Parsed)
    assert read_assertions(assertions).statements == ()


@given(st.binary(max_size=100))
def test_any_octets_are_read_without_raising(data: bytes) -> None:
    assert parse(data).statements == ()

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.verdict import Grant, Statement, Tier, Verdict, decide
from tribute.vocabulary import Decision, IdentifierKind, Purpose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def statement(decision: str = "deny", **changes: Any) -> Statement:
    facts: dict[str, Any] = {
        "id": "stm_1",
        "subject": "wrk_sunset",
        "tier": Tier.WORK,
        "specificity": 0,
        "claimant": "ada",
        "purpose": Purpose.TRAIN_AI,
        "decision": decision,
        "effective_from": NOON - HOUR,
        "sequence": 1,
        "proven": True,
    }
    return Statement(**facts | changes)


def grant(**changes: Any) -> Grant:
    facts: dict[str, Any] = {
        "id": "grt_1",
        "operator": "acme",
        "subject": "wrk_sunset",
        "purpose": Purpose.TRAIN_AI,
        "effective_from": NOON - HOUR,
    }
    return Grant(**facts | changes)


def ask(*statements: Statement, grants: tuple[Grant, ...] = (), asker: str = "acme") -> Verdict:
    return decide(Purpose.TRAIN_AI, statements=statements, grants=grants, asker=asker, at=NOON)


def collection(decision: str, specificity: int, **changes: Any) -> Statement:
    subject = f"col_{specificity}"
    return statement(
        decision, tier=Tier.COLLECTION, specificity=specificity, subject=subject, **changes
    )


def test_silence_is_unknown() -> None:
    verdict = ask()

    assert verdict == Verdict(
        Decision.UNKNOWN,
        "none.unknown",
        (),
        (),
        "Nobody has said anything about train-ai for this item.",
    )


@pytest.mark.parametrize(
    ("decision", "verb"), [("allow", "allows"), ("deny", "denies"), ("license", "licenses")]
)
def test_a_proven_statement_on_the_work_decides(decision: str, verb: str) -> None:
    said = statement(decision)

    assert ask(said) == Verdict(
        Decision(decision),
        f"work.{decision}",
        (said,),
        (said,),
        f"Statement stm_1 on the work {verb} train-ai.",
    )


def test_a_grant_in_force_to_the_asker_allows_what_the_work_denies() -> None:
    accepted, denied = grant(), statement("deny")

    verdict = ask(denied, grants=(accepted,))

    assert (verdict.decision, verdict.rule) == (Decision.ALLOW, "grant.allow")
    assert verdict.deciding == (accepted,)
    assert verdict.considered == (accepted, denied)
    assert verdict.explanation == "Grant grt_1, in force for this operator, allows train-ai."


@pytest.mark.parametrize(
    "changes",
    [
        {"operator": "mallory"},
        {"purpose": Purpose.SEARCH},
        {"effective_from": NOON + HOUR},
        {"effective_until": NOON},
    ],
)
def test_a_grant_to_others_or_out_of_force_says_nothing(changes: dict[str, Any]) -> None:
    assert ask(statement("deny"), grants=(grant(**changes),)).rule == "work.deny"


def test_a_grant_by_an_unproven_claimant_says_nothing() -> None:
    by_mallory, denied = grant(proven=False), statement("deny")

    verdict = ask(denied, grants=(by_mallory,))

    assert verdict.deciding == (denied,)
    assert verdict.considered == (by_mallory, denied)
    assert ask(grants=(by_mallory,)).decision == Decision.UNKNOWN


def test_a_grant_never_serves_an_unnamed_asker() -> None:
    verdict = decide(Purpose.TRAIN_AI, statements=(), grants=(grant(),), asker=None, at=NOON)

    assert verdict.decision == Decision.UNKNOWN


def test_the_first_tier_that_speaks_decides() -> None:
    work = statement("allow")
    narrow, wide = collection("license", 12), collection("deny", 1)
    creator = statement("deny", tier=Tier.CREATOR, subject="crt_ada")
    location = statement("deny", tier=Tier.LOCATION, subject="robots.txt")

    assert ask(location, creator, wide, narrow, work).rule == "work.allow"
    assert ask(location, creator, wide, narrow).rule == "collection.license"
    assert ask(location, creator, wide).rule == "collection.deny"
    assert ask(location, creator).rule == "creator.deny"
    assert ask(location).rule == "location.deny"


def test_a_silent_narrow_collection_leaves_the_word_to_a_wider_one() -> None:
    unproven, wide = collection("allow", 12, proven=False), collection("deny", 1)

    verdict = ask(unproven, wide)

    assert verdict.deciding == (wide,)
    assert verdict.considered == (unproven, wide)


def test_inside_a_tier_the_most_restrictive_wins() -> None:
    allow = statement("allow", id="stm_a")
    offer = statement("license", id="stm_b", subject="wrk_copy", claimant="ben")
    deny = statement("deny", id="stm_c", subject="wrk_copy", claimant="cleo")

    assert ask(allow, offer).decision == Decision.LICENSE
    assert ask(allow, offer, deny).deciding == (deny,)


def test_several_deciding_statements_are_counted_in_the_sentence() -> None:
    denials = [statement("deny", id=f"stm_{name}", claimant=name) for name in ("ada", "ben", "cy")]

    assert ask(*denials[:2]).explanation == (
        "Statement stm_ada on the work denies train-ai, and so does one more."
    )
    assert ask(*denials).explanation == (
        "Statement stm_ada on the work denies train-ai, and so do 2 more."
    )


def test_the_later_statement_of_a_claimant_replaces_the_earlier() -> None:
    earlier = statement("deny", id="stm_1", sequence=1)
    later = statement("allow", id="stm_2", sequence=2)

    verdict = ask(earlier, later)

    assert verdict.rule == "work.allow"
    assert verdict.considered == (later, earlier)


def test_a_statement_counts_from_its_instant_on() -> None:
    now = statement("allow", sequence=1)
    soon = statement("deny", sequence=2, effective_from=NOON + HOUR)

    assert ask(now, soon).rule == "work.allow"
    assert (
        decide(Purpose.TRAIN_AI, statements=[now, soon], asker=None, at=NOON + HOUR).rule
        == "work.deny"
    )


def test_unknown_withdraws_what_was_said_before() -> None:
    verdict = ask(statement("allow", sequence=1), statement("unknown", sequence=2))

    assert verdict.decision == Decision.UNKNOWN
    assert verdict.explanation == (
        "Of what was said here (2 found), nothing is a current and proven answer for train-ai."
    )


def test_other_purposes_are_not_considered() -> None:
    assert ask(statement("deny", purpose=Purpose.SEARCH)).considered == ()


@pytest.mark.parametrize(
    ("decision", "expected"), [("allow", "unknown"), ("license", "unknown"), ("deny", "deny")]
)
def test_an_unproven_claim_may_only_deny(decision: str, expected: str) -> None:
    said = statement(decision, proven=False)

    verdict = ask(said)

    assert verdict.decision == expected
    assert verdict.considered == (said,)


@pytest.mark.parametrize(
    ("decision", "expected"), [("allow", "unknown"), ("license", "license"), ("deny", "deny")]
)
def test_a_near_duplicate_never_allows(decision: str, expected: str) -> None:
    said = statement(decision, matched_by=IdentifierKind.ISCC.value, distance=0.05)

    assert ask(said).decision == expected


def test_a_licence_for_a_near_duplicate_opens_nothing_that_is_denied() -> None:
    copied = statement("license", matched_by="iscc", distance=0.1)
    denied = collection("deny", 1, id="stm_2", claimant="ben")

    verdict = ask(copied, denied)

    assert (verdict.rule, verdict.deciding) == ("collection.deny", (denied,))
    assert verdict.considered == (copied, denied)
    assert ask(copied, collection("allow", 1)).rule == "work.license"


def test_a_statement_reached_by_bytes_and_by_content_is_about_the_thing_itself() -> None:
    verdict = ask(
        statement("allow", matched_by="iscc", distance=0.0), statement("allow", matched_by="sha256")
    )
    assert (verdict.decision, len(verdict.deciding)) == (Decision.ALLOW, 1)
    assert verdict.explanation == "Statement stm_1 on the work allows train-ai."


def test_a_near_duplicate_is_named_in_the_sentence() -> None:
    said = statement("deny", matched_by="iscc", distance=0.05)

    assert ask(said).explanation == (
        "Statement stm_1 on the work of which this is a near-duplicate denies train-ai."
    )


def test_while_disputed_the_most_restrictive_claimant_holds() -> None:
    ada = statement("allow", id="stm_ada", disputed=True)
    ben = statement("license", id="stm_ben", claimant="ben", disputed=True)

    verdict = ask(ada, ben)

    assert verdict.deciding == (ben,)
    assert verdict.explanation == (
        "Statement stm_ben on the work licenses train-ai while its ownership is disputed."
    )


def test_while_disputed_nobody_loosens_what_was_said_before() -> None:
    before = statement("deny", id="stm_1", sequence=1, disputed=True)
    after = statement("allow", id="stm_2", sequence=2, disputed=True)

    assert ask(before, after).deciding == (before,)


def test_a_dispute_never_revives_a_withdrawn_permission() -> None:
    before = statement("allow", sequence=1, disputed=True)
    after = statement("unknown", sequence=2, disputed=True)

    assert ask(before, after).decision == Decision.UNKNOWN


@pytest.mark.parametrize("word", ["Allow", "", "yes"])
def test_words_outside_the_vocabulary_are_refused(word: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        statement(word)
    with pytest.raises(ValueError, match="is not a valid"):
        statement("deny", purpose=word)
    with pytest.raises(ValueError, match="is not a valid"):
        grant(purpose=word)
    with pytest.raises(ValueError, match="is not a valid"):
        decide(word, statements=(), asker=None, at=NOON)


def test_no_statement_is_made_in_the_tier_of_grants() -> None:
    with pytest.raises(ValueError, match="no statement is made in tier"):
        statement("allow", tier=Tier.GRANT)


def test_naive_instants_are_refused() -> None:
    naive = NOON.replace(tzinfo=None)

    with pytest.raises(ValueError, match="no time zone"):
        statement(effective_from=naive)
    with pytest.raises(ValueError, match="no time zone"):
        grant(effective_from=naive)
    with pytest.raises(ValueError, match="no time zone"):
        grant(effective_until=naive)
    with pytest.raises(ValueError, match="no time zone"):
        decide(Purpose.TRAIN_AI, statements=(), asker=None, at=naive)


# What a subject is (a work, a collection …) never changes, so its tier follows from its name.
SUBJECTS = {
    "wrk_a": (Tier.WORK, 0),
    "wrk_b": (Tier.WORK, 0),
    "col_path": (Tier.COLLECTION, 20),
    "col_domain": (Tier.COLLECTION, 3),
    "crt_ada": (Tier.CREATOR, 0),
    "robots.txt": (Tier.LOCATION, 0),
}


@st.composite
def any_statement(draw: st.DrawFn, /, **fixed: Any) -> Statement:
    subject = draw(st.sampled_from(sorted(SUBJECTS)))
    tier, specificity = SUBJECTS[subject]
    facts = {
        "id": draw(st.sampled_from(["stm_1", "stm_2", "stm_3", "stm_4"])),
        "subject": subject,
        "tier": tier,
        "specificity": specificity,
        "claimant": draw(st.sampled_from(["ada", "ben", "mallory"])),
        "purpose": draw(st.sampled_from([Purpose.TRAIN_AI, Purpose.SEARCH])),
        "decision": draw(st.sampled_from(Decision)),
        "effective_from": NOON + HOUR * draw(st.integers(-2, 1)),
        "sequence": draw(st.integers(0, 4)),
        "proven": draw(st.booleans()),
        "matched_by": draw(st.sampled_from(["url", "sha256", "iscc"])),
        "disputed": draw(st.booleans()),
    }
    return Statement(**facts | fixed)


STATEMENTS = st.lists(any_statement(), max_size=8)
GRANTS = st.lists(
    st.builds(
        grant,
        operator=st.sampled_from(["acme", "mallory"]),
        purpose=st.sampled_from([Purpose.TRAIN_AI, Purpose.SEARCH]),
        effective_from=st.sampled_from([NOON - HOUR, NOON, NOON + HOUR]),
        effective_until=st.sampled_from([None, NOON, NOON + HOUR]),
        proven=st.booleans(),
    ),
    max_size=2,
)


@given(STATEMENTS, GRANTS, any_statement(decision=Decision.DENY))
def test_adding_a_deny_never_turns_anything_into_allow(
    statements: list[Statement], grants: list[Grant], deny: Statement
) -> None:
    before = ask(*statements, grants=tuple(grants))

    after = ask(*statements, deny, grants=tuple(grants))

    assert after.decision != Decision.ALLOW or before.decision == Decision.ALLOW


@given(STATEMENTS, GRANTS, st.randoms(use_true_random=False))
def test_order_never_matters(statements: list[Statement], grants: list[Grant], chance: Any) -> None:
    verdict = ask(*statements, grants=tuple(grants))
    chance.shuffle(statements)
    chance.shuffle(grants)

    assert ask(*statements, grants=tuple(grants)) == verdict


@given(STATEMENTS, GRANTS, st.lists(any_statement(matched_by="iscc"), max_size=4))
def test_near_duplicates_never_loosen_anything(
    statements: list[Statement], grants: list[Grant], near: list[Statement]
) -> None:
    strictness = {"unknown": 0, "allow": 0, "license": 1, "deny": 2}
    of_itself = [replace(s, matched_by="url", distance=None) for s in statements]
    copied = [replace(s, id=f"near:{s.id}", subject=f"near:{s.subject}") for s in near]

    before = ask(*of_itself, grants=tuple(grants)).decision
    after = ask(*of_itself, *copied, grants=tuple(grants)).decision

    assert strictness[after] >= strictness[before]
    assert after != "allow" or before == "allow"


@given(st.lists(any_statement(proven=False), max_size=8))
def test_unproven_claims_alone_never_allow_or_license(statements: list[Statement]) -> None:
    assert ask(*statements).decision in {Decision.DENY, Decision.UNKNOWN}


@given(STATEMENTS)
def test_allow_needs_a_proven_current_exact_allow_in_the_deciding_tier(
    statements: list[Statement],
) -> None:
    verdict = ask(*statements)

    for said in verdict.deciding:
        assert isinstance(said, Statement)
        assert said.decision == verdict.decision
        assert verdict.rule == f"{said.tier.name.lower()}.{said.decision.value}"
        if verdict.decision == Decision.ALLOW:
            assert said.proven
            assert said.matched_by != IdentifierKind.ISCC
            assert said.effective_from <= NOON
    assert bool(verdict.deciding) == (verdict.decision != Decision.UNKNOWN)
    assert set(verdict.deciding) <= set(verdict.considered)


@given(STATEMENTS)
def test_a_grant_in_force_to_the_asker_always_allows(statements: list[Statement]) -> None:
    assert ask(*statements, grants=(grant(),)).rule == "grant.allow"

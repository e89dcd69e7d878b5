"""The index says what history says, whatever was done in whatever order."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from registry import checks, consent, creators, decision_index, disputes, licensing
from registry.checks import CheckItem
from registry.errors import RegistryError
from registry.models import Check, ClaimConflict, Creator, DecisionIndex, Identifier, Work
from tests.factories import DAY, NOON, make_creator, make_operator, make_work
from tests.registry.test_evidence import proven_site
from tribute.receipts import canonical_json
from tribute.vocabulary import Decision, Purpose

pytestmark = pytest.mark.django_db

TEXTS = [f"A text about nothing in particular, number {n}, with some words. " * 9 for n in range(2)]
URLS = ["https://ada.example/1", "https://ada.example/2", "https://ben.example/1"]
WORDS = [Decision.ALLOW, Decision.DENY, Decision.LICENSE, Decision.UNKNOWN]
PURPOSES = [Purpose.TRAIN_AI, Purpose.SEARCH]

deeds = st.lists(
    st.tuples(
        st.sampled_from(["register", "state", "default", "verify", "site", "resolve"]),
        st.integers(0, 1),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(-2, 6),
    ),
    min_size=3,
    max_size=14,
)


@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=deeds)
def test_the_index_equals_history_after_any_deeds(
    deeds: list[tuple[str, int, int, int, int]],
) -> None:
    with transaction.atomic():
        acme = make_operator("acme")
        people = [make_creator("ada", verified=False), make_creator("ben", verified=False)]
        for step, deed in enumerate(deeds):
            at = NOON + timedelta(hours=step)
            try:
                with transaction.atomic():
                    do(people, deed, at)
            except RegistryError:
                continue
        end = NOON + timedelta(hours=len(deeds))
        assert decision_index.differences(at=end) == []
        assert decision_index.differences(at=end + 3 * DAY) == []
        items = [CheckItem(url=url) for url in URLS]
        now = checks.check(acme, items, PURPOSES, at=end)
        then = checks.check(acme, items, PURPOSES, as_of=end, at=end)
        assert told(now) == told(then)
        transaction.set_rollback(True)


def do(people: list[Creator], deed: tuple[str, int, int, int, int], at: datetime) -> None:
    verb, who, what, which, days = deed
    person = people[who]
    match verb:
        case "register":
            text = TEXTS[which] if which < len(TEXTS) else None
            make_work(person, url=URLS[what % len(URLS)], text=text, at=at)
        case "state" | "default":
            works = Work.objects.filter(registered_by=person).order_by("pk")
            subject = works[what % len(works)] if verb == "state" and works else person
            decision = WORDS[what % 4]
            licensed = decision == Decision.LICENSE
            consent.state(
                person,
                subject,
                purpose=PURPOSES[which % 2],
                decision=decision,
                terms=licensing.offer(person, uri="https://x.example/", at=at)
                if licensed
                else None,
                effective_from=at + days * DAY,
                at=at,
            )
        case "verify":
            creators.verify_identity(person, at=at)
        case "site":
            proven_site(person, f"{person.handle}.example", at=at)
        case "resolve":
            conflict = ClaimConflict.objects.filter(resolved_at=None).order_by("pk").first()
            if conflict:
                outcome = list(ClaimConflict.Outcome)[which % 3]
                disputes.resolve(conflict, outcome=outcome, at=at)


def told(check: Check) -> list[dict[str, str]]:
    """Decisions and rules; what else was considered is pruned in the index."""
    return [
        {purpose: said["decision"] + said["rule"] for purpose, said in answer["decisions"].items()}
        for answer in check.results
    ]


def test_differences_finds_a_row_that_was_tampered_with() -> None:
    work = make_work(make_creator("ada"))
    DecisionIndex.objects.update(statements=[])
    assert decision_index.differences(at=NOON) == []

    key = bytes(Identifier.objects.get(work=work).key)
    DecisionIndex.objects.filter(key=key).delete()

    (line,) = decision_index.differences(at=NOON)
    assert line.startswith(f"key {key.hex()[:32]} and {work.pk}")


def test_read_takes_ten_thousand_keys_in_one_query() -> None:
    work = make_work(make_creator("ada"))
    key = bytes(Identifier.objects.get(work=work).key)
    strangers = [number.to_bytes(32, "big") for number in range(10_000)]

    found = decision_index.read([*strangers, key])

    assert list(found) == [key]
    assert connection.in_atomic_block


@given(
    value=st.dictionaries(
        st.text(st.characters(codec="ascii"), max_size=5),
        st.recursive(
            st.text(max_size=20) | st.integers(-(2**53) + 1, 2**53 - 1) | st.none() | st.booleans(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_the_fast_canonical_json_is_the_canonical_json(value: dict[str, object]) -> None:
    assert checks.canonical_json(value) == canonical_json(value)

"""Checks: explained answers in order, kept with their proof; the past can be asked."""

import hashlib
import random

import pytest

from registry import checks, near_copies, receipts
from registry.checks import CheckItem
from registry.models import Check, LogOutbox
from tests.factories import DAY, NOON, allow, deny, make_creator, make_operator, make_work
from tribute import receipts as verifier
from tribute.fingerprints import text_code
from tribute.vocabulary import IdentifierKind, Purpose


def prose(seed: int) -> str:
    """Four hundred words without sense, different for each seed."""
    chance = random.Random(seed)
    syllables = ["ba", "do", "fe", "gu", "hi", "ko", "lu", "ma", "ne", "pi", "ra", "so", "ti", "vo"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(400)]
    return " ".join(words)


LONG, OTHER = prose(1), prose(2)
POEM = "The sun was warm but the wind was chill. You know how it is with an April day " * 20


def decisions(check: Check, purpose: Purpose = Purpose.TRAIN_AI) -> list[str]:
    return [answer["decisions"][purpose]["decision"] for answer in check.results]


@pytest.mark.django_db
def test_check_answers_in_the_order_of_the_items() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    allow(make_work(ada, url="https://ada.example/open"))
    deny(make_work(ada, url="https://ada.example/closed"))
    items = [
        CheckItem(url="http://www.ada.example/closed#top"),
        CheckItem(url="https://nobody.example/"),
        CheckItem(url="https://ada.example/open"),
    ]

    asked = checks.check(acme, items, [Purpose.TRAIN_AI, Purpose.SEARCH], at=NOON)

    assert decisions(asked) == ["deny", "unknown", "allow"]
    assert decisions(asked, Purpose.SEARCH) == ["unknown", "unknown", "unknown"]
    assert [answer["id"] for answer in asked.results] == ["0", "1", "2"]


@pytest.mark.django_db
def test_check_recognises_bytes() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    statement = allow(make_work(ada, text=POEM))

    asked = checks.check(
        acme,
        [CheckItem(sha256=hashlib.sha256(POEM.encode()).hexdigest())],
        [Purpose.TRAIN_AI],
        at=NOON,
    )

    (answer,) = asked.results
    assert answer["decisions"]["train-ai"] == {
        "decision": "allow",
        "rule": "work.allow",
        "statements": [statement.pk],
        "considered": [statement.pk],
        "matched_by": "sha256",
        "explanation": f"Statement {statement.pk} on the work allows train-ai.",
    }


@pytest.mark.django_db
def test_check_gives_a_malformed_item_an_error_of_its_own() -> None:
    acme = make_operator("acme")
    items = [
        CheckItem(id="a", url="no address"),
        CheckItem(id="a", url="https://ada.example/"),
        CheckItem(id="b"),
        CheckItem(id="c", sha256="0" * 64),
    ]

    asked = checks.check(acme, items, [Purpose.TRAIN_AI], at=NOON)

    assert decisions(asked) == ["unknown"] * 4
    codes = [answer.get("error", {}).get("code") for answer in asked.results]
    assert codes == ["invalid_identifier", "duplicate_id", "identifier_required", None]


@pytest.mark.django_db
def test_check_asked_of_the_past_knows_only_what_was_known_then() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    work = make_work(ada, url="https://ada.example/1")
    allow(work)
    deny(work, at=NOON + 2 * DAY, effective_from=NOON)
    item = [CheckItem(url="https://ada.example/1")]

    def ask(days: int) -> list[str]:
        then = NOON + days * DAY
        asked = checks.check(acme, item, [Purpose.TRAIN_AI], as_of=then, at=NOON + 9 * DAY)
        return decisions(asked)

    assert [ask(-1), ask(0), ask(1), ask(2)] == [["unknown"], ["allow"], ["allow"], ["deny"]]


@pytest.mark.django_db
def test_receipt_verifies_offline_and_proves_each_row() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    deny(make_work(ada, url="https://ada.example/1"))
    items = [CheckItem(id=str(i), url=f"https://ada.example/{i}") for i in range(5)]
    kept = Check.objects.get(pk=checks.check(acme, items, [Purpose.TRAIN_AI], at=NOON).pk)

    signed = receipts.receipt(kept)
    proven = verifier.verify_receipt(
        signed, public_key=receipts.public_key(), items=[item.as_sent() for item in items]
    )

    for position in range(5):
        row = receipts.row(kept, position)
        leaf = verifier.row_digest(row["item"], row["answer"], salt=bytes.fromhex(row["salt"]))
        path = [bytes.fromhex(sibling) for sibling in row["path"]]
        assert verifier.verify_inclusion(
            leaf, index=position, size=5, path=path, root=proven.answers_root
        )
    assert LogOutbox.objects.filter(leaf_hash=kept.leaf_hash).count() == 1


@pytest.mark.django_db
def test_look_up_marks_near_copies_and_never_allows_by_them() -> None:
    ada = make_creator("ada")
    work = make_work(ada, text=POEM)
    allow(work)
    deny(work, Purpose.AI_INPUT)
    assert work.iscc is not None

    found = checks.look_up(IdentifierKind.ISCC, work.iscc, at=NOON)

    assert [w.pk for w in found.works] == [work.pk]
    assert found.answer.verdicts[Purpose.TRAIN_AI].decision == "unknown"
    assert found.answer.verdicts[Purpose.AI_INPUT].decision == "deny"


@pytest.mark.django_db
def test_a_check_finds_the_edited_copy_of_what_is_denied_and_never_allows_by_likeness() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    make_work(ada, title="Denied", text=LONG)
    deny(ada)
    make_work(ben, title="Allowed", text=OTHER)
    allow(ben)
    copies = [f"{text} and an ending" for text in (LONG, OTHER)]
    codes = [text_code(copy) for copy in copies]

    found = checks.check(
        make_operator("acme"),
        [CheckItem(iscc=code) for code in codes],
        [Purpose.TRAIN_AI],
        at=NOON,
    )

    said = [row["decisions"]["train-ai"] for row in found.results]
    assert [row["decision"] for row in said] == ["deny", "unknown"]
    assert said[0]["matched_by"] == "iscc"
    assert "near-duplicate" in said[0]["explanation"]


@pytest.mark.django_db
def test_many_codes_are_compared_as_each_alone() -> None:
    ada = make_creator("ada")
    texts = [LONG, OTHER, LONG + OTHER, OTHER[: len(OTHER) // 2]]
    for text in texts:
        make_work(ada, text=text)
    asked = [
        near_copies.content_code(text_code(text + tail))
        for text in texts
        for tail in ("", " and so on", LONG)
    ]
    codes = [code for code in asked if code is not None]
    assert len(codes) == len(asked)

    assert near_copies.find_many(codes) == {code: near_copies.find(code) for code in codes}

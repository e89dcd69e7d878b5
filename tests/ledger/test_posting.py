"""Posting: once, whole, funded; the same question always hears the same answer."""

from uuid import uuid4

import pytest

from ledger import balances
from ledger.accounts import AccountKind, account_id
from ledger.errors import (
    InvalidAmount,
    InvalidDraft,
    InvalidReversal,
    KeyReused,
    UnknownAccount,
    UnknownCurrency,
)
from ledger.models import Entry, Refusal
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, mirror, post
from ledger.vocabulary import RefusalReason
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.journal import Journal

pytestmark = pytest.mark.usefixtures("sound")


def clearing() -> int:
    return account_id(AccountKind.PROVIDER_CLEARING, None, "EUR")


def prepaid(operator: Operator) -> int:
    return account_id(AccountKind.OPERATOR_PREPAID, operator.pk, "EUR")


def pending(creator: Creator) -> int:
    return account_id(AccountKind.CREATOR_PENDING, creator.pk, "EUR")


def moving(reference: str, source: int, target: int, micros: int, **changes: object) -> Draft:
    fields: dict[str, object] = {
        "key": key_for(reference),
        "kind": EntryKind.ADJUSTMENT,
        "currency": "EUR",
        "legs": ((source, -micros), (target, micros)),
        "effective_at": NOON,
    }
    return Draft(**{**fields, **changes})  # type: ignore[arg-type]


def fund(operator: Operator, micros: int) -> None:
    post([moving(f"fund:{uuid4()}", clearing(), prepaid(operator), micros)], at=NOON)


def test_an_entry_moves_money_and_reads_like_a_journal(
    acme: Operator, ada: Creator, journal: Journal
) -> None:
    fund(acme, 1_000_000)
    fee = account_id(AccountKind.PLATFORM_FEE, None, "EUR")
    legs = ((prepaid(acme), -10_000), (pending(ada), 9_000), (fee, 1_000))
    post([Draft(uuid4(), EntryKind.QUERY, "EUR", legs, NOON)], at=NOON)

    assert (
        journal()
        == """
        platform:provider-clearing   -1.000000 EUR
        operator:acme:prepaid         1.000000 EUR

        operator:acme:prepaid        -0.010000 EUR
        creator:ada:pending           0.009000 EUR
        platform:fee                  0.001000 EUR
    """
    )
    assert balances.balance(prepaid(acme)) == Money(990_000, "EUR")


def test_a_repeated_draft_changes_nothing(acme: Operator) -> None:
    draft = moving("once", clearing(), prepaid(acme), 5)
    first = post([draft, draft], at=NOON)
    second = post([draft], at=NOON)

    assert first.entry_ids == second.entry_ids == {draft.key: Entry.objects.get().pk}
    assert first.duplicates == second.duplicates == {draft.key}
    assert balances.balance(prepaid(acme)) == Money(5, "EUR")


@pytest.mark.parametrize("again", ["together", "later"])
def test_a_key_with_another_content_is_refused_and_nothing_is_written(
    acme: Operator, again: str
) -> None:
    draft = moving("once", clearing(), prepaid(acme), 5)
    other = moving("once", clearing(), prepaid(acme), 6)
    if again == "later":
        post([draft], at=NOON)
    before = Entry.objects.count()
    fresh = moving("fresh", clearing(), prepaid(acme), 1)

    with pytest.raises(KeyReused):
        post([draft, fresh, other], at=NOON)

    assert Entry.objects.count() == before


def test_what_is_funded_posts_in_order_and_the_rest_is_refused_for_ever(
    acme: Operator, ada: Creator
) -> None:
    fund(acme, 100)
    drafts = [moving(f"q{n}", prepaid(acme), pending(ada), n) for n in (60, 50, 30, 11, 10)]

    posted = post(drafts, at=NOON)

    assert [draft.key in posted.entry_ids for draft in drafts] == [True, False, True, False, True]
    refusal = posted.refused[drafts[1].key]
    assert (refusal.account_id, refusal.reason) == (prepaid(acme), RefusalReason.BELOW_MINIMUM)
    assert balances.balance(prepaid(acme)) == Money(0, "EUR")

    fund(acme, 1_000)
    again = post(drafts, at=NOON)
    assert again.refused == posted.refused
    assert again.entry_ids == posted.entry_ids
    assert again.duplicates == {draft.key for draft in drafts}
    assert Refusal.objects.count() == 2


def test_a_refused_key_with_another_content_is_a_reused_key(acme: Operator, ada: Creator) -> None:
    assert post([moving("q", prepaid(acme), pending(ada), 9)], at=NOON).refused
    with pytest.raises(KeyReused):
        post([moving("q", prepaid(acme), pending(ada), 8)], at=NOON)


def test_a_reversal_mirrors_exactly_and_once(acme: Operator) -> None:
    draft = moving("wrong", clearing(), prepaid(acme), 5)
    wrong = post([draft], at=NOON).entry_ids[draft.key]
    undo = moving("undo", 0, 0, 0, legs=mirror(draft.legs), reverses=wrong)
    skewed = moving("skewed", prepaid(acme), clearing(), 4, reverses=wrong)
    missing = moving("missing", prepaid(acme), clearing(), 5, reverses=7)

    for bad in (skewed, missing):
        with pytest.raises(InvalidReversal):
            post([bad], at=NOON)
    undone = post([undo], at=NOON).entry_ids[undo.key]
    with pytest.raises(InvalidReversal):
        post([moving("again", 0, 0, 0, legs=mirror(draft.legs), reverses=wrong)], at=NOON)
    with pytest.raises(InvalidReversal):
        post([moving("un-undo", 0, 0, 0, legs=draft.legs, reverses=undone)], at=NOON)
    assert balances.balance(prepaid(acme)) == Money(0, "EUR")


def test_malformed_drafts_are_refused_before_the_database(acme: Operator) -> None:
    a, b = clearing(), prepaid(acme)
    one_leg, unequal, zero = ((a, 0),), ((a, 5), (b, -4)), ((a, 0), (b, 0))
    for legs in (one_leg, unequal, zero, ()):
        with pytest.raises(InvalidDraft):
            post([moving("bad", 0, 0, 0, legs=legs)], at=NOON)
    with pytest.raises(InvalidDraft):
        post([moving("bad", 0, 0, 0, legs=((a, 1),) * 2_049 + ((b, -1),) * 2_049)], at=NOON)
    with pytest.raises(InvalidDraft):
        post([moving("naive", a, b, 1, effective_at=NOON.replace(tzinfo=None))], at=NOON)
    with pytest.raises(InvalidDraft):
        post([moving(f"{n}", a, b, 1) for n in range(5_001)], at=NOON)
    with pytest.raises(UnknownCurrency):
        post([moving("odd", a, b, 1, currency="XXX")], at=NOON)
    for amount in (2**63, 1.0, True):
        with pytest.raises(InvalidAmount):
            post([moving("big", a, b, amount)], at=NOON)  # type: ignore[arg-type]
    assert not Entry.objects.exists()


def test_accounts_must_be_open_in_the_entrys_currency(acme: Operator) -> None:
    dollars = account_id(AccountKind.PROVIDER_CLEARING, None, "USD")
    for account in (dollars, 2**31 - 1):
        with pytest.raises(UnknownAccount):
            post([moving(f"to {account}", account, prepaid(acme), 1)], at=NOON)


def test_a_total_beyond_64_bits_is_an_error_and_never_wraps(acme: Operator) -> None:
    most = 2**63 - 1
    drafts = [moving(f"{n}", clearing(), prepaid(acme), most) for n in range(2)]
    with pytest.raises(InvalidAmount):
        post(drafts, at=NOON)
    post(drafts[:1], at=NOON)
    with pytest.raises(InvalidAmount):
        post(drafts[1:], at=NOON)
    many = ((clearing(), most), (clearing(), most), (prepaid(acme), -most), (prepaid(acme), -most))
    with pytest.raises(InvalidAmount):
        post([moving("wrap", 0, 0, 0, legs=many)], at=NOON)
    assert balances.balance(prepaid(acme)) == Money(most, "EUR")


def test_five_thousand_drafts_post_in_one_batch(acme: Operator, ada: Creator) -> None:
    fund(acme, 5_000)
    drafts = [moving(f"q{n}", prepaid(acme), pending(ada), 1) for n in range(5_000)]
    posted = post(drafts, at=NOON)
    assert len(posted.entry_ids) == 5_000
    assert len({entry >> 20 for entry in posted.entry_ids.values()}) == 1
    assert balances.balance(pending(ada)) == Money(5_000, "EUR")

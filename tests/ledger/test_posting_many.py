"""Large calls are written without asking first; they hear the same answers as small ones."""

from collections.abc import Sequence

import pytest

from ledger import balances
from ledger.errors import KeyReused
from ledger.models import Entry, Refusal
from ledger.money import Money
from ledger.posting import MANY_DRAFTS, Draft, post
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.ledger.test_posting import clearing, fund, moving, pending, prepaid

pytestmark = pytest.mark.usefixtures("sound")

MANY = 2 * MANY_DRAFTS


def payments(acme: Operator, ada: Creator, numbers: Sequence[int]) -> list[Draft]:
    return [moving(f"q{n}", prepaid(acme), pending(ada), 1) for n in numbers]


def test_many_repeated_drafts_change_nothing(acme: Operator, ada: Creator) -> None:
    fund(acme, MANY)
    drafts = payments(acme, ada, range(MANY))
    first = post(drafts, at=NOON)
    again = post(drafts, at=NOON)

    assert not first.duplicates
    assert again.entry_ids == first.entry_ids
    assert again.duplicates == set(first.entry_ids)
    assert balances.balance(pending(ada)) == Money(MANY, "EUR")


def test_many_drafts_among_which_some_are_known_post_the_others(
    acme: Operator, ada: Creator
) -> None:
    fund(acme, 2 * MANY)
    known = post(payments(acme, ada, range(5)), at=NOON)
    posted = post(payments(acme, ada, [*range(MANY), 7]), at=NOON)

    assert known.entry_ids.items() <= posted.entry_ids.items()
    assert posted.duplicates == {*known.entry_ids, payments(acme, ada, [7])[0].key}
    assert balances.balance(pending(ada)) == Money(MANY, "EUR")


def test_many_drafts_with_a_reused_key_write_nothing(acme: Operator, ada: Creator) -> None:
    fund(acme, 2 * MANY)
    post([moving("q9", clearing(), prepaid(acme), 9)], at=NOON)
    before = Entry.objects.count()

    with pytest.raises(KeyReused):
        post(payments(acme, ada, range(MANY)), at=NOON)

    assert Entry.objects.count() == before


def test_many_drafts_beyond_the_balance_are_refused_for_ever(acme: Operator, ada: Creator) -> None:
    fund(acme, MANY - 3)
    drafts = payments(acme, ada, range(MANY))
    first = post(drafts, at=NOON)

    assert list(first.refused) == [draft.key for draft in drafts[-3:]]
    fund(acme, MANY)
    again = post(drafts, at=NOON)
    assert again.refused == first.refused
    assert again.entry_ids == first.entry_ids
    assert Refusal.objects.count() == 3
    assert balances.balance(pending(ada)) == Money(MANY - 3, "EUR")

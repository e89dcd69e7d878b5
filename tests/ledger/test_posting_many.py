"""Large calls are written without asking first; they hear the same answers as small ones."""

from collections.abc import Sequence

import pytest

from ledger import balances
from ledger.errors import InvalidDraft, KeyReused, UnknownCurrency
from ledger.models import Entry, Refusal
from ledger.money import Money
from ledger.posting import MANY_DRAFTS, PIECE, Draft, post
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


def test_drafts_of_several_pieces_keep_their_order(acme: Operator, ada: Creator) -> None:
    """Their ids count on from piece to piece, also where rows of several layouts mix."""
    drafts = payments(acme, ada, range(2 * PIECE + 3))
    long = ((clearing(), -3), *((pending(ada), 1),) * 3)
    drafts[5::7] = [draft._replace(legs=long) for draft in drafts[5::7]]
    fund(acme, len(drafts))
    ids = post(drafts, at=NOON).entry_ids

    first = ids[drafts[0].key]
    assert list(ids.items()) == [(draft.key, first + n) for n, draft in enumerate(drafts)]
    written = Entry.objects.in_bulk(list(ids.values()))
    assert [
        (entry.key, list(zip(entry.accounts, entry.amounts, strict=True)))
        for entry in (written[ids[draft.key]] for draft in drafts)
    ] == [(draft.key, list(draft.legs)) for draft in drafts]


@pytest.mark.parametrize("place", [0, PIECE, 2 * PIECE + 2])
def test_one_malformed_draft_among_many_writes_nothing(
    acme: Operator, ada: Creator, place: int
) -> None:
    """It is met while what came before is on its way; the next call finds all as it was."""
    drafts = payments(acme, ada, range(2 * PIECE + 3))
    fund(acme, len(drafts))
    before = Entry.objects.count()
    unequal = drafts[place]._replace(legs=((prepaid(acme), -1), (pending(ada), 2)))
    odd = drafts[place]._replace(currency="XXX")

    with pytest.raises(InvalidDraft, match=str(unequal.key)):
        post([*drafts[:place], unequal, *drafts[place + 1 :]], at=NOON)
    with pytest.raises(UnknownCurrency):
        post([*drafts[:place], odd, *drafts[place + 1 :]], at=NOON)

    assert Entry.objects.count() == before
    assert len(post(drafts, at=NOON).entry_ids) == len(drafts)


def test_a_malformed_draft_is_named_though_postgresql_refused_another_first(
    acme: Operator, ada: Creator
) -> None:
    drafts = payments(acme, ada, range(2 * PIECE + 3))
    fund(acme, len(drafts))
    post(drafts[:1], at=NOON)
    unequal = drafts[-1]._replace(legs=((prepaid(acme), -1), (pending(ada), 2)))

    with pytest.raises(InvalidDraft, match=str(unequal.key)):
        post([*drafts[:-1], unequal], at=NOON)


def test_no_drafts_are_no_batch() -> None:
    assert post([], at=NOON).entry_ids == {}

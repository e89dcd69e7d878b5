"""What numpy packs is what the manual's description of binary COPY says, row by row."""

import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import copy_format
from ledger.drafts import MAX_ACCOUNT, Columns, Draft
from ledger.errors import InvalidAmount, InvalidDraft, UnknownAccount
from ledger.money import MAX_MICROS
from ledger.vocabulary import EntryKind
from tests.factories import NOON

FIRST_ID = 7 << 20

amounts = st.integers(1, MAX_MICROS // 8)
accounts = st.integers(1, MAX_ACCOUNT)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """A sound draft of 2 to 7 legs, some of which reverse another entry."""
    credited = draw(st.lists(st.tuples(accounts, amounts), min_size=1, max_size=6))
    debit = draw(accounts), -sum(amount for _, amount in credited)
    return Draft(
        key=draw(st.uuids()),
        kind=draw(st.sampled_from(EntryKind)),
        currency=draw(st.sampled_from(["EUR", "USD", "JPY"])),
        legs=(debit, *credited),
        effective_at=NOON + draw(st.timedeltas(timedelta(days=-9_000), timedelta(days=9_000))),
        reverses=draw(st.none() | st.integers(1, 2**62)),
    )


def by_hand(draft: Draft, entry_id: int) -> bytes:
    """A row written value by value after the manual."""
    n = len(draft.legs)
    since = (draft.effective_at - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    numeric = {"EUR": 978, "USD": 840, "JPY": 392}[draft.currency]
    row = struct.pack(">h iq", 8, 8, entry_id) + struct.pack(">i", 16) + draft.key.bytes
    row += struct.pack(">ih ih", 2, draft.kind, 2, numeric)
    row += struct.pack(">6i", 20 + 8 * n, 1, 0, 23, n, 1)
    row += b"".join(struct.pack(">ii", 4, account) for account, _ in draft.legs)
    row += struct.pack(">6i", 20 + 12 * n, 1, 0, 20, n, 1)
    row += b"".join(struct.pack(">iq", 8, amount) for _, amount in draft.legs)
    row += (
        struct.pack(">i", -1) if draft.reverses is None else struct.pack(">iq", 8, draft.reverses)
    )
    return row + struct.pack(">iq", 8, since)


@given(st.lists(drafts(), min_size=1, max_size=12))
def test_rows_are_those_of_the_manual(several: list[Draft]) -> None:
    packed = copy_format.rows(Columns.of(several), first_id=FIRST_ID)
    expected = [by_hand(draft, FIRST_ID + place) for place, draft in enumerate(several)]
    assert len(packed) == sum(map(len, expected))
    assert all(row in packed for row in expected)


@given(st.lists(st.lists(st.integers(-MAX_MICROS, MAX_MICROS), min_size=2, max_size=6), min_size=1))
def test_columns_refuse_what_does_not_add_up(rows: list[list[int]]) -> None:
    """Near the limit sums wrap in 64 bits; they must be told from zero all the same."""
    several = [
        Draft(
            UUID(int=number),
            EntryKind.QUERY,
            "EUR",
            tuple(enumerate(row, 1)),
            NOON,
        )
        for number, row in enumerate(rows)
    ]
    if all(sum(row) == 0 and 0 not in row for row in rows):
        assert Columns.of(several).amounts.tolist() == [amount for row in rows for amount in row]
    else:
        with pytest.raises(InvalidDraft):
            Columns.of(several)


def test_columns_find_the_wrapped_sum() -> None:
    """Four legs that add up to 2⁶⁴: zero for a processor, not for a ledger."""
    legs = tuple((account, 2**62) for account in range(1, 5))
    with pytest.raises(InvalidDraft):
        Columns.of([Draft(UUID(int=1), EntryKind.QUERY, "EUR", legs, NOON)])


@pytest.mark.parametrize("account", [0, -1, 2**31, 2**70, 1.0, True])
def test_columns_refuse_what_is_no_accounts_number(account: int) -> None:
    draft = Draft(UUID(int=1), EntryKind.QUERY, "EUR", ((account, -1), (2, 1)), NOON)
    with pytest.raises(UnknownAccount):
        Columns.of([draft])


@pytest.mark.parametrize("amount", [2**63, -(2**63), 1.0, True])
def test_columns_refuse_what_is_no_amount(amount: int) -> None:
    draft = Draft(UUID(int=1), EntryKind.QUERY, "EUR", ((1, -amount), (2, amount)), NOON)
    with pytest.raises(InvalidAmount):
        Columns.of([draft])

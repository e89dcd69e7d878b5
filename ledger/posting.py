"""Write entries. The only module that inserts an Entry or a Refusal.

It sees account numbers, amounts and keys; who is owed what, and why, is decided elsewhere. One
call writes up to 5,000 entries with one binary COPY; PostgreSQL derives the rest (lines,
balances, the chained batch) and refuses what must not be.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection, transaction

from ledger import copy_format, currencies, funding
from ledger.drafts import Columns, Draft, key_for, mirror
from ledger.errors import (
    InvalidAmount,
    InvalidDraft,
    InvalidReversal,
    KeyReused,
    LaneBusy,
    UnknownAccount,
)
from ledger.funding import Refusal
from ledger.outages import told_apart
from ledger.sql import statement
from ledger.vocabulary import EntryKind, RefusalReason

__all__ = ["MAX_DRAFTS", "Draft", "EntryKind", "Posted", "Refusal", "key_for", "mirror", "post"]

MAX_DRAFTS = 5_000
MANY_DRAFTS = 100
"""From here on a call is written without asking which keys are known: nearly always none, asking
takes a twelfth of the time, and PostgreSQL refuses a known key. Small calls are often repeats,
which would leave dead rows behind."""
PIECE = 250
"""Drafts checked and sent at a time; smaller pieces cost numpy's calls each."""
ATTEMPTS = 8
"""How often a lost race is run again; with two posters the second attempt nearly always wins."""

_COPY = (
    "COPY ledger_entry (id, key, kind, currency, accounts, amounts, reverses, effective_at)"
    " FROM STDIN (FORMAT binary)"
)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of drafts; every key is in exactly one of ``entry_ids`` and ``refused``.

    entry_ids: the entry of each key, whether written now or before.
    duplicates: the keys that had been answered before this call, in the same way.
    refused: the keys that were not funded, now or before, and never will be.
    """

    entry_ids: dict[UUID, int] = field(default_factory=dict)
    duplicates: set[UUID] = field(default_factory=set)
    refused: dict[UUID, Refusal] = field(default_factory=dict)


@told_apart
def post(drafts: Sequence[Draft], *, at: datetime) -> Posted:
    """Write every draft once, in one batch, joining the caller's transaction.

    A key said before with the same content changes nothing and hears the same answer. When
    the batch would break a limit, the drafts that are funded in their order are posted and the
    others refused for ever (``at`` is when). Everything else is all or nothing.

    Raises InvalidDraft, InvalidAmount, UnknownAccount, InvalidReversal, KeyReused;
    LedgerUnavailable when the server was lost or hindered, and LaneBusy, one kind of it, when
    other posters won every attempt. Needs READ COMMITTED isolation.
    """
    if len(drafts) > MAX_DRAFTS:
        raise InvalidDraft(f"{len(drafts)} drafts in one call; at most {MAX_DRAFTS}")
    if not drafts:
        return Posted()
    in_order = False
    asking = len(drafts) < MANY_DRAFTS or len({draft.key.int for draft in drafts}) < len(drafts)
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                if not asking:
                    return Posted(_copy(drafts))
                return _post(drafts, in_order=in_order, at=at)
        except (psycopg.Error, DatabaseError) as error:
            cause = _cause(error)
            if asking:
                in_order = _says_unfunded(cause) or in_order
            elif not isinstance(cause, psycopg.IntegrityError | psycopg.DataError):
                raise
            asking = True  # what was refused unasked may have been answered before
    raise LaneBusy(f"{len(drafts)} drafts lost {ATTEMPTS} races")


def _post(drafts: Sequence[Draft], *, in_order: bool, at: datetime) -> Posted:
    """One attempt. ``in_order`` first takes the lane, so that the balances read stay true."""
    Columns.of(drafts)  # what is wrong is said before anything is asked
    if in_order:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
    posted, fresh = _answer_known(drafts)
    if in_order:
        fresh = _refuse_unfunded(fresh, posted, at=at)
    if fresh:
        posted.entry_ids.update(_copy(fresh))
    return posted


def _answer_known(drafts: Sequence[Draft]) -> tuple[Posted, list[Draft]]:
    """Answer the keys that are on record; return the drafts of the others, once each."""
    posted = Posted()
    known = _known({draft.key for draft in drafts})
    fresh: dict[UUID, Draft] = {}
    for draft in drafts:
        row = known.get(draft.key)
        if row is None:
            if first := fresh.get(draft.key):
                _same(draft, _content(first) == _content(draft))
                posted.duplicates.add(draft.key)
            fresh.setdefault(draft.key, draft)
            continue
        posted.duplicates.add(draft.key)
        if row["id"] is None:
            _same(draft, row["draft_digest"] == _digest(draft))
            reason = RefusalReason(row["reason"])
            posted.refused[draft.key] = Refusal(row["account_id"], reason)
        else:
            _same(draft, _row_content(row) == _content(draft))
            posted.entry_ids[draft.key] = row["id"]
    return posted, list(fresh.values())


def _known(keys: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    with connection.cursor() as cursor:
        # As text: the driver takes three times as long over a list of UUIDs.
        array = "{" + ",".join([key.hex for key in keys]) + "}"
        cursor.execute(statement("find_keys"), {"keys": array})
        columns = [column.name for column in cursor.description or ()]
        return {row[0]: dict(zip(columns, row, strict=True)) for row in cursor.fetchall()}


def _same(draft: Draft, same: bool) -> None:  # noqa: FBT001 - the answer itself
    if not same:
        raise KeyReused(f"{draft.key} came before with another content")


def _content(draft: Draft) -> tuple[object, ...]:
    accounts, amounts = zip(*draft.legs, strict=True)
    currency = currencies.find(draft.currency).numeric
    return int(draft.kind), currency, accounts, amounts, draft.reverses


def _row_content(row: dict[str, Any]) -> tuple[object, ...]:
    accounts, amounts = tuple(row["accounts"]), tuple(row["amounts"])
    return row["kind"], row["currency"], accounts, amounts, row["reverses"]


def _digest(draft: Draft) -> bytes:
    """SHA-256 of a draft's content, the id and the time left out."""
    same_for_all = draft._replace(effective_at=datetime(2000, 1, 1, tzinfo=UTC))
    row = copy_format.rows(Columns.of([same_for_all]), first_id=0)
    return hashlib.sha256(row).digest()


def _refuse_unfunded(fresh: list[Draft], posted: Posted, *, at: datetime) -> list[Draft]:
    """Record a refusal for each draft that is not funded in its turn; return the others."""
    decisions = funding.decide([draft.legs for draft in fresh], _limits(fresh))
    refused = {draft: refusal for draft, refusal in zip(fresh, decisions, strict=True) if refusal}
    posted.refused.update({draft.key: refusal for draft, refusal in refused.items()})
    if refused:
        with connection.cursor() as cursor:
            cursor.execute(
                statement("refuse_keys"),
                {
                    "keys": [draft.key for draft in refused],
                    "digests": [_digest(draft) for draft in refused],
                    "accounts": [refusal.account_id for refusal in refused.values()],
                    "reasons": [int(refusal.reason) for refusal in refused.values()],
                    "refused_at": at,
                },
            )
    return [draft for draft in fresh if draft not in refused]


def _limits(drafts: Iterable[Draft]) -> dict[int, funding.Limits]:
    accounts = {account for draft in drafts for account, _ in draft.legs}
    with connection.cursor() as cursor:
        cursor.execute(statement("read_limits"), {"accounts": list(accounts)})
        return {account: funding.Limits(*limits) for account, *limits in cursor.fetchall()}


def _copy(drafts: Sequence[Draft]) -> dict[UUID, int]:
    """Write drafts, a piece at a time: PostgreSQL stores one while the next is checked.

    What is wrong with a later piece ends the COPY, and with it what came before.
    """
    entry_ids: dict[UUID, int] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('ledger_batch_id_seq')")
        first_id = cursor.fetchone()[0] << 20
        with cursor.copy(_COPY) as copy:
            copy.write(copy_format.HEADER)
            for first in range(0, len(drafts), PIECE):
                columns = Columns.of(drafts[first : first + PIECE])
                copy.write(copy_format.rows(columns, first_id=first_id + first))
                entry_ids.update(zip(columns.keys, count(first_id + first), strict=False))
            copy.write(copy_format.TRAILER)
    return entry_ids


def _cause(error: psycopg.Error | DatabaseError) -> psycopg.Error:
    """What PostgreSQL said; Django wraps it for statements, not for COPY."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        raise error
    return cause


def _says_unfunded(error: psycopg.Error) -> bool:
    """Whether a limit was broken; False for a lost race. Raises what the caller did wrong."""
    constraint = error.diag.constraint_name or ""
    match constraint:
        case "ledger_balance_not_below_its_minimum" | "ledger_balance_not_above_its_maximum":
            return True
        case "ledger_entry_mirrors_what_it_reverses" | "ledger_entry_reverses_fkey":
            raise InvalidReversal(error.diag.message_primary) from error
        case "ledger_entry_reverses_key":
            raise InvalidReversal("the entry was reversed before") from error
        case "ledger_leg_names_an_account":
            raise UnknownAccount(error.diag.message_primary) from error
    if isinstance(error, psycopg.errors.NumericValueOutOfRange):
        raise InvalidAmount("a total leaves 64 bits") from error
    race = psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected
    if not isinstance(error, race):
        raise error
    return False

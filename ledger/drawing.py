"""Hold one sum for many things at once, and draw on it as each of them is settled.

Where `ledger.holds` makes a hold for each thing and ends it whole, here one hold serves a whole
call: it is used up part by part, and ends when nothing is left, when it expires, or when a payer
takes back what it was made from. What the parts are for is the caller's to know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ledger import funding
from ledger.accounts import AccountKind, account_ids
from ledger.errors import CannotHold
from ledger.holds import RESERVED_KIND
from ledger.models import Hold
from ledger.outages import told_apart
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.sql import statement

__all__ = ["Drawn", "Parts", "give_back", "reserve", "take"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What to hold of one account: amounts in micros > 0, in the order in which they count.

    ``key`` names the hold for ever, and is new at each call.
    """

    key: UUID
    kind: AccountKind
    owner_id: str
    currency: str
    micros: Sequence[int]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Drawn:
    """The accounts of a hold that was drawn on, by their numbers."""

    source_id: int
    reserved_id: int


@told_apart
def reserve(wanted: Sequence[Parts], *, at: datetime) -> dict[UUID, list[bool]]:
    """Hold, of each request, the parts that are funded in their order, as one; say which.

    One entry and one hold for each request. A part too large for what is left is passed over,
    and the smaller ones after it still count. Joins the caller's transaction, which should end
    soon: posters wait for it. Raises CannotHold, and what `posting.post` raises.
    """
    if not wanted:
        return {}
    for each in wanted:
        if each.kind not in RESERVED_KIND or min(each.micros, default=0) <= 0:
            raise CannotHold(f"{each.key}: parts of {each.kind.name.lower()} above zero")
    # All opened before the lane is held: who opens an account may wait for who wants the lane.
    numbers = account_ids(
        (kind, each.owner_id, each.currency)
        for each in wanted
        for kind in (each.kind, RESERVED_KIND[each.kind])
    )
    return {
        each.key: _reserve(
            each,
            numbers[each.kind, each.owner_id, each.currency],
            numbers[RESERVED_KIND[each.kind], each.owner_id, each.currency],
            at=at,
        )
        for each in wanted
    }


@told_apart
def take(parts: Mapping[UUID, int], *, at: datetime) -> dict[UUID, Drawn]:
    """Draw micros > 0 from holds that go on; those missing in the answer had ended.

    The caller posts entries that debit exactly these reserved accounts by what was taken, in
    the same transaction. Raises IntegrityError when more is taken than is left: a defect.
    """
    return _draw(parts, dict.fromkeys(parts, 0), at=at)


@told_apart
def give_back(parts: Mapping[UUID, tuple[int, str]], *, at: datetime) -> None:
    """Return micros > 0 of each hold to where they came from; what ended has nothing to return.

    parts: by hold, how much, and a reference that names this return for ever.
    """
    if not parts:
        return
    amounts = {key: micros for key, (micros, _) in parts.items()}
    with transaction.atomic():
        drawn = _draw(dict.fromkeys(parts, 0), amounts, at=at)
        currency = dict(Hold.objects.filter(key__in=drawn).values_list("key", "currency"))
        drafts = [
            Draft(
                key=key_for(f"hold:{key}:{parts[key][1]}:given-back"),
                kind=EntryKind.HOLD_RELEASE,
                currency=currency[key],
                legs=((each.reserved_id, -amounts[key]), (each.source_id, amounts[key])),
                effective_at=at,
            )
            for key, each in sorted(drawn.items())
        ]
        post(drafts, at=at)


def _reserve(wanted: Parts, source: int, reserved: int, *, at: datetime) -> list[bool]:
    """Post what is covered by the balance as it looks; if that was a race, as it is."""
    funded = [sum(wanted.micros) <= _limits(source).balance] * len(wanted.micros)
    if not all(funded) or not _post(wanted, sum(wanted.micros), source, reserved, "", at=at):
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        legs = [((source, -micros),) for micros in wanted.micros]
        refusals = funding.decide(legs, {source: _limits(source)})
        funded = [refusal is None for refusal in refusals]
        held = sum(micros for micros, yes in zip(wanted.micros, funded, strict=True) if yes)
        if held:
            again = _post(wanted, held, source, reserved, ":in-order", at=at)
            assert again, "what the balance covers, under the lane, is funded"
    return funded


def _post(  # noqa: PLR0913 - an entry's parts, each by name
    wanted: Parts, micros: int, source: int, reserved: int, suffix: str, *, at: datetime
) -> bool:
    draft = Draft(
        key=key_for(f"hold:{wanted.key}:reserved{suffix}"),
        kind=EntryKind.HOLD,
        currency=wanted.currency,
        legs=((source, -micros), (reserved, micros)),
        effective_at=at,
    )
    if draft.key in post([draft], at=at).refused:
        return False
    Hold.objects.create(
        key=wanted.key,
        source_id=source,
        reserved_id=reserved,
        amount_micros=micros,
        currency=wanted.currency,
        in_parts=True,
        created_at=at,
        expires_at=wanted.expires_at,
    )
    return True


def _limits(account: int) -> funding.Limits:
    with connection.cursor() as cursor:
        cursor.execute(statement("read_limits"), {"accounts": [account]})
        ((_, *limits),) = cursor.fetchall()
    return funding.Limits(*limits)


def _draw(
    settled: Mapping[UUID, int], returned: Mapping[UUID, int], *, at: datetime
) -> dict[UUID, Drawn]:
    if not settled:
        return {}
    parameters: dict[str, Any] = {
        "keys": list(settled),
        "settled": list(settled.values()),
        "returned": [returned[key] for key in settled],
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("draw_holds"), parameters)
        return {key: Drawn(source, reserved) for key, source, reserved in cursor.fetchall()}

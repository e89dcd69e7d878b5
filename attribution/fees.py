"""Keep what queries owe aside from the moment they are accepted.

Owns which queries are funded at the door, and that each one's fee leaves its hold once: by being
paid, or by going back. One hold serves all queries of one call and currency. How money is held
is the ledger's to say.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attribution.errors import NotFunded
from attribution.models import Query
from ledger import drawing
from ledger.accounts import AccountKey, AccountKind
from ledger.drawing import Parts
from tribute.ids import new_uuid7

HELD_FOR = timedelta(days=30)
"""A query still unsettled by then is paid from what is prepaid, like one that was never held for."""

REASON = "insufficient_funds"
"""Why a query is refused that its operator could not pay, at the door or later."""


def name_holds(queries: Iterable[Query]) -> None:
    """Give each query, before it is written, the name of the hold it will share."""
    names: defaultdict[str, UUID] = defaultdict(new_uuid7)
    for query in queries:
        query.hold_id = names[query.currency]


def reserve(queries: Sequence[Query], *, at: datetime) -> list[Query]:
    """Hold the fees of new queries, in order, as far as their operator's money goes.

    Returns those that are not funded; their rows are the caller's to close. Raises
    LedgerUnavailable.
    """
    sharing: defaultdict[UUID, list[Query]] = defaultdict(list)
    for query in queries:
        assert query.hold_id is not None, "name_holds came before"
        sharing[query.hold_id].append(query)
    wanted = [
        Parts(
            key=key,
            kind=AccountKind.OPERATOR_PREPAID,
            owner_id=each[0].operator_id,
            currency=each[0].currency,
            micros=[query.fee_micros for query in each],
            expires_at=at + HELD_FOR,
        )
        for key, each in sharing.items()
    ]
    funded = drawing.reserve(wanted, at=at)
    return [
        query
        for key, each in sharing.items()
        for query, yes in zip(each, funded[key], strict=True)
        if not yes
    ]


def take(queries: Iterable[Query], *, at: datetime) -> set[str]:
    """Draw the fees of queries from their holds; return the ids of those it was done for.

    The others' holds are over, and their fees are still prepaid money. The caller posts each
    fee from `account_of`, in the same transaction.
    """
    held = [query for query in queries if query.hold_id]
    micros: Counter[UUID] = Counter()
    for query in held:
        micros[_hold(query)] += query.fee_micros
    drawn = drawing.take(micros, at=at)
    return {query.pk for query in held if query.hold_id in drawn}


def account_of(query: Query, taken: Collection[str]) -> AccountKey:
    """Where a query's fee lies."""
    reserved, prepaid = AccountKind.OPERATOR_RESERVED, AccountKind.OPERATOR_PREPAID
    return reserved if query.pk in taken else prepaid, query.operator_id, query.currency


def give_back(queries: Iterable[Query], *, at: datetime) -> None:
    """Return the fees of queries that are parked, and forget their holds on the rows given.

    Each is named by the first query of its hold, which is parked with this hold only once.
    """
    parts: dict[UUID, tuple[int, str]] = {}
    for query in sorted((each for each in queries if each.hold_id), key=lambda each: each.pk):
        micros, reference = parts.get(_hold(query), (0, query.pk))
        parts[_hold(query)] = micros + query.fee_micros, reference
        query.hold_id = None
    drawing.give_back(parts, at=at)


def reserve_again(query: Query, *, at: datetime) -> None:
    """Hold the fee of a query that was parked, under a new name. Raises NotFunded."""
    name_holds([query])
    if reserve([query], at=at):
        raise NotFunded(f"{query.pk} owes {query.fee}; top the balance up first")


def _hold(query: Query) -> UUID:
    assert query.hold_id is not None, "only queries with a hold are asked about theirs"
    return query.hold_id

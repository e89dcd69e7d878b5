"""Facts about attribution that must always hold, one query each, with the rows that break them."""

from collections.abc import Iterator

from django.db import connection

from attribution.sql import statement
from ledger.invariants import Finding

_CHECKS = {
    "contributions_equal_the_entry": "find_contributions_unlike_entries",
    "adjustments_equal_their_entry": "find_adjustments_unlike_entries",
    "what_is_set_aside_is_booked_apart": "find_escrow_out_of_place",
    "settled_queries_have_their_entry": "find_settled_without_entry",
    "nothing_is_paid_for_what_was_denied": "find_paid_though_denied",
    "holds_are_what_queries_owe": "find_holds_unlike_queries",
    "carries_add_up_to_zero": "find_unbalanced_carries",
}


def findings() -> list[Finding]:
    """Return every broken invariant; an empty list is what the audit wants to see."""
    return [each for name, sql in _CHECKS.items() for each in _run(name, sql)]


def _run(name: str, sql: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(statement(sql))
        columns = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    for row in rows:
        yield Finding(
            name, ", ".join(f"{key}={value}" for key, value in zip(columns, row, strict=True))
        )

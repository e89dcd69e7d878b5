"""Facts that must always hold: one query each, from the raw rows, hashes computed anew.

Each ``audit_*.sql`` returns the rows that break its fact. Tests end with them, the timetable
runs them, and no batch of payouts is drawn up while one has something to say.
"""

from dataclasses import dataclass

from django.db import connection

from ledger.sql import names, statement

MAX_DETAILS = 100
"""How many rows of one broken fact are reported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks one invariant."""

    invariant: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"


def findings() -> list[Finding]:
    """Everything wrong with the books; empty when they are sound. Reads every entry."""
    found: list[Finding] = []
    with connection.cursor() as cursor:
        for name in names("audit_"):
            cursor.execute(statement(name))
            invariant = name.removeprefix("audit_")
            rows = cursor.fetchmany(MAX_DETAILS)
            found.extend(Finding(invariant, detail) for (detail,) in rows)
    return found

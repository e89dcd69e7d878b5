"""Say it twice, it happens once.

docs.stripe.com/api/idempotent_requests, for v1: "saving the resulting status code and
body of the first request made for any given idempotency key, regardless of whether it
succeeds or fails", 500s included; other parameters under the same key are an error; what
fails before the endpoint begins is not kept. docs.stripe.com/api-v2-overview, for v2:
only successes are kept, failures are tried again. Stripe may forget keys after 24 hours
(v1); the simulation never does.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

from server.stripe_simulator.errors import ApiError
from server.stripe_simulator.state import State


class Said(NamedTuple):
    """What makes two requests the same: the account, the key, and all that was asked."""

    account: str
    key: str
    request: str


class Kept(NamedTuple):
    """An answer given before."""

    status: int
    body: dict[str, Any]


def kept_answer(state: State, said: Said) -> Kept | None:
    """The answer first given to ``said``; refused when the key came with other parameters."""
    row = state.run(
        "SELECT request, status, body FROM kept_answer WHERE account = ? AND key = ?",
        said.account,
        said.key,
    ).fetchone()
    if row is None:
        return None
    if row[0] != said.request:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{said.key}' if you meant to execute "
            "a different request.",
            kind="idempotency_error",
        )
    return Kept(row[1], json.loads(row[2]))


def keep(state: State, said: Said, status: int, body: dict[str, Any]) -> None:
    """Remember the answer for the next time ``said`` is said."""
    state.run(
        "INSERT INTO kept_answer (account, key, request, status, body) VALUES (?, ?, ?, ?, ?)",
        *said,
        status,
        json.dumps(body),
    )


class InFlight:
    """Keys whose first request is still running."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def only_one(self, said: Said) -> Iterator[None]:
        """Refuse the second of two concurrent requests (docs.stripe.com/error-low-level, 409)."""
        key = (said.account, said.key)
        with self._lock:
            if key in self._keys:
                raise ApiError(
                    "There is currently another in-progress request using this Idempotent Key.",
                    status=HTTPStatus.CONFLICT,
                    code="idempotency_key_in_use",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)

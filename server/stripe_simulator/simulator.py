"""The simulation as one object: answers requests, keeps its promises, starts and stops.

Owns the order in which a request meets authentication, faults, idempotency and its
endpoint. `http_server` speaks HTTP around it, `deliveries` works beside it.
"""

import json
import time
from collections import deque
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from server.stripe_simulator import faults, idempotency, routes
from server.stripe_simulator.accounts import require
from server.stripe_simulator.deliveries import Courier
from server.stripe_simulator.errors import ApiError, unknown_route
from server.stripe_simulator.exchange import Exchange, Reply, Request
from server.stripe_simulator.http_server import Listener
from server.stripe_simulator.idempotency import InFlight, Said
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.pages import Shown
from server.stripe_simulator.settings import Settings
from server.stripe_simulator.state import PLATFORM, Body, State, new_id

REMEMBERED_EXCHANGES = 500


class Simulator:
    """A running simulation of Stripe on a port of 127.0.0.1.

    state_path: the SQLite file; made when missing. Use as a context manager, or call
    `start` and `stop`. ``exchanges`` holds the last requests answered by the API.
    """

    def __init__(self, state_path: Path, settings: Settings | None = None, port: int = 0) -> None:
        self.settings = settings or Settings()
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED_EXCHANGES)
        self._state = State(state_path)
        self._in_flight = InFlight()
        self._courier = Courier(self._state, self.settings)
        self._listener = Listener(self, port)

    @property
    def url(self) -> str:
        """Where it listens: give this to the SDK as its base address."""
        return self._listener.url

    def start(self) -> Self:
        """Listen and work, in threads of its own."""
        self._listener.start()
        self._courier.start()
        return self

    def stop(self) -> None:
        """Finish what is under way, then end; the state stays in its file."""
        self._listener.stop()
        self._courier.stop()
        self._state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def show(self, request: Request) -> Shown | None:
        """Answer a browser, or None when the address is no page."""
        found = routes.find(request.method, request.path, routes.PAGES)
        if found is None:
            return None
        with self._state.transaction():
            shown = routes.PAGES[found.route](self._call(request), *found.arguments)
        self._courier.wake()
        return shown

    def steer(self, request: Request) -> Body | None:
        """Answer the simulation's own knobs, or None when the address is none of them."""
        if (request.method, request.path) == ("GET", "/_simulator/state"):
            return self.counts()
        found = routes.find(request.method, request.path, routes.KNOBS)
        if found is None:
            return None
        with self._state.transaction():
            return routes.KNOBS[found.route](self._call(request))

    def counts(self) -> Body:
        """How many objects, calls and deliveries there are, and what waits."""
        run = self._state.run
        return {
            "objects": dict(run("SELECT kind, count(*) FROM object GROUP BY kind").fetchall()),
            "calls": dict(run("SELECT name, count FROM tally ORDER BY name").fetchall()),
            "deliveries_waiting": run("SELECT count(*) FROM delivery").fetchone()[0],
            "appointments_waiting": run("SELECT count(*) FROM appointment").fetchone()[0],
            "faults_waiting": run("SELECT coalesce(sum(remaining), 0) FROM fault").fetchone()[0],
        }

    def answer(self, request: Request) -> Reply:
        """Answer a call of the API as Stripe would, or as the next fault wants it."""
        request_id = new_id("req")
        try:
            reply = self._answer(request, request_id)
        except ApiError as error:
            reply = Reply(error.status, error.body, request_id)
        found = routes.find(request.method, request.path, routes.API)
        route = found.route if found else f"{request.method} unknown"
        self.exchanges.append(Exchange(route, request.params, reply.status, reply.body))
        self._courier.wake()
        return reply

    def _answer(self, request: Request, request_id: str) -> Reply:
        found = routes.find(request.method, request.path, routes.API)
        _authenticate(request)
        if found is None:
            raise unknown_route(request.method, request.path)
        call = self._call(request, request_id)
        key = call.moment.idempotency_key
        if request.method != "POST" or key is None:
            self._wait_if_slow(found.route)
            with self._state.transaction():
                return self._perform(call, found, None)
        written = json.dumps([request.method, request.path, call.params], sort_keys=True)
        said = Said(call.account, key, written)
        with self._in_flight.only_one(said):
            self._wait_if_slow(found.route)
            with self._state.transaction():
                return self._perform(call, found, said)

    def _wait_if_slow(self, route: str) -> None:
        with self._state.transaction():
            seconds = faults.taken(self._state, "slow", route)
        time.sleep(seconds or 0.0)

    def _perform(self, call: Call, found: routes.Found, said: Said | None) -> Reply:
        """Run the endpoint inside the open transaction, unless it ran before."""
        state, request_id = self._state, call.moment.request_id or ""
        state.count(found.route)
        if faults.taken(state, "error_429", found.route) is not None:
            return Reply(HTTPStatus.TOO_MANY_REQUESTS, _rate_limited(), request_id)
        if said and (kept := idempotency.kept_answer(state, said)):
            return Reply(kept.status, kept.body, request_id, replayed=True)
        status, body, executed = self._run_endpoint(call, found)
        # v2 keeps successes alone (docs.stripe.com/api-v2-overview), v1 whatever came out.
        if said and executed and (status == HTTPStatus.OK or "/v1/" in found.route):
            idempotency.keep(state, said, status, body)
        lost = faults.taken(state, "timeout_after_success", found.route) is not None
        return Reply(status, body, request_id, lost=lost)

    def _run_endpoint(self, call: Call, found: routes.Found) -> tuple[int, Body, bool]:
        """Status, body, and whether the endpoint had begun; an error undoes its effects."""
        if faults.taken(self._state, "error_500", found.route) is not None:
            return HTTPStatus.INTERNAL_SERVER_ERROR, _broken(), True
        try:
            with self._state.savepoint():
                if call.account != PLATFORM:
                    require(self._state, call.account)
                body = routes.API[found.route](call, *found.arguments)
        except ApiError as error:
            return error.status, error.body, error.executed
        if faults.taken(self._state, "error_500_after_success", found.route) is not None:
            return HTTPStatus.INTERNAL_SERVER_ERROR, _broken(), True
        return HTTPStatus.OK, body, True

    def _call(self, request: Request, request_id: str | None = None) -> Call:
        key = request.headers.get("idempotency-key")
        moment = Moment(self._state, self.settings, time.time(), request_id, key)
        account = request.headers.get("stripe-account", PLATFORM)
        return Call(moment, request.params, account, request.origin)


def _authenticate(request: Request) -> None:
    """Admit any test key and no live one (docs.stripe.com/keys)."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not key.startswith(("sk_test_", "rk_test_")):
        raise ApiError(
            "Invalid API Key provided. The simulation admits test keys alone.",
            status=HTTPStatus.UNAUTHORIZED,
        )


def _rate_limited() -> dict[str, Any]:
    return ApiError("Request rate limit exceeded.", code="rate_limit").body


def _broken() -> dict[str, Any]:
    return ApiError("An error occurred on our side (simulated).", kind="api_error").body

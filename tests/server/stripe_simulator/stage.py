"""A stage on which the real SDK meets the simulation: a webhook inbox, a gateway, the schemas."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import stripe
from jsonschema import Draft202012Validator

from ledger.gateway import CheckoutSession, PayeeAccount
from ledger.gateway_stripe import StripeGateway
from server.stripe_simulator import Settings, Simulator
from server.stripe_simulator.exchange import Exchange

PLATFORM_SECRET, CONNECT_SECRET, API_KEY = "whsec_platform", "whsec_connect", "sk_test_tribute"
SUBSET = Path(__file__).parent / "vendor" / "stripe-openapi-subset.json"
PATIENCE_S = 8.0


class Letter(NamedTuple):
    """One delivered webhook."""

    payload: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.payload)
        return read


class Inbox:
    """A webhook endpoint. ``refuse`` counts the deliveries still to be answered with 500."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuse = 0
        inbox = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                refused, inbox.refuse = inbox.refuse > 0, max(0, inbox.refuse - 1)
                if not refused:
                    inbox.letters.append(Letter(payload, self.headers["Stripe-Signature"]))
                self.send_response(500 if refused else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe?from=stripe"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of(self, kind: str) -> list[Letter]:
        return [letter for letter in list(self.letters) if letter.event["type"] == kind]

    def wait_for(self, kind: str, count: int = 1) -> list[Letter]:
        wait_until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class Stage:
    """A running simulation, with what a test needs at hand."""

    def __init__(self, state: Path, settings: Settings) -> None:
        self.inbox = Inbox()
        self.settings = replace(
            settings,
            webhook_url=self.inbox.url,
            platform_secret=PLATFORM_SECRET,
            connect_secret=CONNECT_SECRET,
        )
        self.state = state
        self.simulator = Simulator(state, self.settings).start()

    def restart(self) -> None:
        self.simulator.stop()
        self.simulator = Simulator(self.state, self.settings).start()

    def close(self) -> None:
        self.simulator.stop()
        self.inbox.close()

    def gateway(
        self, *, account_api: Literal["v1", "v2"] = "v2", timeout_s: float = 5.0
    ) -> StripeGateway:
        return StripeGateway(
            API_KEY,
            base_url=self.simulator.url,
            platform_webhook_secret=PLATFORM_SECRET,
            connect_webhook_secret=CONNECT_SECRET,
            account_api=account_api,
            timeout_s=timeout_s,
        )

    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient(API_KEY, base_addresses={"api": self.simulator.url})

    def fault(self, name: str, route: str = "*", *, times: int = 1, seconds: float = 0.0) -> None:
        knob = {"fault": name, "route": route, "times": times, "seconds": seconds}
        status, _ = self.request("POST", "/_simulator/faults", json.dumps(knob))
        assert status == 200

    def charge(self, account: str, amount_minor: int, currency: str = "eur") -> None:
        """Stripe takes money from a connected account, whatever it holds."""
        self._adjust(account, -amount_minor, currency)

    def give(self, account: str, amount_minor: int, currency: str = "eur") -> None:
        """Stripe gives a connected account money."""
        self._adjust(account, amount_minor, currency)

    def dispute(self, payment_id: str, amount_minor: int, currency: str = "eur") -> str:
        """The payer's bank takes some of a payment back; the dispute's id."""
        knob = {"payment_intent": payment_id, "amount": amount_minor, "currency": currency}
        status, body = self.request("POST", "/_simulator/disputes", json.dumps(knob))
        assert status == 200, body
        return str(json.loads(body)["id"])

    def verdict(self, dispute_id: str, outcome: str, amount_minor: int | None = None) -> None:
        """The bank decides a dispute; what is given again may differ from what was taken."""
        knob: dict[str, Any] = {"dispute": dispute_id, "outcome": outcome}
        if amount_minor is not None:
            knob["amount"] = amount_minor
        status, body = self.request("POST", "/_simulator/verdicts", json.dumps(knob))
        assert status == 200, body

    def _adjust(self, account: str, amount_minor: int, currency: str) -> None:
        knob = {"account": account, "amount": amount_minor, "currency": currency}
        status, _ = self.request("POST", "/_simulator/adjustments", json.dumps(knob))
        assert status == 200

    def request(
        self, method: str, path: str, body: str = "", *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """One plain request; the answer's status, and its Location or else its body."""
        connection = HTTPConnection(urlsplit(self.simulator.url).netloc, timeout=5)
        kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
        sent = {"Content-Type": kind, "Authorization": f"Bearer {API_KEY}", **(headers or {})}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        read = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location") or read

    def press(self, url: str) -> str:
        """Press the page's button; where the browser goes next."""
        return self.request("POST", urlsplit(url).path, urlencode({}))[1]

    def onboarded(self, gateway: StripeGateway, reference: str = "cre_ada") -> PayeeAccount:
        payee = gateway.create_payee(reference=reference, email="ada@example.org", country="DE")
        link = gateway.onboarding_link(
            payee.id, return_url="https://t.example/back", refresh_url="https://t.example/again"
        )
        self.press(link)
        return gateway.payee(payee.id)

    def paid(
        self, gateway: StripeGateway, amount_minor: int, key: str = "top_1"
    ) -> CheckoutSession:
        session = gateway.checkout(
            key=key,
            amount_minor=amount_minor,
            currency="EUR",
            reference=key,
            success_url="https://t.example/done?session={CHECKOUT_SESSION_ID}",
            cancel_url="https://t.example/no",
        )
        self.press(session.url)
        return session


@contextmanager
def staged(folder: Path, settings: Settings | None = None) -> Iterator[Stage]:
    """Play on a fresh stage, and check every exchange against Stripe's schemas at the end."""
    stage = Stage(
        folder / "stripe.sqlite3",
        settings or Settings(payout_delay_s=0.02, retry_base_s=0.02, fee_ppm=15_000),
    )
    try:
        yield stage
        check_shapes(list(stage.simulator.exchanges))
        check_events([letter.event for letter in stage.inbox.letters])
    finally:
        stage.close()


def check_shapes(exchanges: list[Exchange]) -> None:
    """Every v1 request and answer has the shape of Stripe's own description."""
    described = json.loads(SUBSET.read_text())["routes"]
    for exchange in exchanges:
        if "/v2/" in exchange.route:
            continue
        if exchange.status == 200:
            assert exchange.route in described
            asked = _typed(exchange.params, described[exchange.route]["request"])
            _expect_shape(exchange.route, "request", asked)
            _expect_shape(exchange.route, "response", exchange.body)
        else:
            _expect_shape("", "error", exchange.body)


def check_events(events: list[dict[str, Any]]) -> None:
    """Every snapshot event, and the object in it, has the shape of Stripe's own description."""
    for event in events:
        if event["object"] == "event":
            _expect_shape("", "event", event)
            _expect_shape("", event["data"]["object"]["object"], event["data"]["object"])


def _expect_shape(route: str, part: str, written: object) -> None:
    faults = [fault.message[:500] for fault in _validator(route, part).iter_errors(written)]
    assert faults == [], f"{part} of {route}"


@cache
def _validator(route: str, part: str) -> Draft202012Validator:
    subset = json.loads(SUBSET.read_text())
    wanted = subset["routes"][route][part] if route else {"$ref": f"#/schemas/{part}"}
    return Draft202012Validator({**wanted, "schemas": subset["schemas"]})


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Read a form's text as the numbers and booleans that the schema wants there."""
    options = [schema, *schema.get("anyOf", [])]
    if isinstance(value, dict):
        known: Any = next((one["properties"] for one in options if "properties" in one), {})
        return {name: _typed(each, known.get(name, {})) for name, each in value.items()}
    if isinstance(value, list):
        items: Any = next((one["items"] for one in options if "items" in one), {})
        return [_typed(each, items) for each in value]
    kinds = {one.get("type") for one in options}
    if "integer" in kinds:
        return int(value)
    return value in ("true", "True") if "boolean" in kinds else value

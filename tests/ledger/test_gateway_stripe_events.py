"""Which webhooks the Stripe gateway believes, and with which settings it opens."""

import json
import time
from collections.abc import Callable

import pytest

from ledger.gateway import InvalidPayload, InvalidSignature, NotConfigured
from ledger.gateway_stripe import StripeGateway
from server.stripe_simulator.deliveries import sign
from tests.server.stripe_simulator.stage import API_KEY, CONNECT_SECRET, PLATFORM_SECRET


def opened(key: str = API_KEY, **changes: str | None) -> StripeGateway:
    settings: dict[str, str | None] = {
        "base_url": None,
        "platform_webhook_secret": PLATFORM_SECRET,
        "connect_webhook_secret": CONNECT_SECRET,
        **changes,
    }
    return StripeGateway(key, **settings)  # type: ignore[arg-type]


@pytest.fixture
def gateway() -> StripeGateway:
    return opened()


EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "transfer.created",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "tr_1"}},
}


def signed(event: object, secret: str, *, age_s: float = 0) -> tuple[bytes, str]:
    return signed_bytes(json.dumps(event).encode(), secret, age_s=age_s)


def signed_bytes(payload: bytes, secret: str, *, age_s: float = 0) -> tuple[bytes, str]:
    return payload, sign(payload, secret, int(time.time() - age_s))


def test_parse_event_admits_a_signature_of_four_minutes(gateway: StripeGateway) -> None:
    assert gateway.parse_event(*signed(EVENT, PLATFORM_SECRET, age_s=240)).id == "evt_1"


@pytest.mark.parametrize(
    ("event", "secret", "age_s"),
    [
        (EVENT, "whsec_mallory", 0),
        (EVENT, "", 0),
        (EVENT, PLATFORM_SECRET, 301),
        (EVENT, CONNECT_SECRET, 0),
        ({**EVENT, "account": "acct_ada"}, PLATFORM_SECRET, 0),
    ],
    ids=["forged", "empty secret", "too old", "connect secret", "platform secret"],
)
def test_parse_event_refuses_signatures_that_prove_nothing(
    gateway: StripeGateway, event: dict[str, object], secret: str, age_s: float
) -> None:
    with pytest.raises(InvalidSignature):
        gateway.parse_event(*signed(event, secret, age_s=age_s))


def test_parse_event_refuses_a_tampered_body(gateway: StripeGateway) -> None:
    payload, signature = signed(EVENT, PLATFORM_SECRET)

    for tampered, header in [
        (payload.replace(b"tr_1", b"tr_2"), signature),
        (payload, ""),
        (payload, "nonsense"),
        (payload, signature.replace("v1=", "v0=")),
    ]:
        with pytest.raises(InvalidSignature):
            gateway.parse_event(tampered, header)


@pytest.mark.parametrize(
    "body",
    [
        {**EVENT, "livemode": True},
        {**EVENT, "object": "charge"},
        {"object": "event"},
        {**EVENT, "created": "noon"},
        {**EVENT, "created": 10**18},
        {**EVENT, "id": 5},
        {**EVENT, "id": "evt_\0"},
        {**EVENT, "id": "evt_é"},
        {**EVENT, "id": "e" * 201},
        {**EVENT, "type": ["transfer.created"]},
        {**EVENT, "type": "transfer." + "x" * 200},
        {**EVENT, "data": {"object": {"id": "tr_" + "x" * 300}}},
        {**EVENT, "data": {"object": [1]}},
        [EVENT],
        "event",
    ],
)
def test_parse_event_refuses_what_is_signed_but_no_event_of_ours(
    gateway: StripeGateway, body: object
) -> None:
    with pytest.raises(InvalidPayload):
        gateway.parse_event(*signed(body, PLATFORM_SECRET))


def test_parse_event_refuses_a_body_that_is_nested_beyond_measure(gateway: StripeGateway) -> None:
    payload, signature = signed_bytes(b"[" * 100_000 + b"]" * 100_000, PLATFORM_SECRET)
    with pytest.raises(InvalidPayload):
        gateway.parse_event(payload, signature)


def test_a_thin_event_about_no_object_is_an_event(gateway: StripeGateway) -> None:
    body = {
        "id": "evt_1",
        "object": "v2.core.event",
        "type": "v2.core.event_destination.ping",
        "created": "2026-06-01T12:00:00.000Z",
        "livemode": False,
        "related_object": None,
    }
    found = gateway.parse_event(*signed(body, PLATFORM_SECRET))
    assert (found.object_id, found.account_id) == ("", None)


def test_parse_event_refuses_a_body_that_is_not_text(gateway: StripeGateway) -> None:
    with pytest.raises(InvalidPayload):
        gateway.parse_event(b"\xff\xfe", "t=1,v1=00")


@pytest.mark.parametrize(
    "open_it",
    [
        lambda: opened(""),
        lambda: opened("pk_test_public"),
        lambda: opened(platform_webhook_secret=""),
        lambda: opened(connect_webhook_secret=" , "),
        lambda: opened("sk_live_x", base_url="http://127.0.0.1:1"),
    ],
    ids=["no key", "public key", "no platform secret", "blank secrets", "live key elsewhere"],
)
def test_gateway_without_proper_settings_does_not_open(
    open_it: Callable[[], StripeGateway],
) -> None:
    with pytest.raises(NotConfigured):
        open_it()


def test_gateway_admits_several_secrets_for_several_destinations() -> None:
    gateway = opened(platform_webhook_secret="whsec_old, whsec_new")

    assert gateway.parse_event(*signed(EVENT, "whsec_old")).id == "evt_1"
    assert gateway.parse_event(*signed(EVENT, "whsec_new")).id == "evt_1"


def test_live_gateway_refuses_test_events() -> None:
    gateway = opened("sk_live_x")

    with pytest.raises(InvalidPayload):
        gateway.parse_event(*signed(EVENT, PLATFORM_SECRET))

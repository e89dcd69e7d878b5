"""The signature: as the specification's own library reads it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from registry.webhooks import signing

KEYS = [bytes(range(32)), bytes(range(32, 64))]


def test_the_specifications_example_comes_out() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the library's own test vector.
    key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    webhook = Webhook(key)
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    body = '{"test": 2432232314}'

    found = signing.headers(
        [webhook._whsecret],
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=body.encode(),
    )

    expected = webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert found["webhook-signature"] == expected
    assert expected == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(min_size=1))
def test_either_of_two_secrets_verifies_and_no_other(text: str) -> None:
    body = json.dumps({"said": text}).encode()
    now = int(datetime.now(UTC).timestamp())
    headers = signing.headers(KEYS, message="msg_1", timestamp_s=now, body=body)

    for key in KEYS:
        assert Webhook(signing.secret_text(key)).verify(body, headers) == {"said": text}
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.secret_text(bytes(32))).verify(body, headers)

"""What happens by itself: webhooks are delivered, and appointments kept.

docs.stripe.com/webhooks: each delivery is signed (``t=…,v1=…``, HMAC-SHA256 over
"timestamp.body"), wants a 2xx, and is tried again for up to three days "with an
exponential back off". Queue and appointments lie in the state file, so that neither a
restart nor a kill loses one; an answered delivery that was not yet struck off is sent
again, as Stripe may.
"""

import hashlib
import hmac
import http.client
import logging
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from server.stripe_simulator import disputes, events, payouts
from server.stripe_simulator.moment import Moment
from server.stripe_simulator.settings import Settings
from server.stripe_simulator.state import State

logger = logging.getLogger(__name__)

GIVE_UP_S = 3 * 24 * 3600
LONGEST_PAUSE_S = 60.0
ANSWER_TIMEOUT_S = 5.0
IDLE_S = 0.5
BATCH = 50
MOST_DOUBLINGS = 10
DEEDS = {**payouts.DEEDS, **disputes.DEEDS, **events.DEEDS}


class Delivery(NamedTuple):
    """A webhook still to be delivered."""

    seq: int
    body: str
    secret: str
    attempts: int
    recorded: float


class Courier(threading.Thread):
    """The thread that keeps appointments and delivers webhooks, in order of their time."""

    def __init__(self, state: State, settings: Settings) -> None:
        super().__init__(name="stripe-simulator-courier", daemon=True)
        self._state = state
        self._settings = settings
        self._bell = threading.Event()
        self._ended = threading.Event()

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._bell.set()

    def stop(self) -> None:
        """End after the delivery under way; what is queued stays queued."""
        self._ended.set()
        self._bell.set()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        while not self._ended.is_set():
            self._bell.clear()
            self._keep_appointments()
            for delivery in self._due():
                if self._ended.is_set():
                    break
                self._deliver(delivery)
            self._bell.wait(self._pause())

    def _keep_appointments(self) -> None:
        now = time.time()
        with self._state.transaction():
            due = self._state.run(
                "SELECT seq, deed, subject FROM appointment WHERE due <= ? ORDER BY due, seq"
                " LIMIT ?",
                *(now, BATCH),
            ).fetchall()
            for seq, deed, subject in due:
                self._state.run("DELETE FROM appointment WHERE seq = ?", seq)
                DEEDS[deed](Moment(self._state, self._settings, now), subject)

    def _due(self) -> list[Delivery]:
        rows = self._state.run(
            "SELECT seq, body, secret, attempts, recorded FROM delivery WHERE due <= ?"
            " ORDER BY due, seq LIMIT ?",
            *(time.time(), BATCH),
        ).fetchall()
        return [Delivery(*row) for row in rows]

    def _deliver(self, delivery: Delivery) -> None:
        status = self._post(delivery)
        delivered = status is not None and http.client.OK <= status < http.client.MULTIPLE_CHOICES
        now = time.time()
        with self._state.transaction():
            if delivered:
                self._state.count("webhooks delivered")
            if delivered or now - delivery.recorded > GIVE_UP_S:
                self._state.run("DELETE FROM delivery WHERE seq = ?", delivery.seq)
                return
            self._state.count("webhooks refused")
            pause = self._settings.retry_base_s * 2 ** min(delivery.attempts, MOST_DOUBLINGS)
            self._state.run(
                "UPDATE delivery SET attempts = attempts + 1, due = ? WHERE seq = ?",
                *(now + min(pause, LONGEST_PAUSE_S), delivery.seq),
            )

    def _post(self, delivery: Delivery) -> int | None:
        """Send one webhook; its HTTP status, or None when nobody answered."""
        settings = self._settings
        secrets = {"platform": settings.platform_secret, "connect": settings.connect_secret}
        address = urlsplit(settings.webhook_url)
        payload = delivery.body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, secrets[delivery.secret], int(time.time())),
            "User-Agent": "Stripe/1.0 (simulation)",
        }
        connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_TIMEOUT_S)
        try:
            target = address.path + (f"?{address.query}" if address.query else "")
            connection.request("POST", target or "/", payload, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            logger.info("webhook to %s not answered: %s", settings.webhook_url, error)
            return None
        finally:
            connection.close()

    def _pause(self) -> float:
        (due,) = self._state.run(
            "SELECT min(due) FROM (SELECT due FROM delivery UNION ALL SELECT due FROM appointment)"
        ).fetchone()
        return IDLE_S if due is None else min(IDLE_S, max(0.0, due - time.time()))


def sign(payload: bytes, secret: str, timestamp: int) -> str:
    """The Stripe-Signature header (docs.stripe.com/webhooks#verify-manually)."""
    signed = f"{timestamp}.".encode() + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"

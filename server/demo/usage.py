"""Acts four and five: the operator pays in advance, reports what it generated, sees it settled."""

import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime

from attribution.models import Query
from ledger.models import Account
from ledger.money import Money
from ledger.vocabulary import AccountKind
from registry.models import Operator
from server.demo.narration import say
from tribute.features import reduce
from tribute.transport import Registry

TOPUP_MICROS = 50_000_000
CURRENCY = "EUR"
QUERIES_A_CALL = 60
PATIENCE_S = 120.0


class DemoStuck(Exception):
    """The demo waited for something that a worker should have done."""


def top_up(registry: Registry, operator: Operator) -> None:
    """Pay in advance through the simulated Stripe's own page, and wait for its webhook."""
    if prepaid(operator).micros > 0:
        return
    started = registry.top_up(TOPUP_MICROS, CURRENCY, key=f"demo-{operator.pk}")
    say(f"Checkout page: {started['url']}")
    press(started["url"])
    wait_until(lambda: prepaid(operator).micros > 0, "the top-up's webhook to be booked")
    say(f"Paid; the signed webhook credited {prepaid(operator)}.")


def prepaid(operator: Operator) -> Money:
    """Return what the operator has left."""
    account = (
        Account.objects.filter(kind=AccountKind.OPERATOR_PREPAID, operator=operator)
        .select_related("balance")
        .first()
    )
    return Money(account.balance.balance_micros if account else 0, CURRENCY)


def press(page_url: str) -> None:
    """Press the one button of a page of the simulator."""
    request = urllib.request.Request(page_url, data=b"", method="POST")  # noqa: S310 - the simulator's own address
    with urllib.request.build_opener(_Stay).open(request, timeout=20):
        pass


class _Stay(urllib.request.HTTPRedirectHandler):
    """Do not follow the page's way back."""

    def http_error_303(self, _request: object, page: object, *_: object) -> object:
        """Take the redirect for the answer."""
        return page


def report(
    registry: Registry, model_id: str, texts: Sequence[str], *, occurred_at: datetime
) -> None:
    """Report each generation; every second one is reduced to features before it leaves."""
    queries = []
    for number, text in enumerate(texts, 1):
        body = {"output": text} if number % 2 else {"features": reduce(text).to_json()}
        queries.append(
            {
                "external_id": f"generation-{number:04}",
                "model": model_id,
                "occurred_at": occurred_at.isoformat(),
                **body,
            }
        )
    for start in range(0, len(queries), QUERIES_A_CALL):
        registry.report_queries(queries[start : start + QUERIES_A_CALL])
    say(f"{len(queries)} paid generations reported, half of them as features only.")


def wait_for_settlement(operator: Operator, *, start: float) -> None:
    """Wait until the worker has settled or refused every query."""
    waiting = Query.objects.of(operator).waiting()
    wait_until(lambda: not waiting.exists(), "the worker to settle the queries")
    states = Query.objects.of(operator)
    settled = states.filter(state=Query.State.SETTLED).count()
    say(
        f"The worker settled {settled} of {states.count()} queries in"
        f" {time.monotonic() - start:.1f} s; their evidence is deleted."
    )


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Look again and again until it is done. Raises DemoStuck after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise DemoStuck(f"waited {PATIENCE_S:.0f} s for {what}; see .tribute/log")
        time.sleep(0.1)

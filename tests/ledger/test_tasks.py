"""Doorbells: each is on the timetable, and rings through to its one deed."""

from typing import Any

import pytest

from ledger import gateway_choice, payouts, tasks
from ledger.gateway_paper import PaperGateway
from ledger.models import Payout, TopUp
from registry.models import Creator, Operator
from server.celery import app
from tests.factories import NOON
from tests.ledger.cast import admin, earn, payable, tamper, top_up

BELLS = {
    tasks.send_due_payouts,
    tasks.resolve_unknown,
    tasks.process_provider_events,
    tasks.mature,
    tasks.expire_holds,
    tasks.fetch_missed_events,
    tasks.reconcile,
    tasks.publish_head,
    tasks.audit,
}


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> PaperGateway:
    gateway = PaperGateway(clock=lambda: NOON)
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


def test_every_bell_on_the_timetable_is_ours() -> None:
    timetable = {name for name in app.conf.beat_schedule if name.startswith("ledger.")}
    assert timetable <= {bell.name for bell in BELLS}


def test_the_bells_take_money_from_the_operator_to_the_creator(
    paper: PaperGateway, acme: Operator, ada: Creator, settings: Any
) -> None:
    settings.HOLDING_DAYS = 0
    top_up(acme, 50, gateway=paper)
    earn(ada, acme, 3_000_000)
    assert tasks.mature() == 1
    payable(ada, paper)
    batch = payouts.prepare(admin("mia"), currency="EUR", at=NOON)
    payouts.submit(batch, admin("noah"), at=NOON)
    payouts.approve(batch, admin("olga"), at=NOON)
    assert tasks.send_due_payouts() == 1
    assert tasks.send_due_payouts() == 0
    assert tasks.resolve_unknown() == 0
    assert tasks.reconcile() == 0
    assert tasks.publish_head() == 1
    assert tasks.publish_head() == 0
    assert tasks.process_provider_events() == 0
    assert tasks.fetch_missed_events() == 0
    assert Payout.objects.get().status == "transferred"
    assert tasks.audit() == 0
    tamper("ledger_topup", "UPDATE ledger_topup SET settled_micros = 1")
    assert TopUp.objects.get().settled_micros == 1
    assert tasks.audit() == 1


def test_the_embedded_service_pays_on_paper() -> None:
    gateway_choice._paper.cache_clear()
    assert gateway_choice.configured().name == "paper"
    assert gateway_choice.configured() is gateway_choice.configured()

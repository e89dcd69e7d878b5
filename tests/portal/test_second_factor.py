"""Approving takes a person who has just shown a second factor; nothing less opens the door."""

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from ledger.models import AdminAction, PayoutBatch
from registry.models import User
from server.demo import one_time_codes
from tests.factories import PASSWORD
from tests.portal.conftest import World, confirmed, enrol, signed_in


@pytest.fixture
def page(world: World, money_is_ready: None) -> str:
    """The address of a batch that Pia submitted."""
    pia = signed_in("pia")
    pia.post("/payout-batches/prepare", {"currency": "EUR"})
    address = f"/payout-batches/{PayoutBatch.objects.get().pk}/"
    pia.post(f"{address}submit")
    return address


def status() -> str:
    return PayoutBatch.objects.get().status


def test_codes_are_those_of_the_standard() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B
    for at, code in ((59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")):
        assert one_time_codes.code(secret, at=at) == code


def test_without_a_factor_an_admin_is_sent_to_set_one_up(page: str) -> None:
    quinn = signed_in("quinn")

    answer = quinn.post(f"{page}approve", follow=True)

    assert answer.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "you have none" in answer.content.decode()
    assert "cannot approve" in quinn.get(page).content.decode()
    assert status() == "submitted"


def test_a_password_asked_for_again_is_not_enough(page: str) -> None:
    enrol("quinn")
    quinn = signed_in("quinn")
    quinn.post("/accounts/reauthenticate/", {"password": PASSWORD})

    answer = quinn.post(f"{page}approve")

    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/?next=")
    assert status() == "submitted"


def test_a_recovery_code_is_not_enough(page: str) -> None:
    enrol("quinn")
    codes = RecoveryCodes.activate(User.objects.get(email="quinn@example.org"))
    quinn = signed_in("quinn")
    shown = quinn.post("/accounts/2fa/reauthenticate/", {"code": codes.get_unused_codes()[0]})
    assert shown.status_code == 302

    assert quinn.post(f"{page}approve")["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert status() == "submitted"


def test_a_fresh_code_approves_once_and_the_journal_says_so(page: str) -> None:
    quinn = confirmed("quinn")
    assert "You confirmed that it is you" in quinn.get(page).content.decode()

    quinn.post(f"{page}approve")

    assert status() == "approved"
    action = AdminAction.objects.get(deed="approved")
    assert (action.by.name, action.facts["factor"], action.facts["lines"]) == ("Quinn", "totp", 2)
    assert len(action.facts["digest"]) == 64


def test_a_factor_counts_for_five_minutes(page: str) -> None:
    quinn = confirmed("quinn")
    _earlier(quinn, timedelta(seconds=301))

    assert quinn.post(f"{page}approve").status_code == 302
    assert status() == "submitted"

    _earlier(quinn, timedelta(seconds=20))
    quinn.post(f"{page}approve")
    assert status() == "approved"


def test_a_factor_that_was_taken_off_since_counts_no_more(page: str) -> None:
    quinn = confirmed("quinn")
    Authenticator.objects.all().delete()

    quinn.post(f"{page}approve")

    assert status() == "submitted"


def test_the_maker_does_not_approve_with_any_factor(page: str) -> None:
    pia = confirmed("pia")

    answer = pia.post(f"{page}approve", follow=True)

    assert "somebody else has to approve it" in answer.content.decode()
    assert status() == "submitted"


def _earlier(client: Client, ago: timedelta) -> None:
    """Move what this session knows of factors into the past."""
    session: Any = client.session
    records = session["account_authentication_methods"]
    for record in records:
        record["at"] = time.time() - ago.total_seconds()
    session["account_authentication_methods"] = records
    session.save()

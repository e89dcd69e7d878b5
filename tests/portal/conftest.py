"""The portal's small world: Ada and Ben earned by Acme's model; Pia and Quinn pay; Mallory pries."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from attribution import worker
from attribution.models import GenerativeModel, Query
from ledger import gateway_choice, maturity, payees
from registry import collections, signers
from registry.models import Collection, Creator, Operator, Signer, User, Work
from server.demo import one_time_codes
from tests.attribution.world import CHARIOT, GENERATED, TYGER, ask, fund, make_model
from tests.factories import (
    NOON,
    PASSWORD,
    allow,
    make_creator,
    make_key,
    make_operator,
    make_user,
    make_work,
)
from tribute.vocabulary import IdentifierKind

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FAR = NOON + timedelta(days=365_000)


@dataclass(frozen=True)
class World:
    """Everybody and everything, by name."""

    ada: Creator
    ben: Creator
    acme: Operator
    chariot: Work
    tyger: Work
    site: Collection
    model: GenerativeModel
    query: Query

    @property
    def signer(self) -> Signer:
        """Ada's certificate, which waits for its first signed file."""
        return Signer.objects.get(creator=self.ada)


@pytest.fixture(autouse=True)
def _collected_nowhere(settings: Any, tmp_path: Path) -> None:
    """Give WhiteNoise an empty folder of collected files; it finds the apps' own."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def world(db: None) -> World:
    ada = make_creator("ada", user=make_user("ada@example.org", name="Ada"))
    ben = make_creator("ben", user=make_user("ben@example.org", name="Ben"))
    acme = make_operator("acme", user=make_user("olga@example.org", name="Olga"))
    make_user("pia@example.org", name="Pia", is_payout_admin=True)
    make_user("quinn@example.org", name="Quinn", is_payout_admin=True)
    mallory = make_user("mallory@example.org", name="Mallory")
    make_creator("mallory", user=mallory)
    make_operator("borealis", user=mallory)
    shares = {ada.pk: 700_000, ben.pk: 300_000}
    chariot = make_work(ada, title="The Chariot", text=CHARIOT, shares=shares)
    tyger = make_work(ben, title="The Tyger", text=TYGER)
    allow(chariot)
    allow(tyger)
    model = make_model(acme, [chariot, tyger], fee_micros=30_000_000)
    fund(acme, 100_000_000)
    make_key(acme, name="crawler")
    query = ask(model)
    worker.settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    site = collections.claim(ada, kind=IdentifierKind.HOST, value="ada.example", at=NOON)
    signers.begin(ada, at=NOON)
    return World(ada, ben, acme, chariot, tyger, site, model, query)


@pytest.fixture
def money_is_ready(world: World) -> None:
    """What was earned has matured, and Ada and Ben can be paid."""
    maturity.mature(at=FAR, holding=timedelta(days=30))
    gateway = gateway_choice.configured()
    for creator in (world.ada, world.ben):
        payees.onboard(
            creator,
            email=f"{creator.handle}@example.org",
            country="SE",
            gateway=gateway,
            return_url="http://testserver/",
            refresh_url="http://testserver/",
            at=NOON,
        )
        payee = payees.of(creator)
        assert payee is not None
        gateway.finish_onboarding(payee.account)  # type: ignore[attr-defined]
        payees.refresh(payee, gateway=gateway, at=NOON)


def signed_in(name: str) -> Client:
    """A browser in which a person is signed in, without the log-in page."""
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.org"))
    return client


def enrol(name: str) -> str:
    """Give a person an authenticator app; returns its secret."""
    secret = one_time_codes.new_secret()
    TOTP.activate(User.objects.get(email=f"{name}@example.org"), secret)
    return secret


def confirmed(name: str) -> Client:
    """A browser in which a person is signed in and has just shown a second factor."""
    secret = enrol(name)
    client = signed_in(name)
    code = one_time_codes.code(secret, at=time.time())
    answer = client.post("/accounts/2fa/reauthenticate/", {"code": code})
    assert answer.status_code == 302, answer.content.decode()
    return client


@pytest.fixture
def page(
    committed_db: None,
    live_server: LiveServer,
    browser: "Browser",
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator["Page"]:
    """A fresh visitor; the test ends with not one complaint in the browser's console."""
    # Playwright keeps an event loop in this thread; the test's own queries are not asynchronous.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def sign_in(page: "Page", email: str) -> None:
    # Playwright takes 0.6 s to import, and most tests of pages need no browser.
    from playwright.sync_api import expect

    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Account")).to_be_visible()

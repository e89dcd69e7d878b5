"""An admin signs in as a person does, with password and one-time code, and approves in the portal.

There is no other way in: the API has no call to approve.
"""

import time
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings

from ledger.models import PayoutBatch
from registry.models import User
from server.demo import one_time_codes
from server.demo.keyring import Keyring
from server.demo.usage import DemoStuck

TIMEOUT_S = 30


def enrol(admin: User, keyring: Keyring) -> None:
    """Give an admin an authenticator app, whose secret the keyring keeps; once."""
    handle = admin.email.partition("@")[0]
    if handle in keyring.factors and Authenticator.objects.filter(user=admin).exists():
        return
    Authenticator.objects.filter(user=admin).delete()
    keyring.factors[handle] = one_time_codes.new_secret()
    TOTP.activate(admin, keyring.factors[handle])
    keyring.save()


def approve(batch: PayoutBatch, admin: User, keyring: Keyring) -> None:
    """Sign in over HTTP and press the button. Raises DemoStuck when the batch is not approved."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    secret = keyring.factors[admin.email.partition("@")[0]]
    _open(browser, "/accounts/login/")
    _send(browser, cookies, "/accounts/login/", login=admin.email, password=keyring.password)
    code = one_time_codes.code(secret, at=time.time())
    _send(browser, cookies, "/accounts/2fa/authenticate/", code=code)
    _send(browser, cookies, f"/payout-batches/{batch.pk}/approve")
    batch.refresh_from_db()
    if batch.approved_by_id != admin.pk:
        raise DemoStuck(f"{batch.pk} was not approved by {admin.name}")


def _open(browser: OpenerDirector, path: str) -> None:
    browser.open(f"{settings.PUBLIC_URL}{path}", timeout=TIMEOUT_S).close()


def _send(browser: OpenerDirector, cookies: CookieJar, path: str, **fields: str) -> None:
    """Send a form as a browser does, with the token against forged ones."""
    token = next(cookie.value or "" for cookie in cookies if cookie.name == "csrftoken")
    url = f"{settings.PUBLIC_URL}{path}"
    data = urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
    browser.open(Request(url, data, headers={"Referer": url}), timeout=TIMEOUT_S).close()  # noqa: S310 - the demo's own address

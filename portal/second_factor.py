"""Ask for a second factor where money is decided about, to know that a person is here now.

Only an authenticator app, a passkey or a security key counts. A password or a recovery code does
not, and neither does a factor that was taken off the account since.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import person
from portal.wording import Words
from registry.models import User

KINDS: dict[str, Words] = {
    Authenticator.Type.TOTP.value: gettext_lazy("authenticator app"),
    Authenticator.Type.WEBAUTHN.value: gettext_lazy("passkey or security key"),
}
_PAGES = {
    Authenticator.Type.TOTP.value: "mfa_reauthenticate",
    Authenticator.Type.WEBAUTHN.value: "mfa_reauthenticate_webauthn",
}


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor that was shown in this session: which kind, and until when it counts."""

    kind: str
    until: datetime

    @property
    def words(self) -> Words:
        """The kind, for people."""
        return KINDS[self.kind]


def enrolled(user: User) -> list[str]:
    """Return the kinds of second factor that a person has set up."""
    rows = Authenticator.objects.filter(user=user, type__in=KINDS)
    return sorted(set(rows.values_list("type", flat=True)))


def fresh(request: HttpRequest) -> Factor | None:
    """Return the last factor shown in this session, while it counts."""
    user = person(request)
    shown = [
        record
        for record in get_authentication_records(request, user)
        if record.get("method") == "mfa" and record.get("type") in KINDS
    ]
    if not shown:
        return None
    last = shown[-1]
    at = datetime.fromtimestamp(float(last["at"]), UTC)
    until = at + timedelta(seconds=settings.SECOND_FACTOR_SECONDS)
    if not at <= timezone.now() < until:
        return None
    still_there = Authenticator.objects.filter(user=user, pk=last.get("id"), type=last["type"])
    return Factor(last["type"], until) if still_there.exists() else None


def ask(request: HttpRequest, *, back: str) -> HttpResponse:
    """Send a person to show a factor, or to set one up first, and then ``back``."""
    kinds = enrolled(person(request))
    if not kinds:
        messages.warning(
            request,
            _("Nothing was done: this takes a second factor, and you have none. Set one up here."),
        )
        return redirect(address(kinds, back=back))
    return redirect(address(kinds, back=back))


def address(kinds: list[str], *, back: str) -> str:
    """Return where a person with these kinds of factor shows one, or sets the first up."""
    if not kinds:
        return reverse("mfa_index")
    return f"{reverse(_PAGES[kinds[0]])}?{urlencode({'next': back})}"

"""Know that a person is here now, before what is theirs goes away, or out.

Whoever has a second factor shows it. Others sign in again with what they have: to have no passkey
must keep nobody from taking their data along, or from leaving.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from portal import second_factor
from portal.access import person


def shown(request: HttpRequest) -> bool:
    """Say whether the person showed just now who they are."""
    if second_factor.enrolled(person(request)):
        return second_factor.fresh(request) is not None
    records = get_authentication_records(request, person(request))
    if not records:
        return False
    at = datetime.fromtimestamp(float(records[-1]["at"]), UTC)
    return at <= timezone.now() < at + timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def address(request: HttpRequest, *, back: str) -> str:
    """Return where the person shows it, and then goes ``back``."""
    if kinds := second_factor.enrolled(person(request)):
        return second_factor.address(kinds, back=back)
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"

"""How people get in: the libraries' rows of sessions, addresses, passkeys and other factors."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from registry.models import User

SESSIONS_AT_ONCE = 1_000


def remove(user: User) -> None:
    """End every session of a person, and forget every way in; said again, nothing changes.

    Sessions are looked through one by one as well: one that was never used since it began is in no
    list of a person's.
    """
    UserSession.objects.filter(user=user).delete()
    Session.objects.filter(pk__in=list(_sessions_of(user))).delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()


def describe(user: User) -> dict[str, Any]:
    """Return what is known of how a person logs in, without secrets."""
    return {
        "addresses": [
            {"email": each.email, "verified": each.verified, "primary": each.primary}
            for each in EmailAddress.objects.filter(user=user).order_by("pk")
        ],
        "factors": [
            {
                "type": each.type,
                "made_at": _said(each.created_at),
                "used_at": _said(each.last_used_at),
            }
            for each in Authenticator.objects.filter(user=user).order_by("pk")
        ],
        "sessions": [
            {
                "began_at": _said(each.created_at),
                "last_seen_at": _said(each.last_seen_at),
                "address": each.ip,
                "browser": each.user_agent,
            }
            for each in UserSession.objects.filter(user=user).order_by("pk")
        ],
    }


def _said(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _sessions_of(user: User) -> Iterator[str]:
    last = ""
    while rows := list(Session.objects.filter(pk__gt=last).order_by("pk")[:SESSIONS_AT_ONCE]):
        for session in rows:
            if session.get_decoded().get(SESSION_KEY) == user.pk:
                yield session.pk
        last = rows[-1].pk

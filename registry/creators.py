"""Creators: join, have an identity verified, stand behind a commitment in the public log."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from registry import decision_index
from registry.errors import Erased, HandleTaken, InvalidHandle
from registry.models import Creator, User

HANDLE = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])")
ERASED = "erased-"


def join(user: User, *, handle: str, display_name: str, at: datetime) -> Creator:
    """Make ``user`` the first member of a new creator. Raises InvalidHandle, HandleTaken."""
    require_handle(handle)
    try:
        with transaction.atomic():
            creator = Creator.objects.create(
                handle=handle,
                display_name=display_name,
                commitment_key=secrets.token_bytes(32),
                created_at=at,
            )
            creator.members.add(user)
    except IntegrityError as error:
        raise HandleTaken(f"another creator is called {handle!r}") from error
    return creator


def require_handle(handle: str) -> None:
    """Raise InvalidHandle unless ``handle`` may name a creator or an operator."""
    if handle.startswith(ERASED):
        raise InvalidHandle(f"names that begin with {ERASED} are those of creators who left")
    if not HANDLE.fullmatch(handle):
        raise InvalidHandle(f"{handle!r} is not 2 to 40 lower-case letters, digits and hyphens")


@transaction.atomic
def verify_identity(creator: Creator, *, at: datetime) -> None:
    """Record that the creator is who they say; what they allow counts from ``at`` on.

    Saying so again changes nothing. Works being registered meanwhile wait or are waited for:
    otherwise they would be indexed as unproven.
    """
    decision_index.lock_creator(creator.pk)
    locked = Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    if locked.identity_verified_at is None:
        locked.identity_verified_at = at
        locked.save(update_fields=["identity_verified_at"])
        decision_index.refresh(decision_index.keys_of_creator(creator.pk), at=at)
    creator.identity_verified_at = locked.identity_verified_at


def commitment(creator: Creator) -> str:
    """Return what stands for the creator in the log: HMAC-SHA256 under a key that can be deleted.

    Raises Erased once it was.
    """
    if creator.commitment_key is None:
        raise Erased(f"creator {creator.pk} was erased")
    return hmac.digest(bytes(creator.commitment_key), creator.pk.encode(), "sha256").hex()


def thumbprint(creator: Creator) -> str:
    """Return what binds a proof of control to this account, after RFC 8555, section 8.1.

    43 characters of base64url: SHA-256 of the creator's id, so that the answer to one account's
    challenge proves nothing for another's.
    """
    digest = hashlib.sha256(f"tribute-account:{creator.pk}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

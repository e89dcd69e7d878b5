"""Operators, and the API keys with which programs act for operators, creators and users.

A key reads ``trb_live_<8>_<32><6>``: a public id, a random part, and a CRC-32 of all before it in
base 62, by which scanners for leaked secrets tell a key from noise. Only the SHA-256 of the whole
is stored: 190 random bits need no slow hash.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from registry import prepared
from registry.creators import require_handle
from registry.errors import HandleTaken, InvalidExpiry, InvalidKey, TooManyKeys, UnknownScope
from registry.models import ApiKey, Creator, Operator, User
from tribute import ids

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH, RANDOM_LENGTH, CHECKSUM_LENGTH = 8, 32, 6
KEY = re.compile(r"trb_live_([0-9A-Za-z]{8})_[0-9A-Za-z]{32}[0-9A-Za-z]{6}")
LIVE_KEYS_PER_NAME = 2
USE_RECORDED_EVERY = timedelta(minutes=1)
ROTATION_GRACE = timedelta(days=7)

READ_API_KEY = (Path(__file__).parent / "sql" / "read_api_key.sql").read_text()
_KEY_FIELDS = [field.attname for field in ApiKey._meta.concrete_fields]  # noqa: SLF001 - Django documents it
_OPERATOR_FIELDS = [field.attname for field in Operator._meta.concrete_fields]  # noqa: SLF001

Owner = Operator | Creator | User
OPERATOR_SCOPES = frozenset(
    {
        "checks:write",
        "grants:write",
        "models:write",
        "queries:write",
        "balance:read",
        "topups:write",
        "webhooks:write",
    }
)
CREATOR_SCOPES = frozenset(
    {
        "works:read",
        "works:write",
        "statements:write",
        "earnings:read",
        "exports:write",
        "webhooks:write",
    }
)
USER_SCOPES = frozenset(
    {"payouts:prepare", "payouts:approve", "disputes:decide", "attribution:review"}
)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret, which is shown once and never stored."""

    key: ApiKey
    secret: str


def found(user: User, *, handle: str, name: str, at: datetime) -> Operator:
    """Make ``user`` the first member of a new operator. Raises InvalidHandle, HandleTaken."""
    require_handle(handle)
    try:
        with transaction.atomic():
            operator = Operator.objects.create(handle=handle, name=name, created_at=at)
            operator.members.add(user)
    except IntegrityError as error:
        raise HandleTaken(f"another operator is called {handle!r}") from error
    return operator


@transaction.atomic
def issue_key(
    owner: Owner,
    *,
    scopes: Iterable[str],
    name: str,
    at: datetime,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key that may do what ``scopes`` say, for one owner.

    Two keys of one name may live at a time: issue the second, deploy it, revoke the first.
    Raises UnknownScope, InvalidExpiry, TooManyKeys.
    """
    wanted = sorted(set(scopes))
    if not wanted or not scopes_of(owner).issuperset(wanted):
        raise UnknownScope(f"a key of this owner carries some of {sorted(scopes_of(owner))}")
    if expires_at is not None and expires_at <= at:
        raise InvalidExpiry("the key would expire before it is issued")
    # Two requests at once must not both count one live key.
    type(owner)._default_manager.select_for_update(no_key=True).get(pk=owner.pk)  # noqa: SLF001 - Django's documented name
    live = keys_of(owner).filter(_live(at), name=name).count()
    if live >= LIVE_KEYS_PER_NAME:
        raise TooManyKeys(f"two live keys are called {name!r}; revoke one first")
    prefix_id = _random(ID_LENGTH)
    secret = _with_checksum(f"trb_live_{prefix_id}_{_random(RANDOM_LENGTH)}")
    key = ApiKey.objects.create(
        **{_owner_field(owner): owner},
        prefix_id=prefix_id,
        digest=_digest(secret),
        scopes=wanted,
        name=name,
        created_at=at,
        expires_at=expires_at,
    )
    return IssuedKey(key, secret)


def rotate(key: ApiKey, *, at: datetime) -> IssuedKey:
    """Issue the successor of ``key``, which lives on for ROTATION_GRACE at most.

    Raises TooManyKeys while an earlier rotation's old key still lives.
    """
    with transaction.atomic():
        issued = issue_key(key.owner, scopes=key.scopes, name=key.name, at=at)
        last = at + ROTATION_GRACE
        ApiKey.objects.filter(pk=key.pk).exclude(expires_at__lt=last).update(expires_at=last)
    return issued


def revoke_key(key: ApiKey, *, at: datetime) -> None:
    """End a key at once. Revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    key.refresh_from_db(fields=["revoked_at"])


def authenticate(secret: str, *, at: datetime) -> ApiKey:
    """Return the live key with this secret; an operator, as its owner, is loaded.

    Raises InvalidKey for one that is malformed, unknown, revoked, expired, or whose user was
    deactivated; the message does not tell which. The use is recorded at most once a minute.
    """
    match = KEY.fullmatch(secret)
    if match is None or _with_checksum(secret[:-CHECKSUM_LENGTH]) != secret:
        raise InvalidKey("the API key is not valid")
    key = _read(match[1])
    digest = bytes(key.digest) if key else bytes(32)
    if not hmac.compare_digest(_digest(secret), digest) or key is None or not _may_act(key, at):
        raise InvalidKey("the API key is not valid")
    _record_use(key, at)
    return key


def _read(prefix: str) -> ApiKey | None:
    """Return the key with a public id, in one prepared statement: every request begins with it."""
    for row in prepared.ask_first(READ_API_KEY, prefix=prefix):
        key_id, operator_id, creator_id, user_id, *rest, handle, name, created_at = row
        owners = (
            operator_id and ids.encode("opr", operator_id),
            creator_id and ids.encode("cre", creator_id),
            user_id and ids.encode("usr", user_id),
        )
        key = ApiKey.from_db(None, _KEY_FIELDS, [ids.encode("key", key_id), *owners, *rest])
        if operator_id:
            about = [owners[0], handle, name, created_at]
            key.operator = Operator.from_db(None, _OPERATOR_FIELDS, about)
        return key
    return None


def keys_of(owner: Owner) -> QuerySet[ApiKey]:
    """Return every key of one owner, live or not."""
    return ApiKey.objects.filter(**{_owner_field(owner): owner})


def scopes_of(owner: Owner) -> frozenset[str]:
    """Return what a key of this kind of owner can be allowed to do."""
    if isinstance(owner, Operator):
        return OPERATOR_SCOPES
    return CREATOR_SCOPES if isinstance(owner, Creator) else USER_SCOPES


def _owner_field(owner: Owner) -> str:
    if isinstance(owner, Operator):
        return "operator"
    return "creator" if isinstance(owner, Creator) else "user"


def _live(at: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))


def _may_act(key: ApiKey, at: datetime) -> bool:
    erased = key.creator is not None and key.creator.erased_at is not None
    inactive = key.user is not None and not key.user.is_active
    return key.is_live(at) and not erased and not inactive


def _record_use(key: ApiKey, at: datetime) -> None:
    stale = at - USE_RECORDED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        unrecorded = Q(last_used_at=None) | Q(last_used_at__lt=stale)
        ApiKey.objects.filter(unrecorded, pk=key.pk).update(last_used_at=at)
        key.last_used_at = at


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _with_checksum(text: str) -> str:
    value, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return text + digits

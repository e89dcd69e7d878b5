"""Who sends a request: the owner of the API key in its Authorization header."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from registry import operators
from registry.errors import InvalidKey
from registry.models import ApiKey, User

SCHEME = "Bearer"


class BearerKey(BaseAuthentication):
    """``Authorization: Bearer trb_live_…``; ``request.auth`` is then the key, its owner loaded."""

    def authenticate(self, request: Request) -> tuple[User | ApiKey, ApiKey] | None:
        """Return who acts and with which key; None when the request carries no bearer token."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        try:
            key = operators.authenticate(secret.strip(), at=timezone.now())
        except InvalidKey as error:
            raise AuthenticationFailed(str(error)) from error
        return key.user or key, key

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a missing key is answered 401."""
        del request
        return f'{SCHEME} realm="tribute"'

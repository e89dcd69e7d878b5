"""What an API key may do: exactly what its scopes say."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.models import ApiKey


def HasScope(scope: str) -> type[BasePermission]:  # noqa: N802 - it stands where a class does
    """Return the permission class that asks for ``scope``: ``[HasScope("works:write")]``.

    Scopes belong to kinds of owners, so the scope settles whose key it is: see
    ``registry.operators``.
    """

    class HasThisScope(BasePermission):
        """The key must carry the scope."""

        message = f"This key lacks the scope {scope}."

        def has_permission(self, request: Request, view: APIView) -> bool:
            del view
            return isinstance(request.auth, ApiKey) and scope in request.auth.scopes

    return HasThisScope


def HasScopeTo(read: str, write: str) -> type[BasePermission]:  # noqa: N802 - as above
    """Return the permission class that asks for ``read`` on GET and for ``write`` otherwise."""

    class HasEitherScope(BasePermission):
        """The key must carry the scope that the method asks for."""

        message = f"This key lacks the scope {read} (to read) or {write} (to write)."

        def has_permission(self, request: Request, view: APIView) -> bool:
            del view
            wanted = read if request.method in {"GET", "HEAD", "OPTIONS"} else write
            return isinstance(request.auth, ApiKey) and wanted in request.auth.scopes

    return HasEitherScope

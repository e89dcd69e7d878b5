"""Whose request it is, and which of their things it names."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from registry.consent import Subject
from registry.errors import NotFound
from registry.ids import find
from registry.models import ApiKey, Collection, Creator, Operator, User, Work


def creator_of(request: Request) -> Creator:
    """Return the creator whose key this is."""
    owner = _owner(request)
    if not isinstance(owner, Creator):
        raise PermissionDenied("This is for creators' keys.")
    return owner


def operator_of(request: Request) -> Operator:
    """Return the operator whose key this is."""
    owner = _owner(request)
    if not isinstance(owner, Operator):
        raise PermissionDenied("This is for operators' keys.")
    return owner


def user_of(request: Request) -> User:
    """Return the person whose key this is."""
    owner = _owner(request)
    if not isinstance(owner, User):
        raise PermissionDenied("This is for persons' keys.")
    return owner


def subject_of(creator: Creator, public_id: str) -> Subject:
    """Return the work, collection or creator that an id names, if it is the caller's.

    Raises NotFound for what is not, and for what does not exist.
    """
    match public_id.partition("_")[0]:
        case "wrk":
            return find(Work.objects.filter(shares__creator=creator), public_id)
        case "col":
            return find(Collection.objects.filter(creator=creator), public_id)
        case "cre":
            return find(Creator.objects.filter(pk=creator.pk), public_id)
    raise NotFound(f"there is no subject {public_id!r} here")


def _owner(request: Request) -> object:
    return request.auth.owner if isinstance(request.auth, ApiKey) else None

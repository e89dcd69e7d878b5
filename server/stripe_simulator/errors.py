"""Refusals in Stripe's error shape (docs.stripe.com/api/errors, docs.stripe.com/error-codes)."""

from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """A request the simulation answers with an error.

    executed: whether the endpoint had begun, so that the answer is kept under the
    idempotency key (docs.stripe.com/api/idempotent_requests: "We save results only after
    the execution of an endpoint begins").
    """

    def __init__(  # noqa: PLR0913 - the fields of Stripe's error object
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = int(status)
        self.executed = executed
        fields = {"type": kind, "code": code, "message": message, "param": param}
        self.body: dict[str, Any] = {"error": {k: v for k, v in fields.items() if v is not None}}


def no_such(kind: str, object_id: str, *, param: str = "id") -> ApiError:
    """The object asked for does not exist."""
    return ApiError(
        f"No such {kind}: '{object_id}'",
        status=HTTPStatus.NOT_FOUND,
        code="resource_missing",
        param=param,
    )


def no_such_account(account_id: str) -> ApiError:
    """The account asked for by v1 does not exist, or is not the platform's."""
    return ApiError(
        f"The provided key does not have access to account '{account_id}' "
        "(or that account does not exist). Application access may have been revoked.",
        status=HTTPStatus.FORBIDDEN,
        code="account_invalid",
    )


def unknown_route(method: str, path: str) -> ApiError:
    """The address is none the simulation knows."""
    return ApiError(
        f"Unrecognized request URL ({method}: {path}). "
        "This is a simulation that covers a part of Stripe's API.",
        status=HTTPStatus.NOT_FOUND,
    )

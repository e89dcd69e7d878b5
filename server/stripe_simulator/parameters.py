"""Read a request's parameters as the endpoints need them, refusing what Stripe refuses.

Error codes: docs.stripe.com/error-codes (parameter_unknown, parameter_missing,
parameter_invalid_integer).
"""

from collections.abc import Collection, Mapping
from typing import Any

from server.stripe_simulator.errors import ApiError

Parameters = Mapping[str, Any]

MAXIMUM_PAGE, DEFAULT_PAGE = 100, 10
"""docs.stripe.com/api/pagination: "limit can range between 1 and 100, default is 10"."""


def allow(params: Parameters, known: Collection[str]) -> None:
    """Refuse parameters the endpoint does not know; ``expand`` is known everywhere."""
    for name in params:
        if name not in known and name != "expand":
            raise ApiError(
                f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )


def text(params: Parameters, name: str, default: str | None = None) -> str:
    """A string; missing without a default is refused."""
    value = params.get(name, default)
    if value is None or value == "":
        if default is not None:
            return default
        raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if not isinstance(value, str):
        raise ApiError(f"Invalid string: {name}", code="parameter_invalid_string", param=name)
    return value


def whole(params: Parameters, name: str, default: int | None = None, *, least: int = 1) -> int:
    """A whole number of at least ``least``."""
    if name not in params and default is not None:
        return default
    written = params.get(name)
    if written is None:
        raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    try:
        number = int(str(written))
    except ValueError as error:
        raise ApiError(
            f"Invalid integer: {written}", code="parameter_invalid_integer", param=name
        ) from error
    if number < least:
        raise ApiError(
            f"This value must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=name,
        )
    return number


def branch(params: Parameters, *names: str) -> dict[str, Any]:
    """The hash that lies under ``names``, empty when any of them is missing."""
    here: Any = params
    for name in names:
        here = here.get(name) if isinstance(here, Mapping) else None
    if here in (None, ""):
        return {}
    if not isinstance(here, dict):
        raise ApiError("Invalid hash", code="parameter_invalid_hash", param=names[-1])
    return here


def said_true(params: Parameters, name: str) -> bool:
    """Whether a boolean was given as true, in a form or in JSON."""
    return params.get(name) in (True, "true", "True")

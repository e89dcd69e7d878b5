"""Tell a lost or hindered database apart from everything else that goes wrong.

Owns the translation of the driver's passing errors (server gone, disk full, time over) into one
error of the ledger. What was asked wrongly, and what is broken, stays what it is.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from django.db import InterfaceError, InternalError, OperationalError

from ledger.errors import LedgerUnavailable

__all__ = ["PASSING", "told_apart"]

PASSING = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""Not the caller's doing, and over sooner or later: Django's own names, and the driver's."""

_NO_SPACE = ("could not extend file", "could not write")
"""How PostgreSQL begins to say that a quota or a limit is used up; only for a full file system
has it a code of its own (53100), which is one of the passing errors."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def told_apart(deed: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let ``deed`` raise LedgerUnavailable where the database could not do it just now."""

    @wraps(deed)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return deed(*args, **kwargs)
        except PASSING as error:
            raise LedgerUnavailable(f"the database: {type(error).__name__}") from error
        except (InternalError, psycopg.InternalError) as error:
            if not str(error).startswith(_NO_SPACE):
                raise
            raise LedgerUnavailable("the database has no space left") from error

    return told

"""Typed ids in the database: a UUID column in PostgreSQL, ``wrk_01h…`` in Python.

Owns the model field and the one look-up that views use. The text form itself, and how a new
id is made, belong to ``tribute.ids``.
"""

from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from registry.errors import NotFound
from tribute import ids

Row = TypeVar("Row", bound=models.Model)


if TYPE_CHECKING:
    _TextField = models.Field[str, str]
else:
    _TextField = models.Field  # only the type checker knows it as a generic


class TypedIdField(_TextField):
    """A primary key such as ``wrk_01jd…``: 16 bytes in the database, text with its type in Python.

    A foreign key to it reads and writes the same text. A text of another type or shape raises
    ValidationError rather than matching nothing, so that a mixed-up id is noticed.
    """

    description = "Typed identifier"
    empty_strings_allowed = False

    def __init__(self, *, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        if options.get("primary_key"):
            options.setdefault("default", _NewId(prefix))
            options.setdefault("editable", False)
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """Name the field for a migration, leaving out the default that follows from the prefix."""
        name, path, args, options = super().deconstruct()
        options["prefix"] = self.prefix
        if self.primary_key:
            options.pop("default", None)
            options.pop("editable", None)
        return name, path, args, options

    def get_internal_type(self) -> str:
        """Let Django use the column type of a UUID."""
        return "UUIDField"

    def from_db_value(
        self, value: UUID | None, _expression: object, _connection: BaseDatabaseWrapper
    ) -> str | None:
        """Print the UUID that the driver read."""
        return None if value is None else ids.encode(self.prefix, value)

    def to_python(self, value: object) -> str | None:
        """Accept a typed id or a bare UUID; refuse everything else."""
        if value is None:
            return None
        if isinstance(value, UUID):
            return ids.encode(self.prefix, value)
        try:
            return ids.encode(self.prefix, ids.decode(self.prefix, str(value)))
        except ids.InvalidId as error:
            raise ValidationError(str(error), code="invalid_id") from error

    def get_prep_value(self, value: object) -> UUID | None:
        """Turn a typed id into the UUID that the column holds."""
        value = super().get_prep_value(value)
        if value is None or isinstance(value, UUID):
            return value
        text = self.to_python(value)
        return None if text is None else ids.decode(self.prefix, text)

    def get_db_prep_value(
        self,
        value: object,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> UUID | None:
        """Prepare as get_prep_value does, whoever calls."""
        del connection
        if prepared and isinstance(value, UUID):
            return value
        return self.get_prep_value(value)


class _NewId:
    """A default that a migration never needs to name."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __call__(self) -> str:
        return ids.encode(self.prefix, ids.new_uuid7())


def find(rows: models.QuerySet[Row], public_id: str) -> Row:
    """Return the row with this typed id among ``rows``.

    A malformed id, an unknown one and one outside ``rows`` (another tenant's) raise the same
    NotFound, so that nobody learns which ids exist.
    """
    try:
        return rows.get(pk=public_id)
    except (ValidationError, ObjectDoesNotExist) as error:
        name = rows.model._meta.verbose_name  # noqa: SLF001 - Django's documented Options
        raise NotFound(f"there is no {name} {public_id!r} here") from error

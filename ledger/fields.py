"""A model field for currencies: ``EUR`` in Python, 978 in PostgreSQL."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger import currencies

if TYPE_CHECKING:
    Field = models.Field[str, str]
else:
    Field = models.Field  # Django's own class takes no type arguments


class CurrencyField(Field):
    """An ISO 4217 currency of the ledger; a smallint column."""

    description = "Currency"

    def get_internal_type(self) -> str:
        """Let Django use the column type of a small integer."""
        return "SmallIntegerField"

    def from_db_value(
        self, value: int | None, _expression: object, _connection: BaseDatabaseWrapper
    ) -> str | None:
        """Print the number that the driver read."""
        return None if value is None else currencies.find_numeric(value).code

    def to_python(self, value: Any) -> str | None:
        """Accept a code; raises UnknownCurrency for anything else."""
        return None if value is None else currencies.find(str(value)).code

    def get_prep_value(self, value: Any) -> int | None:
        """Turn a code into the number that the column holds."""
        value = super().get_prep_value(value)
        if value is None or isinstance(value, int):
            return value
        return currencies.find(str(value)).numeric

"""Cursor pagination for every list: newest first, stable while rows are added."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import ValidationError as NotOfTheField
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

MOST_ROWS = 200


class CursorPage(CursorPagination):
    """``{"items": […], "next": url | null, "previous": url | null}``, 50 rows unless asked.

    The order is that of the ids, which are UUIDv7 and so follow the time of making. A view whose
    rows have another key sets ``cursor_ordering`` on itself. A cursor that this list did not print
    is refused; it could not have led to anybody else's rows.
    """

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = MOST_ROWS
    ordering = "-pk"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """Read one page. Raises ValidationError for a limit or a cursor that is none of this list."""
        self._model = queryset.model
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Read where the page begins. Raises ValidationError for what this list has not printed."""
        encoded = request.query_params.get(self.cursor_query_param)
        if encoded is None:
            return None
        try:
            cursor = _cursor(encoded)
            if cursor.position is not None:
                _require_value_of(self._model, self.ordering[0].lstrip("-"), str(cursor.position))
        except (ValueError, NotOfTheField) as error:
            raise ValidationError({"cursor": ["This is no cursor of this list."]}) from error
        return cursor

    def get_page_size(self, request: Request) -> int:
        """Return how many rows are wanted. Raises ValidationError."""
        text = request.query_params.get("limit", str(self.page_size))
        if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= MOST_ROWS):
            raise ValidationError({"limit": [f"A whole number from 1 to {MOST_ROWS}."]})
        return int(text)

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """Order as the view says, by id otherwise."""
        del request, queryset
        ordering = getattr(view, "cursor_ordering", self.ordering)
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def get_paginated_response(self, data: Any) -> Response:
        """Print one page with the links around it."""
        return Response(
            {"items": data, "next": self.get_next_link(), "previous": self.get_previous_link()}
        )

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                bounds = {"minimum": 1, "maximum": MOST_ROWS, "default": self.page_size}
                parameter["schema"] = {"type": "integer", **bounds}
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for OpenAPI; ``schema`` is that of its rows together."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["items", "next", "previous"],
            "properties": {"items": schema, "next": link, "previous": link},
        }


def _require_value_of(model: Any, field: str, text: str) -> None:
    """Raise Django's ValidationError for what the column cannot hold."""
    options = model._meta  # noqa: SLF001 - Django's documented Options
    column = options.pk if field == "pk" else options.get_field(field)
    column.to_python(text)


def _cursor(encoded: str) -> Cursor:
    try:
        token = base64.b64decode(encoded.encode("ascii"), validate=True).decode("ascii")
    except (UnicodeError, binascii.Error) as error:
        raise ValueError("not base 64 of ASCII") from error
    given = parse_qs(token, keep_blank_values=True, strict_parsing=True)
    if not {"o", "r", "p"} >= given.keys() > set() or any(
        len(values) > 1 for values in given.values()
    ):
        raise ValueError("not a cursor's parts")
    offset = int(given.get("o", ["0"])[0])
    if not 0 <= offset <= CursorPage.offset_cutoff:
        raise ValueError("an offset out of range")
    (position,) = given.get("p", [None])
    return Cursor(offset, bool(given.get("r")), position)  # type: ignore[arg-type]  # its stub says int

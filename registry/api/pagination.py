"""Cursor pagination for every list: newest first, stable while rows are added."""

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class CursorPage(CursorPagination):
    """``{"items": […], "next": url | null, "previous": url | null}``, 50 rows unless asked.

    The order is that of the ids, which are UUIDv7 and so follow the time of making. A view whose
    rows have another key sets ``cursor_ordering`` on itself.
    """

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-pk"

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

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["items", "next", "previous"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "next": link,
                "previous": link,
            },
        }

"""Keep a table's state (sorting, filters, page) in the address, and cut the page from a query."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

ROWS_PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a table, and the addresses of its other states."""

    path: str
    state: dict[str, str]
    sort: str
    page: Page[Any]

    def url(self, **changes: str) -> str:
        """Return this table's address with changes; changing anything starts at page 1."""
        state = {k: v for k, v in ({**self.state, **changes}).items() if v and k != "page"}
        if "page" in changes:
            state["page"] = changes["page"]
        return f"{self.path}?{urlencode(state)}" if state else self.path

    @property
    def next_url(self) -> str:
        """The address of the next page."""
        return self.url(page=str(self.page.next_page_number()))

    @property
    def previous_url(self) -> str:
        """The address of the page before."""
        return self.url(page=str(self.page.previous_page_number()))


def cut(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    sorts: dict[str, str],
    default: str,
    filters: tuple[str, ...] = (),
) -> Listing:
    """Sort by one of ``sorts`` (column in the address → field) and cut the asked page.

    ``filters`` name the further parameters that belong to the table's state; the caller has
    applied them to ``rows``. An unknown sort falls back to ``default``, an unknown page to the
    nearest one.
    """
    asked = request.GET.get("sort", default)
    sort = asked if asked.lstrip("-") in sorts else default
    direction = "-" if sort.startswith("-") else ""
    ordered = rows.order_by(f"{direction}{sorts[sort.lstrip('-')]}", f"{direction}pk")
    return Listing(
        path=request.path,
        state={k: request.GET[k] for k in ("sort", "page", *filters) if k in request.GET},
        sort=sort,
        page=Paginator(ordered, ROWS_PER_PAGE).get_page(request.GET.get("page")),
    )

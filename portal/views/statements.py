"""A creator's statement of account for one month: on a page, on paper, and as CSV."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ledger import statements
from ledger.errors import UnknownPeriod
from portal.access import for_creators
from portal.states import ACCOUNTS, ENTRIES
from registry.models import Creator


@require_GET
@for_creators
def statement(request: HttpRequest, creator: Creator, period: str) -> HttpResponse:
    """Show every line of one month (``YYYY-MM``, UTC)."""
    try:
        lines = statements.lines(creator, period)
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    return render(
        request,
        "portal/statement.html",
        {
            "period": period,
            "creator": creator,
            "lines": [
                (line, ACCOUNTS[line.account], [ENTRIES[kind] for kind in line.what])
                for line in lines
            ],
        },
    )


@require_GET
@for_creators
def statement_csv(request: HttpRequest, creator: Creator, period: str) -> HttpResponse:
    """Send the same month as CSV."""
    del request
    try:
        text = statements.csv(creator, period)
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="tribute-{period}.csv"'
    return answer

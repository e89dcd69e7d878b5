"""Statements of account for one month: on a page, on paper, as PDF and as CSV."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from ledger import statement_pdf, statements
from ledger.errors import UnknownPeriod
from ledger.statements import Section, StatementLine
from portal.access import for_creators, for_operators
from portal.periods import periods
from portal.states import ACCOUNTS, ENTRIES
from portal.wording import Words
from registry.models import Creator, Operator

Told = tuple[Section, Words, list[tuple[StatementLine, list[Words]]]]


@require_GET
@for_creators
def chosen(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Lead to the month that was picked."""
    del creator
    return redirect("portal:statement", _picked(request))


@require_GET
@for_creators
def statement(request: HttpRequest, creator: Creator, period: str) -> HttpResponse:
    """Show every line of one month (``YYYY-MM``, UTC), account by account."""
    return render(
        request,
        "portal/statement.html",
        {
            "period": period,
            "creator": creator,
            "periods": periods(creator, at=timezone.now()),
            "sections": _sections(creator, period),
            "paid_out": statements.paid_out(creator, period),
        },
    )


@require_GET
@for_creators
def statement_csv(request: HttpRequest, creator: Creator, period: str) -> HttpResponse:
    """Send the same month as CSV."""
    del request
    return _csv(creator, period)


@require_GET
@for_creators
def statement_document(request: HttpRequest, creator: Creator, period: str) -> HttpResponse:
    """Send the same month as PDF."""
    del request
    try:
        document = statement_pdf.render(creator, period)
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    return _file(document, "application/pdf", f"tribute-{period}.pdf")


@require_GET
@for_operators
def operator_chosen(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Lead to the month that was picked."""
    del operator
    return redirect("portal:operator-statement", _picked(request))


@require_GET
@for_operators
def operator_statement(request: HttpRequest, operator: Operator, period: str) -> HttpResponse:
    """Show what moved on an operator's accounts in one month."""
    return render(
        request,
        "portal/operator_statement.html",
        {
            "period": period,
            "operator": operator,
            "periods": periods(operator, at=timezone.now()),
            "sections": _sections(operator, period),
        },
    )


@require_GET
@for_operators
def operator_statement_csv(request: HttpRequest, operator: Operator, period: str) -> HttpResponse:
    """Send the same month as CSV."""
    del request
    return _csv(operator, period)


def _picked(request: HttpRequest) -> str:
    """Return the month that was picked, or this one; anything else is not there."""
    period = request.GET.get("period", f"{timezone.now():%Y-%m}")
    try:
        statements.month(period)
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    return period


def _sections(owner: Creator | Operator, period: str) -> list[Told]:
    try:
        found = statements.sections(statements.lines(owner, period))
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    return [
        (
            section,
            ACCOUNTS[section.account],
            [(line, [ENTRIES[kind] for kind in line.what]) for line in section.lines],
        )
        for section in found
    ]


def _csv(owner: Creator | Operator, period: str) -> HttpResponse:
    try:
        text = statements.csv(owner, period)
    except UnknownPeriod as error:
        raise Http404(str(error)) from error
    return _file(text, "text/csv; charset=utf-8", f"tribute-{period}.csv")


def _file(content: str | bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer

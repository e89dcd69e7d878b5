"""An operator's questions: ask, read the answers again, and take the receipt along."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import for_operators
from portal.forms.checks import Ask
from portal.listing import ROWS_PER_PAGE, Listing, cut
from portal.troubles import put_beside
from portal.wording import PURPOSES
from registry import checks as registry_checks
from registry import csv_lines, receipts
from registry.check_reports import CheckReport
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Check, Operator
from registry.texts import Numbers
from tribute.vocabulary import Decision, Purpose

LINES_A_BLOCK = 500
THINGS = ("url", "sha256", "iscc")
COLUMNS = (Decision.ALLOW, Decision.LICENSE, Decision.DENY, Decision.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many items got each decision for one purpose."""

    purpose: str
    decisions: list[tuple[str, int]]


@require_GET
@for_operators
def checks(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List what the operator asked, by its programs or here."""
    listing = cut(
        request,
        _own(operator),
        sorts={"asked": "asked_at", "items": "items_count"},
        default="-asked",
    )
    return render(request, "portal/checks.html", {"listing": listing})


@require_http_methods(["GET", "POST"])
@for_operators
def ask(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Ask about up to 10,000 things at once; the answers are kept like those to programs."""
    form = Ask(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        purposes = [Purpose(purpose) for purpose in given["purposes"]]
        try:
            made = registry_checks.check(operator, given["items"], purposes, at=timezone.now())
        except RegistryError as error:
            put_beside(form, error)
        else:
            return redirect("portal:check", made.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "portal/ask.html", {"form": form}, status=status)


@require_GET
@for_operators
def check(request: HttpRequest, operator: Operator, check_id: str) -> HttpResponse:
    """Show what was answered: counted, a page of answers at a time, and how to prove it."""
    shown = find(operator.checks.all(), check_id)
    report = CheckReport(shown.answered, shown.purposes)
    purpose, decision = _narrowing(request)
    listing = _listing(request, shown, report, purpose, decision)
    receipt = receipts.receipt(shown)
    return render(
        request,
        "portal/check.html",
        {
            "check": shown,
            "counts": _counted(report),
            "not_understood": report.not_understood,
            "listing": listing,
            "lines": [_line(each) for each in report.lines(listing.page)],
            "purpose": purpose,
            "decision": decision,
            "narrowed": purpose is not None and decision is not None,
            "leaf_hash": receipt["log"]["leaf_hash"],
            "logged": receipt["log"]["proof"] is not None,
            "receipt_key": receipts.public_key().hex(),
        },
    )


@require_GET
@for_operators
def receipt(_request: HttpRequest, operator: Operator, check_id: str) -> HttpResponseBase:
    """Send the signed receipt as a file."""
    shown = find(_own(operator), check_id)
    return _file(json.dumps(receipts.receipt(shown), indent=2), f"{shown.pk}.receipt.json")


@require_GET
@for_operators
def proof(
    _request: HttpRequest, operator: Operator, check_id: str, position: int
) -> HttpResponseBase:
    """Send one answer with its path to the receipt's root as a file."""
    shown = find(operator.checks.all(), check_id)
    found = receipts.row(shown, position)
    return _file(json.dumps(found, indent=2), f"{shown.pk}.{position}.json")


@require_GET
@for_operators
def answers(_request: HttpRequest, operator: Operator, check_id: str) -> HttpResponseBase:
    """Send all answers, one JSON object a line: the lines over which the receipt is made."""
    shown = find(operator.checks.all(), check_id)
    answer = StreamingHttpResponse(_printed(shown), content_type="application/x-ndjson")
    return _as_file(answer, f"{shown.pk}.jsonl")


@require_GET
@for_operators
def table(_request: HttpRequest, operator: Operator, check_id: str) -> HttpResponseBase:
    """Send all answers as CSV: what was asked about, and a column of decisions for each purpose."""
    shown = find(operator.checks.all(), check_id)
    answer = StreamingHttpResponse(_rows(shown), content_type="text/csv; charset=utf-8")
    return _as_file(answer, f"{shown.pk}.csv")


def _own(operator: Operator) -> QuerySet[Check]:
    return operator.checks.defer("answers")


def _narrowing(request: HttpRequest) -> tuple[Purpose | None, Decision | None]:
    """Return the purpose and the decision that the address asks for, where both make sense."""
    try:
        return Purpose(request.GET.get("purpose", "")), Decision(request.GET.get("decision", ""))
    except ValueError:
        return None, None


def _listing(
    request: HttpRequest,
    shown: Check,
    report: CheckReport,
    purpose: Purpose | None,
    decision: Decision | None,
) -> Listing:
    if purpose is None or decision is None:
        positions: Sequence[int] | Numbers = range(shown.items_count)
    else:
        positions = report.positions(purpose, decision)
    return Listing(
        path=request.path,
        state={k: request.GET[k] for k in ("purpose", "decision", "page") if k in request.GET},
        sort="",
        page=Paginator(positions, ROWS_PER_PAGE).get_page(request.GET.get("page")),
    )


def _counted(report: CheckReport) -> list[Counted]:
    return [
        Counted(purpose, [(word.value, report.counts[Purpose(purpose)][word]) for word in COLUMNS])
        for purpose in PURPOSES
        if purpose in report.counts
    ]


def _line(line: Any) -> dict[str, Any]:
    """Return a line as the page shows it: purposes in the order of the sentence."""
    named = {name: line.item[name] for name in THINGS if name in line.item}
    return {
        "position": line.position,
        "number": line.position + 1,
        "id": line.item.get("id"),
        "things": list(named.values()),
        "problem": line.problem,
        "decisions": [(p, line.decisions[p]) for p in PURPOSES if p in line.decisions],
    }


def _printed(shown: Check) -> Iterator[str]:
    lines = shown.answered.lines
    for start in range(0, len(lines), LINES_A_BLOCK):
        block: list[str] = lines.slice(start, LINES_A_BLOCK).to_pylist()
        yield "".join(f"{line}\n" for line in block)


def _rows(shown: Check) -> Iterator[str]:
    report = CheckReport(shown.answered, shown.purposes)
    yield csv_lines.line(("line", "id", *THINGS, *shown.purposes, "problem"))
    for start in range(0, shown.items_count, LINES_A_BLOCK):
        block = report.lines(range(start, min(start + LINES_A_BLOCK, shown.items_count)))
        yield "".join(
            csv_lines.line(
                (
                    line.position + 1,
                    *(line.item.get(name) for name in ("id", *THINGS)),
                    *(line.decisions[purpose]["decision"] for purpose in shown.purposes),
                    line.problem,
                )
            )
            for line in block
        )


def _file(text: str, name: str) -> HttpResponseBase:
    return _as_file(HttpResponse(text, content_type="application/json"), name)


def _as_file(answer: HttpResponseBase, name: str) -> HttpResponseBase:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer

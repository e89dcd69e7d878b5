"""The transparency report: the registry in figures, for anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from registry import figures, receipts


@require_GET
def report(request: HttpRequest) -> HttpResponse:
    """Show how much there is; nothing in it is about one person."""
    counted = figures.lately()
    counts = counted.counts
    return render(
        request,
        "portal/transparency.html",
        {
            "rights": [
                (_("Creators"), counts["creators"]),
                (_("Works"), counts["works"]),
                (_("Sites claimed"), counts["collections"]),
                (_("Sites proven"), counts["collections_proven"]),
            ],
            "asked": [
                (_("Operators"), counts["operators"]),
                (_("Questions answered"), counts["checks"]),
                (_("Manifests declared"), counts["manifests"]),
            ],
            "disputes": [
                (_("Open"), counts["conflicts_open"]),
                (_("Decided"), counts["conflicts_decided"]),
            ],
            "decisions": sorted(counted.decisions.items()),
            "log_size": counted.log_size,
            "receipt_key": receipts.public_key().hex(),
        },
    )

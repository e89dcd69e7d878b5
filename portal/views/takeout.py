"""Your data: have it all put into one file, follow that, and take it while it is there."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import presence
from portal.access import for_people, person
from registry import exports
from registry.errors import NotFound
from registry.ids import find
from registry.models import DataExport

SHOWN = 20


@never_cache
@require_http_methods(["GET", "POST"])
@for_people
def data(request: HttpRequest) -> HttpResponse:
    """List what was asked for; on POST ask for it."""
    user = person(request)
    if request.method == "POST":
        exports.request(user, at=timezone.now())
        messages.success(request, _("We gather it now; this page shows how far we are."))
        return redirect("portal:data")
    found = list(exports.of(user).defer("files")[:SHOWN])
    return render(
        request,
        "portal/data.html",
        {
            "exports": found,
            "going_on": any(each.status != DataExport.Status.READY for each in found),
            "now": timezone.now(),
            "kept_days": exports.KEPT_FOR.days,
            "present": presence.shown(request),
            "presence_url": presence.address(request, back=reverse("portal:data")),
        },
    )


@never_cache
@require_safe
@for_people
def archive(request: HttpRequest, export_id: str) -> HttpResponseBase:
    """Send one's own archive to a person who is here now."""
    export = find(exports.of(person(request)), export_id)
    if not presence.shown(request):
        return redirect(presence.address(request, back=reverse("portal:data")))
    try:
        content = exports.read(export, at=timezone.now())
    except NotFound as error:
        raise Http404(str(error)) from error
    answer = StreamingHttpResponse(content, content_type="application/zip")
    answer["Content-Length"] = str(export.size)
    answer["Content-Disposition"] = (
        f'attachment; filename="tribute-{export.requested_at:%Y-%m-%d}.zip"'
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer

"""Sign the credits of an operator's query, and send them as a file to save."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from attribution import content_credentials
from attribution.errors import AttributionError
from attribution.models import Query
from portal.access import for_operators
from portal.forms.operators import SignCredits
from portal.troubles import plain
from registry.ids import find
from registry.models import Operator


@require_POST
@for_operators
def sign(request: HttpRequest, operator: Operator, query_id: str) -> HttpResponse:
    """Send the signed manifest; or go back to the query and say what was wrong with the file."""
    query = find(Query.objects.of(operator).select_related("model").defer("evidence"), query_id)
    form = SignCredits(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose the answer’s file first, and where the manifest goes."))
        return redirect("portal:operator-query", query.pk)
    asset = form.cleaned_data["asset"]
    if asset.size > settings.UPLOAD_MAX_BYTES:
        messages.error(request, _("This file is too large to be signed here."))
        return redirect("portal:operator-query", query.pk)
    try:
        signed = content_credentials.sign(
            query,
            asset.file,
            media_type=asset.content_type or "",
            embed=form.cleaned_data["mode"] == content_credentials.EMBEDDED,
            at=timezone.now(),
        )
    except AttributionError as error:
        messages.error(request, plain(error))
        return redirect("portal:operator-query", query.pk)
    answer = HttpResponse(signed.content, content_type=signed.media_type)
    answer["Content-Disposition"] = f'attachment; filename="{signed.name}"'
    return answer

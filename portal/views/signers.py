"""A creator's signing certificates: register one, show that it is theirs, say that it is no more."""

import json

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import for_creators
from portal.forms.works import SignedFile
from portal.listing import cut
from portal.troubles import put_beside
from registry import signed_files
from registry import signers as registry_signers
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Creator, Signer

FIELDS = dict.fromkeys(
    ["not_signed", "signer_not_shown", "signer_registered", "signer_shared"], "file"
)
CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty",
}


@require_http_methods(["GET", "POST"])
@for_creators
def signers(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the certificates; on POST begin with one more."""
    if request.method == "POST":
        begun = registry_signers.begin(creator, at=timezone.now())
        return redirect("portal:signer", begun.pk)
    listing = cut(
        request,
        creator.signers.exclude(certificate_sha256=None),
        sorts={"name": "subject", "begun": "begun_at"},
        default="-begun",
    )
    soon = set(registry_signers.lapsing(creator, at=timezone.now()))
    return render(request, "portal/signers.html", {"listing": listing, "soon": soon})


@require_http_methods(["GET", "POST"])
@for_creators
def signer(request: HttpRequest, creator: Creator, signer_id: str) -> HttpResponse:
    """Show a certificate and what to sign next; on POST look at the signed file."""
    shown = find(creator.signers.select_related("creator"), signer_id)
    sent = request.method == "POST"
    form = SignedFile(request.POST, request.FILES) if sent else SignedFile()
    if sent and form.is_valid() and _shows(form, shown):
        messages.success(
            request, _("It is yours. Works whose file it signed are proven from now on.")
        )
        return redirect("portal:signer", shown.pk)
    # What was refused may have ended a proof.
    shown.refresh_from_db()
    return render(
        request,
        "portal/signer.html",
        {
            "signer": shown,
            "soon": shown in registry_signers.lapsing(creator, at=timezone.now()),
            "form": form,
            "definition": _definition(shown),
        },
        status=422 if sent else 200,
    )


@require_POST
@for_creators
def end_signer(request: HttpRequest, creator: Creator, signer_id: str) -> HttpResponse:
    """End the proof of a certificate."""
    shown = find(creator.signers.all(), signer_id)
    registry_signers.end(shown, at=timezone.now())
    messages.success(request, _("Noted. What it signed proves nothing from now on."))
    return redirect("portal:signer", shown.pk)


def _shows(form: SignedFile, shown: Signer) -> bool:
    """Tell whether the file shows control; what is wrong with it is said beside its field."""
    file = form.cleaned_data["file"]
    if file.size > settings.UPLOAD_MAX_BYTES:
        form.add_error("file", _("This file is too large to be read here. Sign a smaller one."))
        return False
    try:
        registry_signers.verify(shown, file.read(), at=timezone.now())
    except RegistryError as error:
        put_beside(form, error, FIELDS)
        return False
    return True


def _definition(shown: Signer) -> str:
    """Return what a signing tool is told to put into the manifest, as c2patool reads it."""
    said = {"challenge": registry_signers.challenge(shown)}
    definition = {
        "private_key": "key.pem",
        "sign_cert": "certificates.pem",
        "alg": "es256",
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}},
            {"label": signed_files.CHALLENGE_LABEL, "data": said},
        ],
    }
    return json.dumps(definition, indent=2)

"""An operator's models: declare them, send what they learned from, read the report."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from attribution import generative_models, retention
from attribution.errors import AttributionError
from attribution.models import GenerativeModel
from portal.access import for_operators
from portal.forms.operators import PART, KeepEvidence, RegisterModel, SendManifest
from portal.listing import cut
from portal.troubles import plain, put_beside
from registry import manifest_files, manifests, uploads
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Manifest, Operator

FIELDS = {"model_exists": "version", "invalid_fee_policy": "fee"}
VIOLATIONS_SHOWN = 50
MATCHED_AT_ONCE_BYTES = 1024 * 1024


@require_http_methods(["GET", "POST"])
@for_operators
def models(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the models; on POST declare one."""
    form = RegisterModel(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            model = _register(operator, form)
        except AttributionError as error:
            put_beside(form, error, FIELDS)
        else:
            return redirect("portal:model", model.pk)
    listing = cut(
        request,
        operator.generative_models.select_related("manifest"),
        sorts={"name": "name", "declared": "created_at"},
        default="-declared",
    )
    return render(
        request,
        "portal/models.html",
        {"form": form, "listing": listing},
        status=422 if form.errors else 200,
    )


def _register(operator: Operator, form: RegisterModel) -> GenerativeModel:
    given = form.cleaned_data
    part = given["policy"] == PART
    fee = generative_models.FeePolicy(
        currency=given["currency"],
        fixed_micros=None if part else given["fee"],
        price_share_ppm=given["part"] if part else None,
    )
    return generative_models.register(
        operator, name=given["name"], version=given["version"], fee=fee, at=timezone.now()
    )


@for_operators
def model(request: HttpRequest, operator: Operator, model_id: str) -> HttpResponse:
    """Show a model, its policy and the report on what it learned from."""
    shown = find(operator.generative_models.select_related("manifest", "next_manifest"), model_id)
    return _model_page(request, shown, SendManifest())


@require_POST
@for_operators
def send_manifest(request: HttpRequest, operator: Operator, model_id: str) -> HttpResponse:
    """Receive what the model learned from."""
    shown = find(operator.generative_models.select_related("manifest", "next_manifest"), model_id)
    form = SendManifest(request.POST, request.FILES)
    if form.is_valid():
        try:
            waits = _send_manifest(shown, form.cleaned_data["file"])
        except (RegistryError, AttributionError) as error:
            form.add_error("file", f"{plain(error)} ({error})")
        else:
            messages.success(
                request,
                _("The manifest is here and being matched; the report follows when it is done.")
                if waits
                else _("The manifest is received; the report follows below."),
            )
            return redirect("portal:model", shown.pk)
    return _model_page(request, shown, form)


@require_POST
@for_operators
def keep_evidence(request: HttpRequest, operator: Operator, model_id: str) -> HttpResponse:
    """Agree to have evidence kept for a time, or take it back."""
    shown = find(operator.generative_models.all(), model_id)
    form = KeepEvidence(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give whole days, from 1 to 400, or nothing."))
    else:
        days = form.cleaned_data["days"]
        retention.agree(shown, days=days)
        messages.success(
            request,
            _("Evidence of new answers is kept, encrypted, for %(days)s days.") % {"days": days}
            if days
            else _("No evidence is kept; what was kept is deleted."),
        )
    return redirect("portal:model", shown.pk)


def _send_manifest(shown: GenerativeModel, file: "UploadedFile[Any]") -> bool:
    """Match a short file at once; keep a long one for the workers, and say so."""
    now = timezone.now()
    if (file.size or 0) <= MATCHED_AT_ONCE_BYTES and not _is_parquet(file):
        rows = (row.item for row in manifest_files.json_lines(file.chunks()))
        generative_models.declare_manifest(shown, rows, at=now)
        return False
    written_as = Manifest.Format.PARQUET if _is_parquet(file) else Manifest.Format.JSON_LINES
    upload = uploads.begin(shown.operator, size=file.size, at=now)
    upload = uploads.receive(upload, offset=0, blocks=file.chunks(), at=now)
    generative_models.expect_manifest(shown, upload, written_as=written_as, at=now)
    return True


def _is_parquet(file: "UploadedFile[Any]") -> bool:
    return (file.name or "").lower().endswith(".parquet")


def _model_page(request: HttpRequest, shown: GenerativeModel, form: SendManifest) -> HttpResponse:
    report = manifests.report(shown.manifest) if shown.manifest else None
    return render(
        request,
        "portal/model.html",
        {
            "model": shown,
            "form": form,
            "keeping": KeepEvidence(initial={"days": shown.keep_evidence_days}),
            "report": report,
            "most": f":{VIOLATIONS_SHOWN}",
        },
        status=422 if form.errors else 200,
    )

"""Who signs reports of queries, and what about them is odd: an operator's page, and the admins'."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attribution import usage_reports
from attribution.errors import AttributionError
from attribution.models import ReportPolicy, UsageFlag
from portal.access import for_operators, for_payout_admins
from portal.forms.operators import RegisterReportKey
from portal.forms.reviews import Resolution
from portal.listing import cut
from portal.troubles import plain, put_beside
from portal.wording import FLAGS
from registry.ids import find
from registry.models import Operator, User

_SORTS = {"found": "found_at", "kind": "kind"}


@require_http_methods(["GET", "POST"])
@for_operators
def own(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Show an operator its report keys and flags; on POST register a key."""
    form = RegisterReportKey(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            usage_reports.register_key(operator, **form.cleaned_data, at=timezone.now())
        except AttributionError as error:
            put_beside(form, error, {error.code: "public_key"})
        else:
            messages.success(request, _("The key may sign from now on; number reports from 1."))
            return redirect("portal:reports")
    return render(
        request,
        "portal/reports.html",
        {
            "form": form,
            "keys": operator.report_keys.order_by("revoked_at", "-created_at"),
            "must_sign": usage_reports.must_sign(operator),
            "listing": cut(request, operator.usage_flags.all(), sorts=_SORTS, default="-found"),
            "kinds": FLAGS,
        },
        status=422 if form.errors else 200,
    )


@require_POST
@for_operators
def require(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Refuse the operator's unsigned reports from now on."""
    usage_reports.set_policy(operator, signature_required=True, at=timezone.now())
    messages.success(request, _("Unsigned reports in your name are refused from now on."))
    return redirect("portal:reports")


@require_POST
@for_operators
def revoke(request: HttpRequest, operator: Operator, key_id: str) -> HttpResponse:
    """Let a key sign no more."""
    key = find(operator.report_keys.all(), key_id)
    usage_reports.revoke_key(key, at=timezone.now())
    messages.success(request, _("The key %(key)s signs no more.") % {"key": key})
    return redirect("portal:reports")


@require_GET
@for_payout_admins
def everybodys(request: HttpRequest, _admin: User) -> HttpResponse:
    """List what is odd about reported usage, open flags unless asked for all."""
    everything = request.GET.get("show") == "all"
    flags = UsageFlag.objects.all() if everything else UsageFlag.objects.open()
    return render(
        request,
        "portal/usage_flags.html",
        {
            "listing": cut(
                request,
                flags.select_related("operator", "key", "resolved_by"),
                sorts=_SORTS,
                default="-found",
                filters=("show",),
            ),
            "everything": everything,
            "kinds": FLAGS,
            "bound": ReportPolicy.objects.filter(signature_required=True).select_related(
                "operator"
            ),
        },
    )


@require_POST
@for_payout_admins
def resolve(request: HttpRequest, admin: User, flag_id: str) -> HttpResponse:
    """Close a flag with what was found out."""
    flag = find(UsageFlag.objects.all(), flag_id)
    form = Resolution(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say what you found out first."))
        return redirect("portal:usage-flags")
    try:
        usage_reports.resolve(flag, by=admin, at=timezone.now(), **form.cleaned_data)
    except AttributionError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, _("Resolved."))
    return redirect("portal:usage-flags")


@require_POST
@for_payout_admins
def free(request: HttpRequest, _admin: User) -> HttpResponse:
    """Take an operator's unsigned reports again."""
    operator = find(Operator.objects.all(), request.POST.get("operator", ""))
    usage_reports.set_policy(operator, signature_required=False, at=timezone.now())
    messages.success(request, _("Unsigned reports of %(name)s are taken.") % {"name": operator})
    return redirect("portal:usage-flags")

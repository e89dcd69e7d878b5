"""Every address of the service."""

from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from attribution.api.urls import urlpatterns as attribution_api
from ledger.api.urls import urlpatterns as ledger_api
from ledger.api.urls import webhook_urlpatterns
from registry.api.urls import log_urlpatterns
from registry.api.urls import urlpatterns as registry_api
from server import api_docs, health

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    # Browsers ask for it beside JSON and PDF, which name no icon.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("portal/mark.svg"))),
    path("v1/", include([*registry_api, *ledger_api, *attribution_api])),
    path("v1/openapi.json", api_docs.document, name="openapi"),
    path("v1/docs", api_docs.page, name="api-docs"),
    path("log/", include(log_urlpatterns)),
    path("webhooks/", include(webhook_urlpatterns)),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("portal.urls")),
]

handler400 = "server.api_errors.bad_request"
handler403 = "server.api_errors.forbidden"
handler404 = "server.api_errors.not_found"
handler500 = "server.api_errors.server_error"

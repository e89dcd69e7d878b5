"""Attribution's addresses below ``/v1/``."""

from django.urls import path

from attribution.api import (
    cap_views,
    credit_views,
    lookup_views,
    manifest_views,
    party_views,
    query_views,
    shadow_views,
    usage_views,
    views,
)

urlpatterns = [
    path("lookup", lookup_views.LookUp.as_view()),
    path("models", views.Models.as_view()),
    path("models/<str:model_id>", views.Model.as_view()),
    path("models/<str:model_id>/manifest", manifest_views.DeclaredManifest.as_view()),
    path("models/<str:model_id>/manifest/report", manifest_views.ManifestReport.as_view()),
    path("queries", views.Queries.as_view()),
    path("queries/<str:query_id>:retry", query_views.RetryQuery.as_view()),
    path("queries/<str:query_id>", views.OneQuery.as_view()),
    path("queries/<str:query_id>/recomputation", query_views.Recomputed.as_view()),
    path("queries/<str:query_id>/credits", views.QueryCredits.as_view()),
    path("queries/<str:query_id>/credits:sign", credit_views.SignedCredits.as_view()),
    path("report-keys", usage_views.ReportKeys.as_view()),
    path("report-keys/<str:key_id>:revoke", usage_views.RevokedReportKey.as_view()),
    path("usage-policy", usage_views.UsagePolicy.as_view()),
    path("usage-flags", usage_views.UsageFlags.as_view()),
    path("usage-flags/<str:flag_id>:resolve", usage_views.ResolvedUsageFlag.as_view()),
    path("models/<str:model_id>/evidence-retention", shadow_views.EvidenceRetention.as_view()),
    path("related-parties", party_views.RelatedParties.as_view()),
    path("related-parties/<str:party_id>:confirm", party_views.ConfirmedRelatedParty.as_view()),
    path("related-parties/<str:party_id>:clear", party_views.ClearedRelatedParty.as_view()),
    path("held-by-cap", cap_views.HeldByCap.as_view()),
    path("held-by-cap/<str:work_id>:release", cap_views.ReleasedByReview.as_view()),
    path("held-by-cap/<str:work_id>:redirect", cap_views.RedirectedByReview.as_view()),
    path("held-by-cap/<str:work_id>", cap_views.HeldEvidence.as_view()),
    path("shadow-runs", shadow_views.ShadowRuns.as_view()),
    path("shadow-runs/<str:run_id>:propose", shadow_views.ProposedShadowRun.as_view()),
    path("shadow-runs/<str:run_id>:accept", shadow_views.AcceptedShadowRun.as_view()),
    path("shadow-runs/<str:run_id>:dismiss", shadow_views.DismissedShadowRun.as_view()),
    path("shadow-runs/<str:run_id>/results", shadow_views.ShadowResults.as_view()),
    path("shadow-runs/<str:run_id>", shadow_views.OneShadowRun.as_view()),
    path("earnings/contributions", views.Earned.as_view()),
]

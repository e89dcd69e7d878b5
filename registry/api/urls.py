"""The registry's addresses below /v1/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from registry.api.views import (
    checks,
    collections,
    disputes,
    grants,
    imports,
    keys,
    public,
    revocations,
    snapshots,
    statements,
    uploads,
    webhooks,
    works,
)


class ReportForm(StringConverter):
    """The forms in which a report is downloaded."""

    regex = "csv|jsonl"


register_converter(ReportForm, "import_report")

urlpatterns = [
    path("transparency", public.Transparency.as_view()),
    path("works", works.Works.as_view()),
    path("works:import", imports.NewImport.as_view()),
    path("imports", imports.Imports.as_view()),
    path("imports/<str:import_id>/report.<import_report:form>", imports.ImportReport.as_view()),
    path("imports/<str:import_id>", imports.OneImport.as_view()),
    path("uploads/<str:upload_id>", uploads.OneUpload.as_view()),
    path("works/<str:work_id>:confirm-share", works.ShareConfirmation.as_view()),
    path("works/<str:work_id>", works.OneWork.as_view()),
    path("collections", collections.Collections.as_view()),
    path("collections/<str:collection_id>:verify", collections.Verification.as_view()),
    path("collections/<str:collection_id>", collections.OneCollection.as_view()),
    path("statements", statements.Statements.as_view()),
    path("terms", statements.AllTerms.as_view()),
    path("disputes", disputes.Disputes.as_view()),
    path("disputes/<str:dispute_id>:answer", disputes.DisputeAnswer.as_view()),
    path("disputes/<str:dispute_id>:decide", disputes.DisputeDecision.as_view()),
    path("disputes/<str:dispute_id>", disputes.OneDispute.as_view()),
    path("grants", grants.Grants.as_view()),
    path("checks", checks.Checks.as_view()),
    path("checks/<str:check_id>", checks.OneCheck.as_view()),
    path("checks/<str:check_id>/receipt", checks.Receipt.as_view()),
    path("revocations", revocations.Revocations.as_view()),
    path("revocations/<str:notice_id>:acknowledge", revocations.Acknowledgement.as_view()),
    path("snapshot", snapshots.Newest.as_view()),
    path("snapshot/files/<str:name>", snapshots.SnapshotFile.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<str:webhook_id>:rotate", webhooks.WebhookRotation.as_view()),
    path("webhooks/<str:webhook_id>:test", webhooks.WebhookTest.as_view()),
    path("webhooks/<str:webhook_id>:enable", webhooks.WebhookEnabling.as_view()),
    path("webhooks/<str:webhook_id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<str:webhook_id>/deliveries", webhooks.Deliveries.as_view()),
    path("webhook-deliveries/<str:delivery_id>:replay", webhooks.Replay.as_view()),
    path("keys", keys.Keys.as_view()),
    path("keys:rotate", keys.Rotation.as_view()),
]

"""The registry's addresses below /v1/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from registry.api.views import (
    appeals,
    checks,
    clusters,
    collections,
    disputes,
    exports,
    grants,
    imports,
    keys,
    log,
    public,
    revocations,
    signers,
    site_files,
    snapshots,
    statements,
    uploads,
    webhooks,
    works,
)
from tribute.log.tiles import PATH


class ReportForm(StringConverter):
    """The forms in which a report is downloaded."""

    regex = "csv|jsonl"


class LogHash(StringConverter):
    """The hash of a log's leaf."""

    regex = "[0-9a-f]{64}"


class LogTile(StringConverter):
    """The address of a log's tile."""

    regex = PATH.pattern


register_converter(ReportForm, "import_report")
register_converter(LogHash, "log_hash")
register_converter(LogTile, "log_tile")

urlpatterns = [
    path("transparency", public.Transparency.as_view()),
    path("works", works.Works.as_view()),
    path("works:import", imports.NewImport.as_view()),
    path("imports", imports.Imports.as_view()),
    path("imports/<str:import_id>/report.<import_report:form>", imports.ImportReport.as_view()),
    path("imports/<str:import_id>", imports.OneImport.as_view()),
    path("exports", exports.Exports.as_view()),
    path("exports/<str:export_id>", exports.OneExport.as_view()),
    path("uploads/<str:upload_id>", uploads.OneUpload.as_view()),
    path("works/<str:work_id>:confirm-share", works.ShareConfirmation.as_view()),
    path("works/<str:work_id>", works.OneWork.as_view()),
    path("collections", collections.Collections.as_view()),
    path("collections/<str:collection_id>:verify", collections.Verification.as_view()),
    path("collections/<str:collection_id>/files", site_files.SiteFiles.as_view()),
    path("collections/<str:collection_id>/files/<str:standard>", site_files.SiteFile.as_view()),
    path("collections/<str:collection_id>", collections.OneCollection.as_view()),
    path("signers", signers.Signers.as_view()),
    path("signers/<str:signer_id>:verify", signers.SignerVerification.as_view()),
    path("signers/<str:signer_id>:end", signers.SignerEnd.as_view()),
    path("signers/<str:signer_id>", signers.OneSigner.as_view()),
    path("statements", statements.Statements.as_view()),
    path("terms", statements.AllTerms.as_view()),
    path("disputes", disputes.Disputes.as_view()),
    path("disputes/<str:dispute_id>:answer", disputes.DisputeAnswer.as_view()),
    path("disputes/<str:dispute_id>:decide", disputes.DisputeDecision.as_view()),
    path("disputes/<str:dispute_id>:claim", appeals.DisputeClaim.as_view()),
    path("disputes/<str:dispute_id>:admit", appeals.DisputeAdmission.as_view()),
    path("disputes/<str:dispute_id>:appeal", appeals.DisputeAppeal.as_view()),
    path("disputes/<str:dispute_id>:review", appeals.DisputeReview.as_view()),
    path("disputes/<str:dispute_id>", disputes.OneDispute.as_view()),
    path("match-appeals", appeals.MatchAppeals.as_view()),
    path("match-appeals/<str:appeal_id>:decide", appeals.MatchDecision.as_view()),
    path("match-appeals/<str:appeal_id>", appeals.OneMatchAppeal.as_view()),
    path("clusters", clusters.Clusters.as_view()),
    path("clusters:merge", clusters.Merger.as_view()),
    path("clusters/<str:cluster_id>:separate", clusters.Separation.as_view()),
    path("clusters/<str:cluster_id>", clusters.OneCluster.as_view()),
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
    path("log/checkpoint", log.Newest.as_view()),
    path("log/proof", log.Proof.as_view()),
    path("log/proofs/<log_hash:leaf>.tlog-proof", log.ProofFile.as_view(), name="log-proof"),
    path("log/consistency", log.Consistency.as_view()),
    path("log/entries", log.Entries.as_view()),
]

# Below /log/: the log's files, as C2SP tlog-tiles addresses them.
log_urlpatterns = [
    path("checkpoint", log.checkpoint, name="log-checkpoint"),
    path("<log_tile:path>", log.tile, name="log-tile"),
]

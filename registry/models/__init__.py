"""The registry's facts, and what the database refuses about them."""

from registry.models.appeals import MatchAppeal, MatchFinding
from registry.models.checks import Check
from registry.models.clusters import Cluster, ClusterEvent, ClusterMember
from registry.models.consent import DecisionIndex, Grant, Statement, Terms
from registry.models.disputes import DisputeEvent
from registry.models.erasures import Erasure
from registry.models.exports import DataExport, DataExportPart
from registry.models.imports import Import, ImportKey, ImportRow, WorkReference
from registry.models.log import LogEntry, LogOutbox
from registry.models.manifests import Manifest, ManifestCode, ManifestRow
from registry.models.people import ApiKey, Creator, Operator, User, UserManager
from registry.models.requests import IdempotentRequest
from registry.models.revocations import (
    RevocationAcknowledgement,
    RevocationLapse,
    RevocationNotice,
)
from registry.models.signers import Signer, WorkSignature
from registry.models.snapshots import SnapshotChange, SnapshotRelease
from registry.models.uploads import Upload, UploadPart
from registry.models.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from registry.models.works import (
    COLLECTION_KINDS,
    WHOLE_PPM,
    WORK_KINDS,
    ClaimConflict,
    Collection,
    Identifier,
    PastControl,
    RightsShare,
    Work,
    WorkFeatures,
)

__all__ = [
    "COLLECTION_KINDS",
    "WHOLE_PPM",
    "WORK_KINDS",
    "ApiKey",
    "Check",
    "ClaimConflict",
    "Cluster",
    "ClusterEvent",
    "ClusterMember",
    "Collection",
    "Creator",
    "DataExport",
    "DataExportPart",
    "DecisionIndex",
    "DisputeEvent",
    "Erasure",
    "Grant",
    "IdempotentRequest",
    "Identifier",
    "Import",
    "ImportKey",
    "ImportRow",
    "LogEntry",
    "LogOutbox",
    "Manifest",
    "ManifestCode",
    "ManifestRow",
    "MatchAppeal",
    "MatchFinding",
    "Operator",
    "PastControl",
    "RevocationAcknowledgement",
    "RevocationLapse",
    "RevocationNotice",
    "RightsShare",
    "Signer",
    "SnapshotChange",
    "SnapshotRelease",
    "Statement",
    "Terms",
    "Upload",
    "UploadPart",
    "User",
    "UserManager",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "Work",
    "WorkFeatures",
    "WorkReference",
    "WorkSignature",
]

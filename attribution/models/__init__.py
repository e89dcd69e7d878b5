"""Attribution's tables, by what they hold: queries and models, usage reports, shadow runs."""

from attribution.models.caps import CapReview
from attribution.models.parties import RelatedParty
from attribution.models.queries import (
    Contribution,
    EmbeddingSpace,
    GenerativeModel,
    IndexedText,
    NearDuplicate,
    Query,
    QueryQuerySet,
    RoundingCarry,
    WorkEmbedding,
)
from attribution.models.shadows import (
    Adjustment,
    KeptEvidence,
    ShadowChange,
    ShadowResult,
    ShadowRun,
)
from attribution.models.usage import ReportKey, ReportPolicy, UsageFlag, UsageReport

__all__ = [
    "Adjustment",
    "CapReview",
    "Contribution",
    "EmbeddingSpace",
    "GenerativeModel",
    "IndexedText",
    "KeptEvidence",
    "NearDuplicate",
    "Query",
    "QueryQuerySet",
    "RelatedParty",
    "ReportKey",
    "ReportPolicy",
    "RoundingCarry",
    "ShadowChange",
    "ShadowResult",
    "ShadowRun",
    "UsageFlag",
    "UsageReport",
    "WorkEmbedding",
]

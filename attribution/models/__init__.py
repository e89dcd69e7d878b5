"""Attribution's tables, by what they hold: queries and models, usage reports."""

from attribution.models.queries import (
    Contribution,
    GenerativeModel,
    NearDuplicate,
    NgramPosting,
    Query,
    QueryQuerySet,
    RoundingCarry,
)
from attribution.models.usage import ReportKey, ReportPolicy, UsageFlag, UsageReport

__all__ = [
    "Contribution",
    "GenerativeModel",
    "NearDuplicate",
    "NgramPosting",
    "Query",
    "QueryQuerySet",
    "ReportKey",
    "ReportPolicy",
    "RoundingCarry",
    "UsageFlag",
    "UsageReport",
]

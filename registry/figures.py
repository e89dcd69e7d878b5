"""The registry in figures, for everybody: counts only, nothing about one person."""

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from registry import log
from registry.models import (
    Check,
    ClaimConflict,
    Collection,
    Creator,
    Manifest,
    Operator,
    Statement,
    Work,
)

KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is.

    counts: rows by what they are; decisions: statements ever made, by decision.
    """

    counts: dict[str, int]
    decisions: dict[str, int]
    log_size: int


def lately() -> Figures:
    """Return what was counted within the last minute: strangers ask, and counting reads tables."""
    found: Figures | None = cache.get("figures")
    if found is None:
        found = current()
        cache.set("figures", found, KEPT_SECONDS)
    return found


def current() -> Figures:
    """Count everything now."""
    statements = Statement.objects.values_list("decision").annotate(made=Count("pk"))
    return Figures(
        counts={
            "creators": Creator.objects.filter(erased_at=None).count(),
            "operators": Operator.objects.count(),
            "works": Work.objects.count(),
            "collections": Collection.objects.count(),
            "collections_proven": Collection.objects.exclude(control_proven_at=None).count(),
            "conflicts_open": ClaimConflict.objects.filter(resolved_at=None).count(),
            "conflicts_decided": ClaimConflict.objects.exclude(resolved_at=None).count(),
            "checks": Check.objects.count(),
            "manifests": Manifest.objects.count(),
        },
        decisions=dict(statements.order_by("decision")),
        log_size=log.size(),
    )

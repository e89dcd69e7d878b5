"""Set what operators report beside what the registry finds itself, for each model.

Owns which queries are looked at and what is said of a model. A flag accuses nobody: influence and
resemblance are different things, and a person looks at both.
"""

from dataclasses import dataclass

from django.db.models import F, IntegerField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from attribution.methods import reported
from attribution.models import GenerativeModel, Query

LATEST = 1_000
"""Queries of a model that its spot check looks at, those settled last."""

LEAST = 5
"""Fewer queries say nothing about a model."""


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """How far a model's reported scores lie from the registry's own evidence.

    queries: how many brought an output beside their scores. mean_ppm and worst_ppm: total
    variation. diverging: how many lie beyond ``tolerance_ppm`` by themselves. flagged: the mean
    does, over at least LEAST queries.
    """

    queries: int
    mean_ppm: int
    worst_ppm: int
    diverging: int
    tolerance_ppm: int
    flagged: bool


def of_model(model: GenerativeModel) -> SpotCheck | None:
    """Return the spot check of a model's latest queries; None when there is nothing to compare."""
    settled = Query.objects.filter(
        model=model, state=Query.State.SETTLED, parameters__has_key="divergence_ppm"
    )
    distance = Cast(KeyTextTransform("divergence_ppm", "parameters"), IntegerField())
    latest = settled.annotate(ppm=distance).order_by(F("settled_at").desc(), "-pk")[:LATEST]
    found = list(latest.values_list("ppm", flat=True))
    if not found:
        return None
    judged = reported.judge(found)
    return SpotCheck(
        queries=len(found),
        mean_ppm=judged.mean_ppm,
        worst_ppm=judged.worst_ppm,
        diverging=sum(reported.diverges(each) for each in found),
        tolerance_ppm=reported.DEFAULT_TOLERANCE_PPM,
        flagged=judged.flagged and len(found) >= LEAST,
    )

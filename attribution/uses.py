"""Read where works are used: which declared models learned from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from attribution.models import GenerativeModel
from registry.models import Creator, ManifestRow, Work


@dataclass(frozen=True, slots=True)
class Use:
    """A model that learned from one work."""

    model: str
    operator: str
    decision: str


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that learned from some of a creator's works."""

    model: str
    operator: str
    works: int
    not_allowed: int


def of_work(work: Work) -> list[Use]:
    """Return the models whose manifest names the work, with what was allowed at ingestion."""
    rows = ManifestRow.objects.filter(work=work).exclude(decision="")
    decisions = dict(rows.order_by("row_number").values_list("manifest_id", "decision"))
    return [
        Use(str(model), model.operator.name, decisions[str(model.manifest_id)])
        for model in _models(decisions)
    ]


def of_works(works: Sequence[Work]) -> list[Use]:
    """Return the uses of several works, each model once."""
    found = {(use.model, use.operator): use for work in works for use in of_work(work)}
    return list(found.values())


def of_creator(creator: Creator) -> list[ModelUse]:
    """Return the models that learned from the creator's works, and how many of them."""
    rows = ManifestRow.objects.filter(work__shares__creator=creator)
    counted = {
        (row["manifest_id"], row["decision"]): row["works"]
        for row in rows.values("manifest_id", "decision").annotate(
            works=Count("work_id", distinct=True)
        )
    }
    found = []
    for model in _models({manifest for manifest, _decision in counted}):
        here = {d: n for (manifest, d), n in counted.items() if manifest == model.manifest_id}
        allowed = here.get("allow", 0)
        found.append(
            ModelUse(
                str(model), model.operator.name, sum(here.values()), sum(here.values()) - allowed
            )
        )
    return found


def _models(manifests: Iterable[str]) -> list[GenerativeModel]:
    models = GenerativeModel.objects.filter(manifest__in=list(manifests))
    return list(models.select_related("operator").order_by("name", "version"))

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
class FoundUse(Use):
    """A model that learned from what was looked up.

    matched_by: ``work`` by a registered work, ``identifier`` by an unregistered thing's own hash
    or address, ``near`` by a work that the thing nearly is, with the share of bits that differ.
    """

    matched_by: str
    distance: float | None = None


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


def of_found(
    works: Sequence[Work], near: Sequence[tuple[Work, float]], key: bytes
) -> list[FoundUse]:
    """Return each model that learned from something looked up once, by the surest of the ways.

    key: of the identifier asked about, under which a manifest may have it though nobody
    registered it.
    """
    found: dict[tuple[str, str], FoundUse] = {}
    for use in of_works(works):
        found[use.model, use.operator] = FoundUse(use.model, use.operator, use.decision, "work")
    rows = ManifestRow.objects.filter(key=key).exclude(decision="").order_by("row_number")
    decisions = dict(rows.values_list("manifest_id", "decision"))
    for model in _models(decisions):
        name, operator = str(model), model.operator.name
        use = FoundUse(name, operator, decisions[str(model.manifest_id)], "identifier")
        found.setdefault((name, operator), use)
    for work, distance in near:
        for use in of_work(work):
            close = FoundUse(use.model, use.operator, use.decision, "near", distance)
            found.setdefault((use.model, use.operator), close)
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

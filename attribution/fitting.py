"""Find a space's coefficients from an operator's outputs of known origin.

Owns the way from such outputs, weighed exactly as queries are, to the coefficients that are kept
with the space. The fit itself is ``methods.calibrating``'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attribution import weighing
from attribution.errors import InvalidEvidence, WrongSpace
from attribution.methods import calibrating, verbatim
from attribution.methods.calibrating import Example
from attribution.methods.similarity import Calibration
from attribution.models import EmbeddingSpace, GenerativeModel
from attribution.waiting import Waiting
from attribution.weighing import Finding


@dataclass(frozen=True, slots=True)
class KnownOutput:
    """An output and each work's true share of it, by typed id; of a stranger, none."""

    evidence: Waiting
    origins: Mapping[str, float]


def calibrate(
    model: GenerativeModel,
    outputs: Sequence[KnownOutput],
    *,
    budget_ppm: int = calibrating.DEFAULT_BUDGET_PPM,
) -> Calibration:
    """Fit the coefficients of a model's space and method, and keep them with the space.

    Raises WrongSpace for a model without one, InvalidEvidence when the outputs do not determine
    coefficients within the budget for strangers.
    """
    space, manifest = model.space, model.manifest
    if space is None or manifest is None:
        raise WrongSpace(f"{model.pk} has no space, or no manifest")
    # Coefficients are only needed to get as far as what they would weigh.
    neutral = Calibration(space.pk, cosine=0, bm25=0, coverage=0, outside=0)
    kept = dict(space.calibrations)
    space.calibrations = kept | {model.method: neutral.parameters()}
    opened = {str(number): each.evidence for number, each in enumerate(outputs)}
    found = weighing.weigh_opened(opened, dict.fromkeys(opened, model), manifest)
    known: list[Example] = []
    strangers: list[Example] = []
    for key, output in zip(opened, outputs, strict=True):
        finding = found[key]
        if not isinstance(finding, Finding):
            raise InvalidEvidence(f"output {key} cannot be weighed: {finding.reason}")
        (known if output.origins else strangers).extend(_examples(finding, output.origins))
    try:
        fitted = calibrating.calibrate(known, strangers, space=space.pk, budget_ppm=budget_ppm)
    except ValueError as error:
        raise InvalidEvidence(str(error)) from error
    EmbeddingSpace.objects.filter(pk=space.pk).update(
        calibrations=kept | {model.method: fitted.parameters()}
    )
    space.refresh_from_db()
    return fitted


def _examples(finding: Finding, origins: Mapping[str, float]) -> list[Example]:
    """Return an output's passages; of several works, only what it is as a whole is known."""
    alike, evidence = finding.inputs.alike, finding.inputs.evidence
    words = sum(passage.words for passage in alike)
    free = [True] * words if evidence is None else verbatim.unattributed(evidence)
    found = []
    for passage in alike:
        left = sum(free[passage.first : passage.first + passage.words])
        if left:
            found.append(
                Example(
                    passage.candidates,
                    origins,
                    rest=left / passage.words,
                    part=passage.words / words,
                )
            )
    return found

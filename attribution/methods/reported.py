"""Weigh works by scores that the operator computed with the model itself, and check them.

Owns the way from scores of training rows to shares of works: rows of one cluster add up (influence
scores are additive), only what speaks for the output counts, and what lies outside the submitted
rows, in rows of nobody's registered work, or under the contract's floor stays unattributed. The
operator pays by these scores, so ``spot_check`` sets them beside the registry's own evidence.
Reading score files is the client's (``tribute.scores``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, isfinite, lcm

from attribution.errors import InvalidEvidence
from attribution.methods.apportion import apportion_whole
from attribution.methods.evidence import Weights

NAME = "reported"
VERSION = "1"

MILLION = 1_000_000
DEFAULT_TOLERANCE_PPM = 500_000
"""Total variation from which reports and evidence of our own are flagged as diverging."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """How far reports lie from the registry's own evidence for the same outputs.

    mean_ppm and worst_ppm: total variation distance, in millionths, 0 when alike and 1,000,000
    when nothing is shared. flagged: the mean is above the tolerance. A flag asks for a closer
    look; both sides may be honest, since influence and resemblance are different things.
    """

    mean_ppm: int
    worst_ppm: int
    flagged: bool


def weigh(
    scores: Mapping[int, float],
    works: Mapping[int, str],
    *,
    higher_is_proponent: bool,
    outside_mass: float = 0.0,
    floor_ppm: int = 0,
) -> Weights:
    """Divide an output over works by scores of the rows it was trained on.

    scores: by manifest row. works: by manifest row, the work that stands for the row's cluster;
    a row that is missing here belongs to no work that can be paid, and its score to nobody.
    higher_is_proponent: whether a high score means that the row made the output likelier.
    outside_mass: the part, 0 to 1, of all positive scores that lies outside the rows submitted.
    floor_ppm: what the contract leaves unattributed in any case.
    Raises InvalidEvidence for a score that is not finite or numbers out of bounds.
    """
    if not all(map(isfinite, scores.values())):
        raise InvalidEvidence("a reported score is not finite")
    if not 0 <= outside_mass <= 1 or not 0 <= floor_ppm <= MILLION:
        raise InvalidEvidence("the mass outside is 0 to 1 and the floor 0 to 1,000,000")
    by_work: dict[str, list[float]] = {}
    nobodys: list[float] = []
    for row, said in scores.items():
        score = said if higher_is_proponent else -said
        if row in works:
            by_work.setdefault(works[row], []).append(score)
        else:
            nobodys.append(max(0.0, score))
    # The sum is rounded once, whatever the order of the rows.
    sums = {work: rows[0] if len(rows) == 1 else fsum(rows) for work, rows in by_work.items()}
    speaking = {work: score if score > 0 else 0.0 for work, score in sums.items()}
    return _divided(speaking, fsum(nobodys), outside_mass=outside_mass, floor_ppm=floor_ppm)


def _divided(
    speaking: Mapping[str, float], nobodys: float, *, outside_mass: float, floor_ppm: int
) -> Weights:
    """Apportion exactly: a work gets its score of all scores, times what is given at all.

    Multiplied out by every denominator there is, so that only whole numbers remain.
    """
    ratios = {work: score.as_integer_ratio() for work, score in speaking.items()}
    nobody, below_nobody = nobodys.as_integer_ratio()
    common = lcm(below_nobody, *{below for _, below in ratios.values()})
    exact = {work: above * (common // below) for work, (above, below) in ratios.items()}
    spoken = sum(exact.values())
    total = spoken + nobody * (common // below_nobody)
    if not total:
        return Weights((), 1)
    outside, below_outside = float(outside_mass).as_integer_ratio()
    given = (MILLION - floor_ppm) * (below_outside - outside)
    of = MILLION * below_outside
    return apportion_whole(
        {work: given * score for work, score in exact.items()},
        unattributed=of * total - given * spoken,
    )


def spot_check(
    pairs: Sequence[tuple[Weights, Weights]], *, tolerance_ppm: int = DEFAULT_TOLERANCE_PPM
) -> Divergence:
    """Compare reported weights with our own for a sample of outputs: (reported, own) pairs.

    Raises ValueError without pairs.
    """
    distances = [total_variation(reported, own) * MILLION for reported, own in pairs]
    return judge(distances, tolerance_ppm=tolerance_ppm)


def judge(
    distances_ppm: Sequence[Fraction | int], *, tolerance_ppm: int = DEFAULT_TOLERANCE_PPM
) -> Divergence:
    """Say what distances, in millionths, come to. Raises ValueError without any."""
    if not distances_ppm:
        raise ValueError("a spot check needs at least one output")
    mean = Fraction(sum(distances_ppm, Fraction(0))) / len(distances_ppm)
    return Divergence(
        round(mean), round(max(distances_ppm)), diverges(mean, tolerance_ppm=tolerance_ppm)
    )


def diverges(distance_ppm: Fraction | int, *, tolerance_ppm: int = DEFAULT_TOLERANCE_PPM) -> bool:
    """Tell whether a distance asks for a closer look."""
    return distance_ppm > tolerance_ppm


def total_variation(one: Weights, other: Weights) -> Fraction:
    """Return half the sum of absolute differences of shares, what is unattributed included."""
    ours, theirs = _shares(one), _shares(other)
    both = ours.keys() | theirs.keys()
    return sum((abs(ours.get(k, Fraction(0)) - theirs.get(k, Fraction(0))) for k in both),
               Fraction(0)) / 2  # fmt: skip


def _shares(weights: Weights) -> dict[str, Fraction]:
    shares = {each.work: Fraction(each.weight, weights.total) for each in weights.works}
    return shares | {"": Fraction(weights.unattributed, weights.total)}

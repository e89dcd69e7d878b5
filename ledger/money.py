"""Exact amounts of money, and the only two ways to divide them.

Pure. An amount is a whole number of micros (10⁻⁶ of the currency's major unit) together
with its currency. Nothing here rounds silently: `split` loses nothing, `split_carrying`
loses nothing and favours nobody over time, `floor_to_minor` hands back what it cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger import currencies
from ledger.errors import CurrencyMismatch, InvalidAmount, NothingToSplit

MAX_MICROS = 2**63 - 1
WHOLE_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """``micros`` millionths of one unit of ``currency`` (ISO 4217); may be negative."""

    micros: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.micros) is not int:
            raise InvalidAmount(f"{self.micros!r} is not a whole number of micros")
        if abs(self.micros) > MAX_MICROS:
            raise InvalidAmount(f"{self.micros} micros do not fit 64 bits")
        currencies.find(self.currency)

    def __str__(self) -> str:
        sign = "-" if self.micros < 0 else ""
        whole, rest = divmod(abs(self.micros), currencies.MICROS)
        return f"{sign}{whole}.{rest:06} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micros, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.micros < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.micros <= self._same(other)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self} with {other}")
        return other.micros


def minor_unit_micros(currency: str) -> int:
    """How many micros the smallest coin has: 10,000 for EUR, 1,000,000 for JPY."""
    return int(currencies.MICROS // 10 ** currencies.find(currency).exponent)


def from_minor(minor: int, currency: str) -> Money:
    """Whole minor units, as providers count, as money."""
    return Money(minor * minor_unit_micros(currency), currency)


def floor_to_minor(money: Money) -> tuple[int, Money]:
    """What a provider can pay of ``money`` ≥ 0, in minor units, and the rest.

    The minor amount is a multiple of the currency's payout step. Raises InvalidAmount when
    ``money`` is negative.
    """
    if money.micros < 0:
        raise InvalidAmount(f"{money} is negative")
    step = currencies.find(money.currency).payout_step_minor
    unit = minor_unit_micros(money.currency)
    minor = money.micros // (unit * step) * step
    return minor, Money(money.micros - minor * unit, money.currency)


def split(pool: Money, weights: Sequence[int]) -> list[Money]:
    """Divide ``pool`` in proportion to ``weights``, losing nothing.

    weights: n whole numbers >= 0, not all zero.
    Returns n amounts in the same order that add up to ``pool`` exactly, each
    less than one micro from its true share (largest-remainder rule). Equal
    remainders favour the earlier weight, so the caller's order is policy.
    Raises NothingToSplit when all weights are zero or one is negative.
    """
    total = sum(weights)
    if not total or min(weights) < 0:
        raise NothingToSplit(f"{pool} over {len(weights)} weights adding up to {total}")
    floors = [pool.micros * weight // total for weight in weights]
    left_over = pool.micros - sum(floors)
    by_remainder = sorted(range(len(weights)), key=lambda i: -(pool.micros * weights[i] % total))
    for i in by_remainder[:left_over]:
        floors[i] += 1
    return [Money(micros, pool.currency) for micros in floors]


def split_carrying(
    pool: Money, weights_ppm: Sequence[int], carry: Sequence[int] | None = None
) -> tuple[list[Money], list[int]]:
    """Divide a tiny ``pool`` >= 0, remembering what rounding took from whom.

    `split` alone gives a fee of one micro to the same payee every time. Here each payee's
    target is the exact share plus what earlier roundings still owe; what the amounts miss is
    the next carry.

    weights_ppm: n whole numbers >= 0 that add up to 1,000,000; the same split every time.
    carry: n signed whole numbers in millionths of a micro that add up to zero, as the last
    call returned them; None the first time.
    Returns n amounts >= 0 that add up to ``pool``, and the carry for the next call.
    Use it when the pool is under 1,000 micros a payee; above that a micro is noise.
    """
    owed = [0] * len(weights_ppm) if carry is None else list(carry)
    if sum(weights_ppm) != WHOLE_PPM or min(weights_ppm) < 0 or pool.micros < 0:
        raise NothingToSplit(f"{pool} over {sum(weights_ppm)} ppm")
    if len(owed) != len(weights_ppm) or sum(owed) != 0:
        raise NothingToSplit(f"a carry of {len(owed)} adding up to {sum(owed)}")
    targets = [pool.micros * w + c for w, c in zip(weights_ppm, owed, strict=True)]
    amounts = [max(0, target // WHOLE_PPM) for target in targets]
    _settle_difference(amounts, targets, pool.micros - sum(amounts))
    left = [t - a * WHOLE_PPM for t, a in zip(targets, amounts, strict=True)]
    return [Money(micros, pool.currency) for micros in amounts], left


def _settle_difference(amounts: list[int], targets: list[int], difference: int) -> None:
    """Give ``difference`` micros out, one at a time, to whoever is furthest below target.

    A negative difference arises when a clamp at zero kept somebody above target; it is taken
    from those furthest above theirs who have something.
    """

    def missing(i: int) -> int:
        return targets[i] - amounts[i] * WHOLE_PPM

    for _ in range(difference):
        amounts[max(range(len(amounts)), key=missing)] += 1
    for _ in range(-difference):
        amounts[min((i for i, amount in enumerate(amounts) if amount), key=missing)] -= 1

"""Exact amounts of money, and the only two ways to divide them.

Pure. An amount is a whole number of micros (10⁻⁶ of the currency's major unit) together
with its currency. Nothing here rounds silently: `split` loses nothing, `split_carrying`
loses nothing and favours nobody over time, `floor_to_minor` hands back what it cut off.
`divide` and `approach` are the same two rules for plain whole numbers, such as weights.
"""

import heapq
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
    return [Money(micros, pool.currency) for micros in divide(pool.micros, weights)]


def divide(whole: int, claims: Sequence[int]) -> list[int]:
    """Divide a whole number in proportion to ``claims``, losing nothing (largest remainder).

    claims: n whole numbers >= 0, not all zero. Each part is less than one from its true share;
    equal remainders favour the earlier claim. Raises NothingToSplit.
    """
    total = sum(claims)
    if not total or min(claims) < 0:
        raise NothingToSplit(f"{whole} over {len(claims)} claims adding up to {total}")
    exact = [divmod(whole * claim, total) for claim in claims]
    parts = [part for part, _ in exact]
    if left := whole - sum(parts):
        rests = [rest for _, rest in exact]
        # Turned round, the order keeps the earlier of equals in front.
        for i in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:left]:
            parts[i] += 1
    return parts


def approach(targets: Sequence[int], total: int, *, scale: int) -> list[int]:
    """Choose n whole numbers >= 0 that add up to ``total`` >= 0, close to ``targets``.

    targets: in parts of which ``scale`` make one; they need not add up to ``total``. Everyone gets
    the whole of his target; one left over goes to whoever is furthest below his target, one too
    many comes from whoever is furthest above his and has something; the earlier of equals first.
    """
    amounts = [target // scale if target > 0 else 0 for target in targets]
    left = total - sum(amounts)
    step = 1 if left > 0 else -1
    distances = [
        step * (amount * scale - target) for amount, target in zip(amounts, targets, strict=True)
    ]
    order = [i for i, amount in enumerate(amounts) if step > 0 or amount]
    # Sorting keeps the earlier of equals in front.
    order.sort(key=distances.__getitem__)
    many = abs(left)
    if many <= len(order) and (not many or _once(distances, order, many, scale=scale)):
        for i in order[:many]:
            amounts[i] += step
        return amounts
    queue = [(distances[i], i) for i in order]  # in order, and so a heap
    for _ in range(many):
        distance, i = heapq.heappop(queue)
        amounts[i] += step
        if step > 0 or amounts[i]:
            heapq.heappush(queue, (distance + scale, i))
    return amounts


def _once(distances: Sequence[int], order: Sequence[int], many: int, *, scale: int) -> bool:
    """Whether the first ``many`` are each chosen before any of them would be for a second time."""
    first, last = order[0], order[many - 1]
    return (distances[last], last) <= (distances[first] + scale, first)


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
    amounts = approach(targets, pool.micros, scale=WHOLE_PPM)
    left = [t - a * WHOLE_PPM for t, a in zip(targets, amounts, strict=True)]
    return [Money(micros, pool.currency) for micros in amounts], left

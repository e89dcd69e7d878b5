"""Print money: to the currency's minor unit, and to the last micro for who asks. Pure."""

from ledger.money import minor_unit_micros

MICROS = 1_000_000
MINUS = "−"


def to_minor_unit(micros: int, currency: str) -> str:
    """Return ``8,412.07``: cut, never rounded up, so that nobody reads more than there is."""
    unit = minor_unit_micros(currency)
    whole, rest = divmod(abs(micros) // unit * unit, MICROS)
    places = len(str(MICROS // unit)) - 1
    text = f"{whole:,}" + (f".{rest:06d}"[: places + 1] if places else "")
    return f"{MINUS}{text}" if micros < 0 and text.strip("0.,") else text


def to_the_micro(micros: int) -> str:
    """Return ``0.041270``: the amount as the ledger keeps it, six places."""
    whole, rest = divmod(abs(micros), MICROS)
    return f"{MINUS if micros < 0 else ''}{whole:,}.{rest:06d}"


def below_minor_unit(micros: int, currency: str) -> bool:
    """Say whether there is an amount, but too small for the minor unit to show."""
    return micros != 0 and abs(micros) < minor_unit_micros(currency)

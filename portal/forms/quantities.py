"""Fields that read amounts and shares as people write them, into whole numbers of small units."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_PLAIN_NUMBER = re.compile(r"(?P<whole>[0-9]{1,12})(?:\.(?P<rest>[0-9]{1,6}))?")
MICROS_PLACES = 6
PERCENT_PLACES = 4  # of a per cent: one part per million


def _scaled(text: str, places: int) -> int:
    """Return ``text`` times 10 to the power of ``places``; refuse what would need rounding."""
    match = _PLAIN_NUMBER.fullmatch(text.strip().replace(",", ""))
    if match is None:
        raise forms.ValidationError(_("Write a plain number, such as 25 or 12.50."))
    rest = match["rest"] or ""
    if len(rest.rstrip("0")) > places:
        raise forms.ValidationError(_("That is finer than we can keep."))
    return int(match["whole"] + rest.ljust(places, "0")[:places])


class MicrosField(forms.CharField):
    """An amount of money in its major unit; cleans to whole micros."""

    def __init__(self, *, least_micros: int = 1, most_micros: int = 10**15, **kwargs: Any) -> None:
        self.least_micros, self.most_micros = least_micros, most_micros
        kwargs.setdefault(
            "widget", forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
        )
        super().__init__(max_length=24, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return whole micros, or None when nothing was asked for and nothing given."""
        text = super().clean(value)
        if not text:
            return None
        micros = _scaled(text, MICROS_PLACES)
        require_between(micros, self.least_micros, self.most_micros)
        return micros


def require_between(micros: int, least: int, most: int) -> None:
    """Refuse an amount outside its bounds, with the bound that it broke."""
    if micros < least:
        raise forms.ValidationError(_("At least %(amount)s."), params={"amount": _major(least)})
    if micros > most:
        raise forms.ValidationError(_("At most %(amount)s."), params={"amount": _major(most)})


class PpmField(forms.CharField):
    """A share in per cent; cleans to whole parts per million."""

    def __init__(self, *, most_ppm: int = 1_000_000, **kwargs: Any) -> None:
        self.most_ppm = most_ppm
        kwargs.setdefault(
            "widget", forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
        )
        super().__init__(max_length=12, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return parts per million, or None when nothing was asked for and nothing given."""
        text = super().clean(value)
        if not text:
            return None
        share = _scaled(text, PERCENT_PLACES)
        if not 0 < share <= self.most_ppm:
            raise forms.ValidationError(
                _("More than 0 and at most %(most)s per cent."),
                params={"most": f"{self.most_ppm / 10_000:g}"},
            )
        return share


def _major(micros: int) -> str:
    """Write micros in the major unit, without needless zeros."""
    whole, rest = divmod(micros, 10**MICROS_PLACES)
    return f"{whole:,}" + (f".{rest:06d}".rstrip("0") if rest else "")

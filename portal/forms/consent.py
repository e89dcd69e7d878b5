"""Forms by which creators say what may be done with many works, and on which terms."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.wording import CHOICES, PURPOSES

MICROS = 1_000_000


class SayTogether(forms.Form):
    """One word about one purpose, for many works."""

    work = forms.MultipleChoiceField(error_messages={"required": _("Tick one work at least.")})
    purpose = forms.ChoiceField(choices=[(value, words.label) for value, words in PURPOSES.items()])
    choice = forms.ChoiceField(choices=[(choice.value, choice.word) for choice in CHOICES])

    def __init__(self, *args: Any, work_ids: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["work"].choices = [(i, i) for i in work_ids]  # type: ignore[attr-defined]


class OfferTerms(forms.Form):
    """What a licence asks."""

    price = forms.DecimalField(
        label=_("Price"),
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(1_000_000_000),
        decimal_places=2,
        help_text=_("Leave it empty when the text at the address says it all."),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(c, c) for c in settings.CURRENCIES]
    )
    attribution_required = forms.BooleanField(label=_("I must be named"), required=False)
    uri = forms.URLField(
        label=_("Address of the full text"), max_length=500, assume_scheme="https"
    )

    def price_micros(self) -> int | None:
        """Return the price in micros, or None when none was named."""
        price: Decimal | None = self.cleaned_data["price"]
        return None if price is None else int(price * MICROS)

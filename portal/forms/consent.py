"""Forms by which creators say what may be done with many works, and on which terms."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.forms.quantities import MicrosField
from portal.wording import CHOICES, PURPOSES


class SayTogether(forms.Form):
    """One word about one purpose, for many works."""

    work = forms.MultipleChoiceField(error_messages={"required": _("Tick one work at least.")})
    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=[(value, words.label) for value, words in PURPOSES.items()]
    )
    choice = forms.ChoiceField(
        label=_("Companies"), choices=[(choice.value, choice.word) for choice in CHOICES]
    )

    def __init__(self, *args: Any, work_ids: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["work"].choices = [(i, i) for i in work_ids]  # type: ignore[attr-defined]


class OfferTerms(forms.Form):
    """What a licence asks."""

    price = MicrosField(
        label=_("Price"),
        required=False,
        least_micros=0,
        help_text=_("Leave it empty when the text at the address says it all."),
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=[(c, c) for c in settings.CURRENCIES])
    attribution_required = forms.BooleanField(label=_("I must be named"), required=False)
    uri = forms.URLField(label=_("Address of the full text"), max_length=500, assume_scheme="https")

"""The form by which an operator accepts a creator's terms."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AcceptTerms(forms.Form):
    """Which terms, and for how long."""

    subject = forms.CharField(widget=forms.HiddenInput)
    terms = forms.CharField(widget=forms.HiddenInput)
    purpose = forms.CharField(widget=forms.HiddenInput)
    until = forms.DateField(
        label=_("Until the end of"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave it empty for as long as the terms say."),
    )

    def clean_until(self) -> datetime | None:
        """Turn the day into the instant at which it is over, UTC."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if day < timezone.now().date():
            raise forms.ValidationError(_("This day is over already."))
        return datetime.combine(day, time.max, UTC)

    def chosen(self) -> dict[str, Any]:
        """Return which offer is meant, by the ids that it came with."""
        return {name: self.cleaned_data[name] for name in ("subject", "terms", "purpose")}

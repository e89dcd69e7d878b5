"""Forms of admins who look into what the rules flagged or held back."""

from django import forms
from django.utils.translation import gettext_lazy as _


class Resolution(forms.Form):
    """What a person found out."""

    resolution = forms.CharField(label=_("What you found out"), max_length=400)

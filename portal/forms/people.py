"""Forms by which a person becomes a creator or founds an operator."""

from django import forms
from django.utils.translation import gettext_lazy as _

HANDLE_HINT = _("Lower-case letters, digits and hyphens; it becomes part of public addresses.")


class Join(forms.Form):
    """A new creator."""

    display_name = forms.CharField(
        label=_("Your name, as it shall be credited"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    handle = forms.CharField(
        label=_("Short name"),
        help_text=HANDLE_HINT,
        max_length=40,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )


class Found(forms.Form):
    """A new operator."""

    name = forms.CharField(
        label=_("Name of the organisation"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    handle = forms.CharField(
        label=_("Short name"),
        help_text=HANDLE_HINT,
        max_length=40,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )

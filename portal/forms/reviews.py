"""Forms of admins who look into what the rules flagged or held back."""

from django import forms
from django.utils.translation import gettext_lazy as _

from attribution.models import GenerativeModel


class Resolution(forms.Form):
    """What a person found out."""

    resolution = forms.CharField(label=_("What you found out"), max_length=400)


class StartShadowRun(forms.Form):
    """A method to run over a model's past queries."""

    model = forms.ModelChoiceField(
        label=_("Model"),
        queryset=GenerativeModel.objects.filter(queries__kept_evidence__isnull=False).distinct(),
        help_text=_("Only models whose operators agreed to have evidence kept."),
    )
    method = forms.ChoiceField(label=_("Method"), choices=GenerativeModel.Method.choices)
    days = forms.IntegerField(label=_("Of the last days"), min_value=1, max_value=400, initial=90)


class Decision(forms.Form):
    """What an admin decides about a shadow run."""

    deed = forms.ChoiceField(choices=[(deed, deed) for deed in ("propose", "accept", "dismiss")])
    reason = forms.CharField(required=False, max_length=400)


class Review(forms.Form):
    """What an admin makes of a sign, and why."""

    deed = forms.ChoiceField(choices=[("confirm", "confirm"), ("clear", "clear")])
    reason = forms.CharField(max_length=400)


class CapDecision(forms.Form):
    """Where money that passed a cap goes, and why."""

    deed = forms.ChoiceField(choices=[("release", "release"), ("redirect", "redirect")])
    reason = forms.CharField(max_length=400)

"""Forms of operators: keys, models and their manifests, top-ups."""

import base64
import binascii
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ledger import limits
from portal.forms.quantities import MicrosField, PpmField, require_between

CURRENCIES = [(code, code) for code in settings.CURRENCIES]
FIXED, PART = "fixed", "part"


class RegisterModel(forms.Form):
    """A model, and what it owes for each answer."""

    name = forms.CharField(label=_("Name"), max_length=120)
    version = forms.CharField(label=_("Version"), max_length=60)
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)
    policy = forms.ChoiceField(
        label=_("What it owes for an answer"),
        choices=[(FIXED, _("A fixed fee")), (PART, _("A part of the answer's price"))],
        widget=forms.RadioSelect,
        initial=FIXED,
    )
    fee = MicrosField(
        label=_("Fee per answer"), required=False, help_text=_("For a fixed fee, such as 0.01.")
    )
    part = PpmField(
        label=_("Part of the price, in per cent"),
        required=False,
        help_text=_("For a part of the price, such as 20."),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the figure that the chosen policy needs."""
        given = super().clean() or {}
        needed = "part" if given.get("policy") == PART else "fee"
        if not given.get(needed) and needed not in self.errors:
            self.add_error(needed, _("Give this figure, or choose the other way."))
        return given


class SendManifest(forms.Form):
    """What a model learned from."""

    file = forms.FileField(
        label=_("The manifest"),
        help_text=_(
            "One JSON object a line: url, sha256 or iscc, and ingested_at, such as "
            "2026-03-01T00:00:00Z."
        ),
    )


class SignCredits(forms.Form):
    """An answer to bind its credits to."""

    asset = forms.FileField(
        label=_("The answer, as a file"),
        help_text=_("Read once to bind the credits to it, and not kept."),
    )
    mode = forms.ChoiceField(
        label=_("Where the manifest goes"),
        choices=[
            ("sidecar", _("Into a file of its own (.c2pa), beside any kind of answer")),
            ("embedded", _("Into a copy of the answer: pictures, sound, film, PDF")),
        ],
        widget=forms.RadioSelect,
        initial="sidecar",
    )


class RegisterReportKey(forms.Form):
    """A public key that signs reports."""

    name = forms.CharField(label=_("Name"), max_length=80)
    public_key = forms.CharField(
        label=_("Public key"),
        max_length=64,
        help_text=_("32 bytes of Ed25519, in base64. The private half stays with you."),
    )

    def clean_public_key(self) -> bytes:
        """Read the base64."""
        try:
            return base64.b64decode(self.cleaned_data["public_key"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise forms.ValidationError(_("This is not base64.")) from error


class KeepEvidence(forms.Form):
    """For how long evidence may be kept."""

    days = forms.IntegerField(
        label=_("Days"),
        required=False,
        min_value=1,
        max_value=400,
        help_text=_("Leave it empty to keep nothing; what was kept is then deleted at once."),
    )


class TopUp(forms.Form):
    """Money to be paid in."""

    amount = MicrosField(label=_("Amount"))
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)

    def clean(self) -> dict[str, Any]:
        """Hold the amount to its currency's bounds."""
        given = super().clean() or {}
        micros, currency = given.get("amount"), given.get("currency")
        if micros is not None and currency is not None:
            least, most = limits.least_topup(currency), limits.most_topup(currency)
            try:
                require_between(micros, least.micros, most.micros)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return given

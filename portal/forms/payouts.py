"""Forms about being paid and about paying."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ledger.payment_file import is_iban
from ledger.vocabulary import AccountKind
from registry.models import Creator

# Countries in which the payment provider opens accounts for us to pay into, by ISO 3166-1.
COUNTRIES = [
    ("AT", _("Austria")), ("BE", _("Belgium")), ("BG", _("Bulgaria")), ("CA", _("Canada")),
    ("CH", _("Switzerland")), ("CY", _("Cyprus")), ("CZ", _("Czechia")), ("DE", _("Germany")),
    ("DK", _("Denmark")), ("EE", _("Estonia")), ("ES", _("Spain")), ("FI", _("Finland")),
    ("FR", _("France")), ("GB", _("United Kingdom")), ("GR", _("Greece")), ("HR", _("Croatia")),
    ("HU", _("Hungary")), ("IE", _("Ireland")), ("IT", _("Italy")), ("LT", _("Lithuania")),
    ("LU", _("Luxembourg")), ("LV", _("Latvia")), ("MT", _("Malta")), ("NL", _("Netherlands")),
    ("NO", _("Norway")), ("PL", _("Poland")), ("PT", _("Portugal")), ("RO", _("Romania")),
    ("SE", _("Sweden")), ("SI", _("Slovenia")), ("SK", _("Slovakia")), ("US", _("United States")),
]  # fmt: skip


class Onboard(forms.Form):
    """Where a creator is at home, for the payment provider."""

    country = forms.ChoiceField(label=_("Where you live or are registered"), choices=COUNTRIES)


class Prepare(forms.Form):
    """The currency of a new batch of payouts."""

    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in settings.CURRENCIES]
    )


class BankAccount(forms.Form):
    """Where a bank shall pay a creator."""

    holder = forms.CharField(
        label=_("Name on the account"),
        max_length=70,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    iban = forms.CharField(
        label=_("IBAN"),
        max_length=42,
        help_text=_(
            "Spaces do not matter. We check its digits, and show only the last four later."
        ),
        widget=forms.TextInput(
            {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )

    def clean_iban(self) -> str:
        """Return the IBAN without spaces; refuse wrong check digits."""
        number = "".join(str(self.cleaned_data["iban"]).split()).upper()
        if not is_iban(number):
            raise forms.ValidationError(
                _("This IBAN has a wrong length or a wrong digit. Compare it with your bank’s.")
            )
        return number


class DecideAside(forms.Form):
    """To whom money that was set apart goes, and why."""

    EARNERS, SOMEBODY = "earners", "somebody"

    to = forms.ChoiceField(
        label=_("Who gets it"),
        choices=[
            (EARNERS, _("Those for whom it lies apart, each its own part")),
            (SOMEBODY, _("One creator: all of it")),
        ],
        widget=forms.RadioSelect,
    )
    handle = forms.CharField(
        label=_("Short name of that creator"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )
    kind = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        help_text=_("What was found, and by whom. It stays on record with your name."),
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: Any, kinds: Collection[str], **kwargs: Any) -> None:
        """Offer only what is there: kinds of accounts, as their numbers."""
        super().__init__(*args, **kwargs)
        self.kinds = kinds
        self.fields["kind"].initial = min(kinds, default="")
        if str(int(AccountKind.CREATOR_DISPUTED)) not in kinds:
            self.fields["to"].choices = [(self.SOMEBODY, _("One creator: all of it"))]  # type: ignore[attr-defined]
            self.fields["to"].initial = self.SOMEBODY

    def clean(self) -> dict[str, Any]:
        """Ask for a creator who is there when one shall get it all."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") not in self.kinds:
            self.add_error(None, _("Nothing of this kind waits any more."))
        handle = cleaned.get("handle", "").strip().lower()
        if cleaned.get("to") == self.SOMEBODY:
            if not Creator.objects.filter(handle=handle, erased_at=None).exists():
                self.add_error("handle", _("No creator has this short name."))
            cleaned["handle"] = handle
        return cleaned

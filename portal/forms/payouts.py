"""Forms about being paid and about paying."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

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

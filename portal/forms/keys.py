"""The form of a new API key, and what each kind of owner may let one do."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Scopes = Sequence[tuple[str, str | Promise]]

OPERATOR_SCOPES: Scopes = [
    ("checks:write", _("Ask what is allowed")),
    ("grants:write", _("Accept licence terms")),
    ("models:write", _("Declare models and what they learned from")),
    ("queries:write", _("Report what was generated")),
    ("balance:read", _("Read the balance")),
    ("topups:write", _("Top the balance up")),
    ("webhooks:write", _("Have events sent to an address")),
]
CREATOR_SCOPES: Scopes = [
    ("works:read", _("Read works, sites and disputes")),
    ("works:write", _("Register works and sites")),
    ("statements:write", _("Say what is allowed, and write terms")),
    ("earnings:read", _("Read earnings and statements")),
    ("exports:write", _("Have an archive of everything made, which a person then takes")),
    ("webhooks:write", _("Have events sent to an address")),
]
PAYOUT_SCOPES: Scopes = [
    ("payouts:prepare", _("Draw up and submit payouts")),
    ("payouts:approve", _("Read payouts and say what the bank answered")),
    ("attribution:review", _("Review what attribution holds or flags")),
]
REVIEW_SCOPES: Scopes = [("disputes:decide", _("Decide disputes, appeals and clusters"))]


class IssueKey(forms.Form):
    """A new API key, of an owner who may let it do some things."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_(
            "What it is for. Two keys may share a name while you replace one by the other."
        ),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, scopes: Scopes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = scopes  # type: ignore[attr-defined]

"""The form of who leaves: what becomes of refusals, and of money that is left."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.models import Erasure


class Leave(forms.Form):
    """Ask to be erased. Without money that is left there is nothing to say about it."""

    refusals = forms.ChoiceField(
        label=_("What you have refused"),
        widget=forms.RadioSelect,
        initial=Erasure.Refusals.KEEP.value,
        choices=[
            (
                Erasure.Refusals.KEEP.value,
                _(
                    "Stays refused, without your name: hashes of your files and addresses stay, so "
                    "that AI companies go on reading a no"
                ),
            ),
            (
                Erasure.Refusals.WITHDRAW.value,
                _(
                    "Is taken back too: nothing leads to your works any more, and nothing is said of them"
                ),
            ),
        ],
    )
    leaves_money = forms.BooleanField(
        label=_("Leave the money above behind, instead of being paid first"),
        help_text=_("You get a code with which you can claim it later."),
        required=False,
    )

    def __init__(self, *args: Any, money: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not money:
            del self.fields["leaves_money"]

"""Forms by which parties answer and appeal, and reviewers decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.dispute_words import FINDINGS, GROUNDS, OUTCOMES, REASONS
from registry.clusters import MERGE_REASONS, SEPARATE_REASONS


class Answer(forms.Form):
    """What speaks for a party's side."""

    reason = forms.ChoiceField(label=_("Your answer"), choices=list(REASONS.items()))


class Appeal(forms.Form):
    """Why another person should look."""

    ground = forms.ChoiceField(label=_("Why"), choices=list(GROUNDS.items()))


class Decide(forms.Form):
    """What a reviewer found."""

    outcome = forms.ChoiceField(label=_("What you found"), choices=list(OUTCOMES.items()))


class Merge(forms.Form):
    """That all works of a cluster are one, with one more if it is named."""

    reason = forms.ChoiceField(
        label=_("Why they are one"),
        choices=[(reason, FINDINGS[reason]) for reason in MERGE_REASONS],
    )
    work = forms.CharField(
        label=_("Another work that belongs to them"),
        required=False,
        max_length=40,
        help_text=_(
            "Its id, such as wrk_01jzj6t3v7e8qs9f3c5m2k4x7a; its whole cluster comes along."
        ),
    )


class Separate(forms.Form):
    """That a work is not like the rest."""

    work = forms.CharField(max_length=40)
    reason = forms.ChoiceField(
        label=_("Why it is apart"),
        choices=[(reason, FINDINGS[reason]) for reason in SEPARATE_REASONS],
    )

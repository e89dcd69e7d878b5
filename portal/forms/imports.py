"""The form by which a file of works enters the registry."""

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.models import Import

FORMATS = [
    (Import.Format.CSV, _("CSV, as spreadsheets save it")),
    (Import.Format.JSON_LINES, _("JSON Lines, one work a line")),
]


class SendWorks(forms.Form):
    """A file of works, and whether to register them or only look."""

    file = forms.FileField(
        label=_("The file"),
        help_text=_("With the columns of the template; UTF-8. Rows with a fault spoil no others."),
    )
    format = forms.ChoiceField(label=_("How it is written"), choices=FORMATS)
    dry_run = forms.BooleanField(
        label=_("Only tell me what would happen"),
        required=False,
        help_text=_("Nothing is registered; you get the same report."),
    )

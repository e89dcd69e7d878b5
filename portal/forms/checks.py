"""The form by which a person asks about many things at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.identifying import kind_of
from portal.wording import PURPOSES
from registry.asked import CheckItem
from registry.checks import MOST_ITEMS
from tribute.vocabulary import Purpose

MOST_FILE_BYTES = 20_000_000


class Ask(forms.Form):
    """What somebody wants to use, and what for."""

    things = forms.CharField(
        label=_("Web addresses, SHA-256 or ISCC, one a line"),
        required=False,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("Or a text file of them"),
        required=False,
        help_text=_(
            "UTF-8, one a line. Up to 10,000 lines; for more there is the tribute command."
        ),
    )
    purposes = forms.MultipleChoiceField(
        label=_("What for"),
        choices=[(value, words.label) for value, words in PURPOSES.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[Purpose.TRAIN_AI.value],
        error_messages={"required": _("Choose one purpose at least.")},
    )

    def clean(self) -> dict[str, Any]:
        """Read the lines; one of the two ways to give them is enough."""
        given = super().clean() or {}
        name = "file" if given.get("file") else "things"
        try:
            lines = _lines(given)
        except forms.ValidationError as error:
            self.add_error("file", error)
            return given
        if not lines:
            self.add_error(name, _("Give one line at least."))
        elif len(lines) > MOST_ITEMS:
            self.add_error(name, _("These are more than 10,000 lines. Ask about them in parts."))
        given["items"] = [CheckItem(**{kind_of(line).value: line}) for line in lines]
        return given


def _lines(given: dict[str, Any]) -> list[str]:
    text = str(given.get("things") or "")
    if (file := given.get("file")) is not None:
        if file.size > MOST_FILE_BYTES:
            raise forms.ValidationError(_("This file is too large to be 10,000 lines."))
        try:
            text += "\n" + file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This file is not UTF-8 text.")) from error
    # Only what ends a line in a file does so here: an address may hold other odd characters.
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]

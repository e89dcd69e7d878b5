"""Forms by which works, sites and licence terms enter the registry."""

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from portal.forms.quantities import PpmField
from tribute.vocabulary import IdentifierKind, Medium

CO_OWNER_ROWS = 4

MEDIA = [
    (Medium.TEXT, _("Text")),
    (Medium.IMAGE, _("Picture")),
    (Medium.AUDIO, _("Sound")),
    (Medium.VIDEO, _("Film")),
    (Medium.CODE, _("Program")),
    (Medium.OTHER, _("Something else")),
]
PLACES = [
    (IdentifierKind.HOST, _("One host, such as ada.example")),
    (IdentifierKind.DOMAIN, _("A domain with every host below it")),
    (IdentifierKind.PATH, _("Everything below one address, which ends with a slash")),
]


class Register(forms.Form):
    """A new work and how it is recognised."""

    title = forms.CharField(label=_("Title"), max_length=300)
    medium = forms.ChoiceField(label=_("What it is"), choices=MEDIA)
    file = forms.FileField(
        label=_("The file"),
        required=False,
        help_text=_("We read it once for its fingerprints, SHA-256 and ISCC, and do not keep it."),
    )
    url = forms.CharField(
        label=_("Web address"),
        required=False,
        max_length=2_000,
        help_text=_("Where it is published."),
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "url", "spellcheck": "false"}),
    )
    sha256 = forms.CharField(
        label=_("SHA-256"),
        required=False,
        max_length=100,
        help_text=_("64 hexadecimal digits, when you would rather not send the file."),
        widget=forms.TextInput({"spellcheck": "false", "autocomplete": "off"}),
    )
    iscc = forms.CharField(
        label=_("ISCC"),
        required=False,
        max_length=100,
        help_text=_("The International Standard Content Code, if you have one."),
        widget=forms.TextInput({"spellcheck": "false", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one way to recognise the work at least."""
        given = super().clean() or {}
        if not any(given.get(name) for name in ("file", "url", "sha256", "iscc")) and not any(
            name in self.errors for name in ("file", "url", "sha256", "iscc")
        ):
            self.add_error("file", _("Choose a file, or give an address, a SHA-256 or an ISCC."))
        return given

    def identifiers(self) -> list[tuple[IdentifierKind, str]]:
        """Return what was typed; what the file yields is the fingerprint's to say."""
        kinds = (IdentifierKind.URL, IdentifierKind.SHA256, IdentifierKind.ISCC)
        return [(kind, text) for kind in kinds if (text := self.cleaned_data[kind.value].strip())]


class CoOwner(forms.Form):
    """Somebody who holds a part of the rights in a work."""

    handle = forms.CharField(
        label=_("Short name"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )
    percent = PpmField(label=_("Per cent"), required=False, most_ppm=999_999)

    def clean(self) -> dict[str, Any]:
        """Ask for both or neither."""
        given = super().clean() or {}
        if bool(given.get("handle")) != bool(given.get("percent")):
            self.add_error(
                "percent" if given.get("handle") else "handle",
                _("Give both the short name and the share."),
            )
        return given

    def share(self) -> tuple[str, int] | None:
        """Return the handle and its parts per million, or None for an empty row."""
        if not self.cleaned_data.get("handle"):
            return None
        return self.cleaned_data["handle"], self.cleaned_data["percent"]


CoOwners = formset_factory(CoOwner, extra=CO_OWNER_ROWS)


class Claim(forms.Form):
    """A site that the creator controls."""

    kind = forms.ChoiceField(label=_("What you control"), choices=PLACES)
    value = forms.CharField(
        label=_("Its name or address"),
        max_length=2_000,
        widget=forms.TextInput({"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
    )


class SignedFile(forms.Form):
    """A file signed for the challenge."""

    file = forms.FileField(
        label=_("The signed file"),
        help_text=_("We read it once for its signature, and do not keep it."),
    )


class Sieve(forms.Form):
    """What a list of works is narrowed to."""

    q = forms.CharField(label=_("Title contains"), required=False, max_length=100)
    medium = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Any")), *MEDIA])

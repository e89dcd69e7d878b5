"""Own the words that say how each ready file gets onto a site."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from portal.wording import PURPOSES, Words
from tribute.standards.policy import Written
from tribute.vocabulary import Decision

HOW: Mapping[str, Words] = {
    "robots.txt": _(
        "Add these lines to the file robots.txt at the top of your host. If there is a group for "
        "every user agent already, add the lines below its first one to that group."
    ),
    "tdmrep.json": _("Save it as /.well-known/tdmrep.json. It is sent as application/json."),
    "ai.txt": _("Save it as /ai.txt, at the top of your host."),
    "rsl.xml": _(
        "Save it as /license.xml and have it sent as application/rsl+xml; robots.txt above leads "
        "to it."
    ),
    "headers.txt": _(
        "Have your server send these lines with every answer below this address: add_header in "
        "nginx, Header set in Apache, a rule for headers at your host or content network."
    ),
    "cawg.json": _(
        "For pictures, sound and video that you sign: give it to your signing tool as the assertion "
        "cawg.training-mining."
    ),
}


@dataclass(frozen=True, slots=True)
class Ready:
    """One file as the page shows it. silent: purposes it has no word for; stricter: said harder."""

    name: str
    file: Written
    how: Words
    silent: tuple[Words, ...]
    stricter: tuple[Words, ...]


def ready(files: Mapping[str, Written]) -> list[Ready]:
    """Return the files with how to install each, and what each cannot say."""
    return [
        Ready(
            name,
            file,
            HOW[name],
            tuple(_labels(file, silent=True)),
            tuple(_labels(file, silent=False)),
        )
        for name, file in files.items()
    ]


def _labels(file: Written, *, silent: bool) -> list[Words]:
    return [
        PURPOSES[difference.purpose].label
        for difference in file.differences
        if (difference.stated == Decision.UNKNOWN) is silent
    ]

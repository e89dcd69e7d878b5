"""The words in Chinese: all of them, with the same places for names and figures, and compiled."""

import gettext
import re
from pathlib import Path

CATALOGUE = Path(__file__).resolve().parents[2] / "portal" / "locale" / "zh_Hans" / "LC_MESSAGES"
ENTRY = re.compile(
    r'^msgid "(?P<english>.+)"\n(?:msgid_plural "(?P<plural>.*)"\n)?msgstr(?:\[0\])? "(?P<chinese>.*)"$',
    re.MULTILINE,
)
PLACE = re.compile(r"%\([a-z_]+\)s")


def entries() -> list[re.Match[str]]:
    return list(ENTRY.finditer((CATALOGUE / "django.po").read_text()))


def test_every_entry_is_translated() -> None:
    found = entries()

    assert len(found) > 500
    assert [e["english"] for e in found if not e["chinese"]] == []


def test_names_and_figures_have_their_places() -> None:
    wrong = [
        e["english"]
        for e in entries()
        if set(PLACE.findall(e["english"])) != set(PLACE.findall(e["chinese"]))
    ]

    assert wrong == []


def test_the_compiled_catalogue_is_that_of_the_words() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for entry in entries():
        english, context = entry["english"].replace('\\"', '"'), _context(entry)
        chinese = entry["chinese"].replace('\\"', '"')
        said = (
            compiled.pgettext(context, english)
            if context
            else compiled.ngettext(english, entry["plural"].replace('\\"', '"'), 2)
            if entry["plural"]
            else compiled.gettext(english)
        )
        assert said == chinese


def _context(entry: re.Match[str]) -> str:
    before = entry.string[: entry.start()].rsplit("\n\n", 1)[-1]
    found = re.search(r'^msgctxt "(.*)"$', before, re.MULTILINE)
    return found[1] if found else ""

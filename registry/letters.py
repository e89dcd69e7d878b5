"""Mail to several people, to each in the language chosen on the pages; in English to all others."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.conf import settings
from django.utils import translation

from registry.models import User

__all__ = ["Letter", "for_each_language"]


class Letter(NamedTuple):
    """One mail in one language, and who gets it."""

    subject: str
    text: str
    people: list[str]


def for_each_language(people: Iterable[User], write: Callable[[], tuple[str, str]]) -> list[Letter]:
    """Write a mail once for each language that its readers have; ``write`` says subject and text."""
    offered = dict(settings.LANGUAGES)
    readers: dict[str, list[str]] = {}
    for person in people:
        language = person.language if person.language in offered else settings.LANGUAGE_CODE
        readers.setdefault(language, []).append(person.email)
    letters = []
    for language, addresses in sorted(readers.items()):
        with translation.override(language):
            letters.append(Letter(*write(), addresses))
    return letters

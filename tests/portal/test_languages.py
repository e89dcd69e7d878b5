"""The language chosen on the pages is kept with the person, and nobody else's."""

from registry.models import User
from tests.portal.conftest import World, signed_in


def language(name: str) -> str:
    return User.objects.get(email=f"{name}@example.org").language


def test_the_language_chosen_on_the_pages_is_remembered(world: World) -> None:
    ada = signed_in("ada")
    ada.get("/overview/")
    assert language("ada") == "", "what a browser would like is no choice"

    ada.post("/i18n/setlang/", {"language": "zh-hans", "next": "/overview/"})
    ada.get("/overview/")
    assert (language("ada"), language("ben")) == ("zh-hans", "")

    ada.post("/i18n/setlang/", {"language": "en", "next": "/overview/"})
    ada.get("/overview/")
    assert language("ada") == "en"


def test_a_language_that_is_not_offered_is_not_kept(world: World) -> None:
    ada = signed_in("ada")
    for odd in ("tlh", "x" * 200, "\0"):
        ada.cookies["django_language"] = odd
        ada.get("/overview/")
    assert language("ada") == ""

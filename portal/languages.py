"""Remember the language that somebody chose on the pages, so that mail is written in it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from portal.access import person
from registry.models import User

Answer = Callable[[HttpRequest], HttpResponseBase]


def remembered(answer: Answer) -> Answer:
    """Keep the chosen language of who is signed in, when it is another than before (middleware)."""

    def remembering(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        # Looked at only where the page itself asked who is here: signing in is not asked for by this.
        asked = request.session.accessed and request.user.is_authenticated
        if asked and chosen in dict(settings.LANGUAGES):
            user = person(request)
            if user.language != chosen:
                User.objects.filter(pk=user.pk, erased_at=None).update(language=chosen)
        return response

    return remembering

"""What people are told who leave: when they asked, before, when something is in the way, and after."""

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from registry.models import Erasure

SUBJECTS = {
    "requested": lambda: _("You asked to be erased"),
    "reminder": lambda: _("You will be erased soon"),
    "blocked": lambda: _("You could not be erased yet"),
    "finished": lambda: _("You have been erased"),
}


def tell(erasure: Erasure, moment: str, *, code: str = "") -> None:
    """Send a mail in the language in which the person asked. Raises what the mail server says."""
    with translation.override(erasure.language):
        subject = f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{SUBJECTS[moment]()}"
        text = "\n\n".join(_paragraphs(erasure, moment, code)) + "\n"
    send_mail(subject, text, None, [erasure.user.email])


def _paragraphs(erasure: Erasure, moment: str, code: str) -> list[str]:
    page = settings.PUBLIC_URL + reverse("portal:departure")
    if moment == "finished":
        return _after(erasure)
    if moment == "blocked":
        return [
            _(
                "Something is still under way with your account, so nothing was erased. We try again "
                "until you call it off."
            ),
            _("What stands in the way:") + f"\n{page}",
        ]
    return [
        f"{_before(erasure)}\n{page}",
        _("If it was not you who asked, call it off and change your password."),
        *([_claimed_with(code)] if code else []),
    ]


def _before(erasure: Erasure) -> str:
    day = f"{erasure.due_at:%Y-%m-%d %H:%M}"
    if erasure.creator is not None:
        return _(
            "On %(day)s UTC we erase the creator %(name)s; you stay. Until then all is as it was, and "
            "you can call it off:"
        ) % {"day": day, "name": erasure.creator.display_name}
    return _(
        "On %(day)s UTC we erase what Tribute knows of you. Until then all is as it was, and you can "
        "call it off:"
    ) % {"day": day}


def _claimed_with(code: str) -> str:
    said = _(
        "Should money be left, it waits for %(days)s days. This code, which we do not keep, claims it:"
    ) % {"days": settings.ERASURE_CLAIM_DAYS}
    return f"{said}\n{code}"


def _after(erasure: Erasure) -> list[str]:
    told = [
        _(
            "The creator is erased: its names, addresses, titles and keys are gone from Tribute. You stay."
        )
        if erasure.creator is not None
        else _(
            "Your names, addresses, titles and keys are gone from Tribute, and this address with them: "
            "this is the last mail."
        ),
        _("What you denied stays denied.")
        if erasure.refusals == Erasure.Refusals.KEEP
        else _("Whatever you had said about your works is taken back."),
        _(
            "What the payment provider keeps about you, it keeps by its own duties; ask it for that."
        ),
    ]
    if erasure.leaves_money:
        told.append(_("Money that was left waits for you under the code of our first mail."))
    return told

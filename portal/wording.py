"""Own the words of consent: purposes and choices as people read them. Pure but for translation."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tribute.vocabulary import Decision, Purpose

Words = str | Promise


@dataclass(frozen=True, slots=True)
class PurposeWords:
    """One purpose: as a column's heading, and as the clause of the sentence."""

    label: Words
    clause: Words


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a creator can say about a purpose."""

    value: str
    decision: Decision
    paid: bool
    word: Words
    effect: Words


# The order of the sentence's clauses, the weightiest first.
PURPOSES: dict[str, PurposeWords] = {
    Purpose.TRAIN_AI: PurposeWords(
        _("Train generative AI"), pgettext_lazy("AI companies may", "train generative models on it")
    ),
    Purpose.AI_INPUT: PurposeWords(
        _("Use in answers"), pgettext_lazy("AI companies may", "draw on it for their answers")
    ),
    Purpose.TRAIN_OTHER: PurposeWords(
        _("Train other AI"),
        pgettext_lazy("AI companies may", "train models that generate nothing like it"),
    ),
    Purpose.SEARCH: PurposeWords(
        _("Show in search"), pgettext_lazy("AI companies may", "show it in search")
    ),
    Purpose.DATA_MINING: PurposeWords(
        _("Mine for data"), pgettext_lazy("AI companies may", "mine it for patterns")
    ),
}

CHOICES: tuple[Choice, ...] = (
    Choice(
        "deny",
        Decision.DENY,
        False,
        _("may not"),
        _("Counts from the moment you save, for everybody who asks."),
    ),
    Choice(
        "paid",
        Decision.ALLOW,
        True,
        _("may, if they pay,"),
        _("Allowed; when an answer draws on it, your share is paid to you."),
    ),
    Choice(
        "allow",
        Decision.ALLOW,
        False,
        _("may"),
        _("Allowed without payment to you; you are still named."),
    ),
    Choice(
        "license",
        Decision.LICENSE,
        False,
        _("may only under a licence"),
        _("Not allowed until they accept your terms."),
    ),
)
UNSAID = Choice(
    "unknown",
    Decision.UNKNOWN,
    False,
    _("may or may not (not said)"),
    _("You have not said. Careful companies leave it out; silence is never a yes."),
)
BY_VALUE = {choice.value: choice for choice in (*CHOICES, UNSAID)}
CHIP_WORDS: dict[str, Words] = {
    "deny": _("No"),
    "paid": _("Yes, if paid"),
    "allow": _("Yes"),
    "license": _("Under licence"),
    "unknown": _("Not said"),
}


def choice_of(decision: str, *, paid: bool) -> str:
    """Return the value of the choice that a decision and its payment make."""
    return "paid" if decision == Decision.ALLOW and paid else decision


# What is known about a contribution, never more: a resemblance is not a cause.
EVIDENCE: dict[str, Words] = {
    "verbatim": _("found word for word"),
    "similarity": _("resembles"),
    "cascade": _("found word for word, or resembles"),
    "shapley": _("resembles, by its passages"),
    "reported": _("reported by the operator"),
    "uniform": _("shared alike over all the model learned from"),
}
WITHHELD: dict[str, Words] = {
    "waived": _("you allowed this use without asking to be paid"),
    "no_payment": _("you asked for no money"),
    "own_work": _("an operator’s own works earn nothing from its queries"),
    "related": _("you and this operator belong together"),
    "erased": _("this creator has left"),
}
# What is odd about reports of queries.
FLAGS: dict[str, Words] = {
    "gap": _("Numbers are missing"),
    "reused": _("A number came again with other content"),
    "backdated": _("Dated before what was already reported"),
    "late": _("Reported long after it happened"),
}
# How far a shadow run has come.
SHADOW_RUNS: dict[str, Words] = {
    "running": _("Being weighed"),
    "ready": _("Ready to look at"),
    "proposed": _("Waits for another admin"),
    "accepted": _("Being booked"),
    "posted": _("Booked"),
    "dismissed": _("Dismissed; nothing changed"),
}
# Signs that an operator and a creator are the same people.
RELATIONS: dict[str, Words] = {
    "members": _("A member in common"),
    "payee": _("The same name at the bank"),
    "domain": _("The same domain"),
    "declared": _("One of them said so"),
}

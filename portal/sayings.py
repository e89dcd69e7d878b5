"""Read what creators said, ready to be shown: per work and purpose, as history, as a sentence.

Reads the registry's facts and asks it what stands; what counts is never decided here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import sentences
from portal.wording import PURPOSES, UNSAID, Choice, choice_of
from registry import consent
from registry.models import Collection, Creator, LogOutbox, Statement, Terms, Work
from tribute.vocabulary import Purpose

MOST_JUDGED = 10_000
"""Works nothing was said about that a page asks about one by one."""


@dataclass(frozen=True, slots=True)
class Word:
    """A creator's word on one work and purpose, and whether it is what companies are told.

    told: the decision that a check answers now; another than ``decision`` while the creator's
    claim is not proven, or when somebody with a say is stricter.
    """

    label: str | Promise
    decision: str
    paid: bool
    told: str

    @property
    def counts(self) -> bool:
        """Whether companies are told just this."""
        return self.decision == self.told


@dataclass(frozen=True, slots=True)
class Event:
    """One statement with its place in the transparency log, if it has one yet."""

    statement: Statement
    leaf_hash: str
    log_index: int | None


def words(
    works: Sequence[Work], purpose: Purpose, *, creator: Creator, at: datetime
) -> dict[str, Word]:
    """Return the creator's word on each work, in two steps of constant size.

    Where the creator said nothing on the work itself, what stands by other statements is shown.
    """
    told = consent.standing([work.pk for work in works], purpose, at=at)
    said = _last_said(
        Statement.objects.filter(
            work__in=works, claimant=creator, purpose=purpose, effective_from__lte=at
        )
    )
    label = PURPOSES[purpose].label
    found = {}
    for work in works:
        own, standing = said.get(work.pk), told[work.pk]
        found[work.pk] = Word(
            label=label,
            decision=own.decision if own else standing.decision.value,
            paid=own.paid if own else standing.paid,
            told=standing.decision.value,
        )
    return found


def _last_said(statements: Iterable[Statement]) -> dict[str, Statement]:
    ordered = sorted(statements, key=lambda s: (s.effective_from, s.sequence))
    return {s.subject_id: s for s in ordered}


def counts(creator: Creator, purpose: Purpose, *, at: datetime) -> dict[str, int]:
    """Count the creator's works by what the creator says about a purpose (choice → works).

    A work nothing was said about counts under what stands for it, by its site or by the creator's
    general word; past MOST_JUDGED of them under the general word alone.
    """
    last = Statement.objects.filter(
        work=OuterRef("pk"), claimant=creator, purpose=purpose, effective_from__lte=at
    ).order_by("-effective_from", "-sequence")
    works = Work.objects.filter(shares__creator=creator).annotate(
        said=Subquery(last.values("decision")[:1]), paid=Subquery(last.values("paid")[:1])
    )
    said = works.exclude(said=None).values_list("said", "paid")
    found = Counter(
        {
            choice_of(decision, paid=paid): count
            for decision, paid, count in said.annotate(works=Count("pk")).order_by()
        }
    )
    unsaid = works.filter(said=None)
    if (many := unsaid.count()) > MOST_JUDGED:
        words = Statement.objects.filter(creator=creator, purpose=purpose)
        found[sentences.standing_words(words, at=at).get(purpose, UNSAID.value)] += many
    elif many:
        told = consent.standing_now(unsaid.values_list("pk", flat=True), purpose, at=at)
        found.update(choice_of(each.decision, paid=each.paid) for each in told.values())
    return dict(found)


def past(subject: Work | Collection) -> list[Event]:
    """Return everything said about a subject, newest first, each with its place in the log."""
    said = list(consent.history(subject).select_related("claimant"))
    hashes = [bytes(s.leaf_hash) for s in said]
    places = dict(
        LogOutbox.objects.filter(leaf_hash__in=hashes).values_list("leaf_hash", "entry__index")
    )
    by_hash = {bytes(key): index for key, index in places.items()}
    return [
        Event(s, leaf_hash.hex(), by_hash.get(leaf_hash))
        for s, leaf_hash in reversed(list(zip(said, hashes, strict=True)))
    ]


def sentence(
    creator: Creator, own: Iterable[Statement], *, opening: str, at: datetime
) -> dict[str, Any]:
    """Return what the sentence's template needs. ``own``: the creator's statements."""
    return {
        "opening": opening,
        "clauses": sentences.clauses(sentences.standing_words(own, at=at)),
        "has_terms": creator.terms.exists(),
    }


def opening_for(work: Work) -> str:
    """Begin the sentence about a work."""
    return _("As for “%(title)s”, AI companies") % {"title": work.title}


def opening_for_site(site: Collection) -> str:
    """Begin the sentence about a site."""
    return _("As for everything below %(site)s, AI companies") % {"site": site.canonical}


def newest_terms(creator: Creator) -> Terms | None:
    """Return the terms that new words of this creator refer to."""
    return creator.terms.order_by("-created_at", "-pk").first()


def deed(purpose: str, choice: Choice, count: int) -> str:
    """Name what a change does, as a button says it: “Stop training on 12 works”."""
    if purpose == Purpose.TRAIN_AI and choice.value == "deny":
        return ngettext(
            "Stop training on %(count)s work", "Stop training on %(count)s works", count
        ) % {"count": count}
    return ngettext(
        "%(purpose)s: say “%(word)s” for %(count)s work",
        "%(purpose)s: say “%(word)s” for %(count)s works",
        count,
    ) % {"purpose": PURPOSES[purpose].label, "word": str(choice.word).strip(",，"), "count": count}

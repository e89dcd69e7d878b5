"""Consent: state what may be done with a work, a collection, or all that a creator has.

Statements are only ever added. What stands at an instant is ``tribute.verdict``'s to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from registry import creators, decision_index, log
from registry.decision_index import Row, Way
from registry.errors import (
    EffectiveTooFar,
    Erased,
    NotFound,
    NotRightsholder,
    PaidNeedsUse,
    TermsRequired,
)
from registry.history import NewStatement
from registry.ids import find
from registry.models import Collection, Creator, Identifier, RightsShare, Statement, Terms, Work
from tribute import verdict
from tribute.vocabulary import VOCABULARY_VERSION, Decision, IdentifierKind, Purpose

Subject = Work | Collection | Creator
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FARTHEST_AHEAD = timedelta(days=3_653)
_USES = frozenset({Decision.ALLOW, Decision.LICENSE})


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for one work and purpose.

    paid: whether whoever's statement decides wants to be paid.
    waived: ids of the creators whose own latest statement leaves payment out.
    statement_id: the first statement that decides; None when nobody said anything.
    until: when it ends unless something new is said; None: nothing is announced.
    """

    decision: Decision
    paid: bool
    statement_id: str | None
    waived: frozenset[str] = frozenset()
    until: datetime | None = None


NOBODY_SPOKE = Standing(Decision.UNKNOWN, paid=False, statement_id=None)


@transaction.atomic
def state(  # noqa: PLR0913 - an act of will is said in full, each part by name
    claimant: Creator,
    subject: Subject,
    *,
    purpose: Purpose,
    decision: Decision,
    paid: bool = False,
    terms: Terms | None = None,
    effective_from: datetime | None = None,
    at: datetime,
) -> Statement:
    """Record one act of will; it answers checks from the commit on, or from ``effective_from``.

    effective_from: None means ``at``. Its leaf goes into the log's outbox and the decision index
    is rewritten in the same transaction. A statement of ``unknown`` takes back what the claimant
    said before. Raises NotRightsholder, TermsRequired, PaidNeedsUse, EffectiveTooFar, Erased.
    """
    begins = at if effective_from is None else effective_from
    if not EARLIEST <= begins <= at + FARTHEST_AHEAD:
        raise EffectiveTooFar(f"{begins.isoformat()} is before 2000 or over ten years from now")
    if paid and decision not in _USES:
        raise PaidNeedsUse(f"nobody pays for what is {decision}")
    _require_fitting_terms(claimant, decision, terms)
    _lock_subject(subject)
    _require_say(claimant, subject)
    kind = _kind(subject)
    last = Statement.objects.filter(**{kind: subject}).order_by("-sequence").first()
    statement = Statement(
        subject_type=kind,
        **{kind: subject},
        claimant=claimant,
        purpose=purpose,
        decision=decision,
        paid=paid,
        terms=terms,
        vocabulary_version=VOCABULARY_VERSION,
        sequence=last.sequence + 1 if last else 1,
        effective_from=begins,
        recorded_at=at,
    )
    prev = bytes(last.leaf_hash) if last else None
    kept = leaf(statement, prev, commitment=creators.commitment(claimant))
    statement.leaf_hash = log.append(kept, at=at)
    statement.save(force_insert=True)
    decision_index.refresh(_keys(subject), at=at)
    return statement


def subject_named(public_id: str) -> Subject:
    """Return the work, collection or creator that an id names, whoever's it is.

    Raises NotFound for what does not exist, and for a creator who was erased.
    """
    match public_id.partition("_")[0]:
        case "wrk":
            return find(Work.objects.all(), public_id)
        case "col":
            return find(Collection.objects.all(), public_id)
        case "cre":
            return find(Creator.objects.filter(erased_at=None), public_id)
    raise NotFound(f"there is no subject {public_id!r}")


def history(subject: Subject) -> QuerySet[Statement]:
    """Return everything said about a subject, in order."""
    return Statement.objects.filter(**{_kind(subject): subject}).order_by("sequence")


def standing(works: Iterable[str], purpose: Purpose, *, at: datetime) -> dict[str, Standing]:
    """Return what stands for each work (by id) at an instant, as it was known at that instant.

    Every identifier of a work speaks for it here, and the places that contain its addresses; no
    operator's grants are considered. A fixed number of queries, however many works.
    """
    wanted = set(works)
    identifiers = list(Identifier.objects.filter(work_id__in=wanted))
    keys_of: dict[str, set[bytes]] = {work: set() for work in wanted}
    for row in identifiers:
        keys_of[row.work_id] |= {bytes(key) for key in (row.key, *row.scopes)}
    rows = decision_index.as_of(frozenset().union(*keys_of.values()), at)
    return {
        work: _standing([r for key in keys for r in rows.get(key, [])], purpose, at)
        for work, keys in keys_of.items()
    }


def leaf(
    statement: Statement | NewStatement, prev: bytes | None, *, commitment: str
) -> dict[str, log.LeafValue]:
    """Return what the log keeps of a statement; prev: the hash of the one before on its subject.

    commitment: what stands for its claimant.
    """
    kept: dict[str, log.LeafValue] = {
        "t": "consent.set",
        "statement": statement.pk,
        "subject": statement.subject_id,
        "seq": statement.sequence,
        "purpose": Purpose(statement.purpose).value,
        "decision": Decision(statement.decision).value,
        "paid": statement.paid,
        "vocabulary": statement.vocabulary_version,
        "from": log.instant(statement.effective_from),
        "subj": commitment,
    }
    if statement.terms_id is not None:
        kept["terms"] = statement.terms_id
    if prev is not None:
        kept["prev"] = prev.hex()
    return kept


def standing_now(works: Iterable[str], purpose: Purpose, *, at: datetime) -> dict[str, Standing]:
    """Return what ``standing`` does for the present instant, from the decision index.

    Works of which the same is said share one decision. Where something begins after ``at``,
    announced or said by whose clock is ahead, history is asked instead: the index may have
    forgotten what it is going to replace.
    """
    wanted = list(set(works))
    said = decision_index.read_works(wanted)
    ahead = [work for work, ways in said.items() if _next_word(ways, at) is not None]
    found = dict.fromkeys(wanted, NOBODY_SPOKE)
    alike: dict[frozenset[Way], Standing] = {}
    for work, ways in said.items():
        if ways not in alike:
            alike[ways] = _standing([way.row() for way in ways], purpose, at)
        found[work] = alike[ways]
    for work, stands in standing(ahead, purpose, at=at).items():
        found[work] = replace(stands, until=_next_word(said[work], at))
    return found


def _next_word(ways: Iterable[Way], at: datetime) -> datetime | None:
    """Return when the first of the statements that are to come begins."""
    begin = (begins for way in ways for begins in way.begins if begins > at)
    return min(begin, default=None)


def _standing(rows: Iterable[Row], purpose: Purpose, at: datetime) -> Standing:
    # Reached by several keys, a statement counts once, by the way on which it is proven.
    matched: dict[str, verdict.Statement] = {}
    paid: dict[str, bool] = {}
    for row in rows:
        for statement in row.matched(IdentifierKind.URL):
            known = matched.get(statement.id)
            if known is None or (statement.proven and not known.proven):
                matched[statement.id] = statement
        paid |= {s["id"]: s["paid"] for s in row.statements}
    found = verdict.decide(purpose, statements=matched.values(), asker=None, at=at)
    deciding = [s for s in found.deciding if isinstance(s, verdict.Statement)]
    considered = [s for s in found.considered if isinstance(s, verdict.Statement)]
    return Standing(
        decision=found.decision,
        paid=any(paid[s.id] for s in deciding),
        statement_id=deciding[0].id if deciding else None,
        waived=_waived(considered, paid),
    )


def _waived(considered: Iterable[verdict.Statement], paid: dict[str, bool]) -> frozenset[str]:
    """Return the claimants whose narrowest and latest word allows a use without payment."""
    last: dict[str, verdict.Statement] = {}
    for s in sorted(considered, key=lambda s: (-s.tier, s.specificity, s.sequence)):
        last[s.claimant] = s
    return frozenset(c for c, s in last.items() if s.decision in _USES and not paid[s.id])


def _require_fitting_terms(claimant: Creator, decision: Decision, terms: Terms | None) -> None:
    if (decision == Decision.LICENSE) != (terms is not None):
        raise TermsRequired("a license names its terms, and nothing else does")
    if terms is not None and terms.creator_id != claimant.pk:
        raise TermsRequired(f"terms {terms.pk} are not those of creator {claimant.pk}")


def _lock_subject(subject: Subject) -> None:
    """Make two who speak about one subject take turns, so that no sequence is given twice.

    A creator's default waits for works and places that are being registered, too: it must not
    miss one.
    """
    match subject:
        case Creator():
            decision_index.lock_creator(subject.pk)
        case Work():
            Work.objects.select_for_update(no_key=True).get(pk=subject.pk)
        case Collection():
            Collection.objects.select_for_update(no_key=True).get(pk=subject.pk)


def _require_say(claimant: Creator, subject: Subject) -> None:
    if claimant.erased_at is not None:
        raise Erased(f"creator {claimant.pk} was erased")
    match subject:
        case Creator():
            may = subject.pk == claimant.pk
        case Collection():
            may = subject.creator_id == claimant.pk
        case Work():
            shares = RightsShare.objects.filter(work=subject, creator=claimant)
            may = shares.exclude(confirmed_at=None).exists()
    if not may:
        raise NotRightsholder(f"creator {claimant.pk} does not speak for {subject.pk}")


def _kind(subject: Subject) -> str:
    match subject:
        case Work():
            return "work"
        case Collection():
            return "collection"
        case Creator():
            return "creator"


def _keys(subject: Subject) -> set[bytes]:
    match subject:
        case Work():
            return decision_index.keys_of_claims([subject.pk])
        case Collection():
            return {bytes(subject.key)}
        case Creator():
            return decision_index.keys_of_creator(subject.pk)

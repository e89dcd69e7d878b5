"""Terms that creators offer, and the grants with which operators accept them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registry import decision_index
from registry.consent import Subject, subject_named
from registry.errors import GrantEndsTooSoon, InvalidTerms, TermsNotOffered
from registry.models import Collection, Creator, Grant, Operator, Terms, Work
from tribute import verdict
from tribute.vocabulary import Decision, IdentifierKind, Purpose


@dataclass(frozen=True, slots=True)
class Offer:
    """Terms that an operator can accept now.

    subject: what they are offered on: the work asked about, a place it lies in, or all of a creator's.
    """

    purpose: Purpose
    subject: Subject
    terms: Terms


def offer(  # noqa: PLR0913 - each is a term of its own, given by name
    creator: Creator,
    *,
    price_micros: int | None = None,
    currency: str = "",
    attribution_required: bool = False,
    text_sha256: bytes | None = None,
    uri: str = "",
    at: datetime,
) -> Terms:
    """Write down what a licence asks; a statement may then refer to it. Raises InvalidTerms.

    price_micros: in millionths of the currency's major unit; None: no price.
    """
    if (price_micros is None) != (currency == ""):
        raise InvalidTerms("a price has a currency, and a currency a price")
    if text_sha256 is None and not uri:
        raise InvalidTerms("terms name their text, by hash or by address")
    return Terms.objects.create(
        creator=creator,
        price_micros=price_micros,
        currency=currency,
        attribution_required=attribution_required,
        text_sha256=text_sha256,
        uri=uri,
        created_at=at,
    )


@transaction.atomic
def accept(  # noqa: PLR0913 - a contract is said in full, each part by name
    operator: Operator,
    terms: Terms,
    subject: Subject,
    *,
    purpose: Purpose,
    at: datetime,
    effective_until: datetime | None = None,
) -> Grant:
    """Accept terms that are offered now; checks of this operator answer allow from ``at`` on.

    Raises TermsNotOffered unless what is said on this very subject, by all who may, comes to a
    license on these terms by a proven claimant, and while the subject is disputed; GrantEndsTooSoon.
    """
    if effective_until is not None and effective_until <= at:
        raise GrantEndsTooSoon(f"{effective_until.isoformat()} is not after {at.isoformat()}")
    if not _offered(terms.pk, _said_on(subject), purpose, at):
        raise TermsNotOffered(f"{subject.pk} is not offered on terms {terms.pk} for {purpose}")
    return Grant.objects.create(
        operator=operator,
        terms=terms,
        work=subject if isinstance(subject, Work) else None,
        collection=subject if isinstance(subject, Collection) else None,
        creator=subject if isinstance(subject, Creator) else None,
        purpose=purpose,
        effective_from=at,
        effective_until=effective_until,
        recorded_at=at,
    )


def offers(work: Work, *, at: datetime) -> list[Offer]:
    """Return the terms of the licences that stand for a work, as far as is said of it itself.

    ``accept`` asks all that is said on the subject. One look at the index, however much a creator has.
    """
    ways = decision_index.read_works([work.pk]).get(work.pk, ())
    said = [s for way in ways for s in way.row().matched(IdentifierKind.URL) if s.distance is None]
    found: dict[tuple[Purpose, str, str], Offer] = {}
    for purpose in Purpose:
        stands = verdict.decide(purpose, statements=_best_proven(said), asker=None, at=at)
        for s in stands.deciding if stands.decision == Decision.LICENSE else ():
            assert isinstance(s, verdict.Statement), "no grant is asked about"
            own = [each for each in said if each.subject == s.subject]
            if s.terms is not None and _offered(s.terms, own, purpose, at):
                terms = Terms.objects.select_related("creator").get(pk=s.terms)
                offer = Offer(purpose, subject_named(s.subject), terms)
                found[purpose, s.subject, s.terms] = offer
    return list(found.values())


def _best_proven(said: Iterable[verdict.Statement]) -> list[verdict.Statement]:
    """Return each statement once: reached by several keys, by the way on which it is proven."""
    best: dict[str, verdict.Statement] = {}
    for s in said:
        if not (s.id in best and best[s.id].proven):
            best[s.id] = s
    return list(best.values())


def _offered(terms: str, said: Iterable[verdict.Statement], purpose: Purpose, at: datetime) -> bool:
    """Whether what is said on one subject, taken alone, comes to a license on these terms (by id)."""
    found = verdict.decide(purpose, statements=_best_proven(said), asker=None, at=at)
    considered = [s for s in found.considered if isinstance(s, verdict.Statement)]
    return (
        found.decision == Decision.LICENSE
        and not any(s.disputed for s in considered)
        and any(isinstance(s, verdict.Statement) and s.terms == terms for s in found.deciding)
    )


def _said_on(subject: Subject) -> list[verdict.Statement]:
    return [
        s
        for rows in decision_index.read(_keys(subject)).values()
        for row in rows
        if row.subject == subject.pk
        for s in row.matched(IdentifierKind.URL)
        if s.distance is None
    ]


def _keys(subject: Subject) -> set[bytes]:
    match subject:
        case Work():
            return decision_index.keys_of_works([subject.pk])
        case Collection():
            return {bytes(subject.key)}
        case Creator():
            return decision_index.keys_of_creator(subject.pk)

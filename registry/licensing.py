"""Terms that creators offer, and the grants with which operators accept them."""

from datetime import datetime

from django.db import transaction

from registry import decision_index
from registry.consent import Subject
from registry.errors import GrantEndsTooSoon, InvalidTerms, TermsNotOffered
from registry.models import Collection, Creator, Grant, Operator, Terms, Work
from tribute import verdict
from tribute.vocabulary import Decision, IdentifierKind, Purpose


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
    if not _offered(terms, subject, purpose, at):
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


def _offered(terms: Terms, subject: Subject, purpose: Purpose, at: datetime) -> bool:
    """Whether the subject's own statements, taken alone, come to a license on these terms."""
    said: dict[str, verdict.Statement] = {}
    for rows in decision_index.read(_keys(subject)).values():
        for row in rows:
            for s in row.matched(IdentifierKind.URL) if row.subject == subject.pk else ():
                # Reached by several keys, a statement counts by the way on which it is proven.
                if s.distance is None and not (s.id in said and said[s.id].proven):
                    said[s.id] = s
    found = verdict.decide(purpose, statements=said.values(), asker=None, at=at)
    considered = [s for s in found.considered if isinstance(s, verdict.Statement)]
    return (
        found.decision == Decision.LICENSE
        and not any(s.disputed for s in considered)
        and any(isinstance(s, verdict.Statement) and s.terms == terms.pk for s in found.deciding)
    )


def _keys(subject: Subject) -> set[bytes]:
    match subject:
        case Work():
            return decision_index.keys_of_works([subject.pk])
        case Collection():
            return {bytes(subject.key)}
        case Creator():
            return decision_index.keys_of_creator(subject.pk)

"""Terms that creators offer, and the grants with which operators accept them."""

from datetime import datetime

from django.db import transaction

from registry import decision_index
from registry.consent import Subject
from registry.errors import GrantEndsTooSoon, InvalidTerms, TermsNotOffered
from registry.models import Collection, Creator, Grant, Operator, Terms, Work
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

    Raises TermsNotOffered unless a proven claimant's current statement on this very subject
    licenses the purpose on these terms, and while the subject is disputed; GrantEndsTooSoon.
    """
    if effective_until is not None and effective_until <= at:
        raise GrantEndsTooSoon(f"{effective_until.isoformat()} is not after {at.isoformat()}")
    rows = [
        row
        for found in decision_index.read(_keys(subject)).values()
        for row in found
        if row.subject == subject.pk
    ]
    current = [
        s
        for row in rows
        for s in row.matched(IdentifierKind.URL)
        if s.purpose == purpose and s.effective_from <= at
    ]
    offered = any(
        s.decision == Decision.LICENSE and s.terms == terms.pk and s.proven for s in current
    )
    if not offered or any(s.disputed for s in current):
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


def _keys(subject: Subject) -> set[bytes]:
    match subject:
        case Work():
            return decision_index.keys_of_works([subject.pk])
        case Collection():
            return {bytes(subject.key)}
        case Creator():
            return decision_index.keys_of_creator(subject.pk)

"""Find operators and creators who may be the same people, and keep what a person made of it.

Owns the signs and their review. A sign alone withholds nothing, since a rival could make one up:
only a confirmed relation does, by ``attribution.eligibility``. Members in common are the exception:
while they last, settlement withholds by itself, and the flag remembers them afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Lower

from attribution.errors import OwnMatter, RelationReviewed
from attribution.models import RelatedParty
from ledger.models import Payee
from registry.models import Collection, Creator, Operator, User
from tribute.vocabulary import IdentifierKind

Kind = RelatedParty.Kind
State = RelatedParty.State


class _Sign(NamedTuple):
    operator: str
    creator: str
    kind: Kind
    evidence: str


def scan(*, at: datetime) -> int:
    """Look for signs everywhere, and flag those that are new; return how many those were."""
    before = RelatedParty.objects.count()
    own = _members_in_common()
    signs = [*_by_members(own), *_by_payee(own), *_by_domain(own)]
    living = set(
        Creator.objects.filter(erased_at=None, pk__in={sign.creator for sign in signs}).values_list(
            "pk", flat=True
        )
    )
    RelatedParty.objects.bulk_create(
        (
            RelatedParty(
                operator_id=sign.operator,
                creator_id=sign.creator,
                kind=sign.kind,
                evidence=sign.evidence[:400],
                found_at=at,
            )
            for sign in sorted(set(signs))
            if sign.creator in living
        ),
        ignore_conflicts=True,
    )
    return RelatedParty.objects.count() - before


def declare(operator: Operator, creator: Creator, *, note: str, at: datetime) -> RelatedParty:
    """Keep that one of the two said they belong together; said again, nothing changes."""
    found, _ = RelatedParty.objects.get_or_create(
        operator=operator,
        creator=creator,
        kind=Kind.DECLARED,
        defaults={"evidence": note, "found_at": at},
    )
    return found


def review(party: RelatedParty, admin: User, *, confirmed: bool, reason: str, at: datetime) -> None:
    """Confirm or clear a sign, whatever was said of it before; from now on, not backwards.

    Raises OwnMatter for a member of either, RelationReviewed when it stands so already.
    """
    if {admin} & {*party.operator.members.all(), *party.creator.members.all()}:
        raise OwnMatter(f"{admin.pk} belongs to a party of {party.pk}")
    state = State.CONFIRMED if confirmed else State.CLEARED
    other = RelatedParty.objects.filter(pk=party.pk).exclude(state=state)
    if not other.update(state=state, reviewed_by=admin, reviewed_at=at, reason=reason):
        raise RelationReviewed(f"{party.pk} is {state.value}")
    party.refresh_from_db()


def confirmed_with(operator: Operator) -> set[str]:
    """Return the creators who are confirmed to belong to an operator."""
    rows = RelatedParty.objects.confirmed().filter(operator=operator)
    return set(rows.values_list("creator_id", flat=True))


def _members_in_common() -> dict[tuple[str, str], str]:
    """Return pairs of operator and creator with a member in common, and who that is."""
    people = User.objects.filter(operators__isnull=False, creators__isnull=False)
    return {
        (operator, creator): user
        for user, operator, creator in people.order_by("pk").values_list(
            "pk", "operators", "creators"
        )
    }


def _by_members(own: Mapping[tuple[str, str], str]) -> Iterator[_Sign]:
    for (operator, creator), user in own.items():
        yield _Sign(operator, creator, Kind.MEMBERS, f"{user} belongs to both")


def _by_payee(own: Mapping[tuple[str, str], str]) -> Iterator[_Sign]:
    """Compare the holders of creators' bank accounts with operators and their own creators."""
    named: dict[str, set[str]] = defaultdict(set)
    for operator, name in Operator.objects.values_list("pk", "name"):
        named[_folded(name)].add(operator)
    operators_of: dict[str, set[str]] = defaultdict(set)
    for operator, creator in own:
        operators_of[creator].add(operator)
    holders = Payee.objects.exclude(holder="")
    for creator, holder in holders.filter(creator__in=operators_of).values_list(
        "creator_id", "holder"
    ):
        named[_folded(holder)] |= operators_of[creator]
    folded = holders.annotate(folded=Lower("holder")).filter(folded__in=list(named))
    for creator, holder in folded.values_list("creator_id", "holder"):
        for operator in named[_folded(holder)]:
            if (operator, creator) not in own:
                yield _Sign(operator, creator, Kind.PAYEE, f"the account is held by {holder}")


def _by_domain(own: Mapping[tuple[str, str], str]) -> Iterator[_Sign]:
    """Compare hosts and domains that creators control with operators' people and their creators."""
    operators_at: dict[str, set[str]] = defaultdict(set)
    members = User.objects.filter(operators__isnull=False).values_list("operators", "email")
    for operator, email in members:
        for domain in _and_parents(email.rpartition("@")[2].lower()):
            operators_at[domain].add(operator)
    proven = Collection.objects.filter(
        control_proven_at__isnull=False, kind__in=[IdentifierKind.HOST, IdentifierKind.DOMAIN]
    )
    operators_of: dict[str, set[str]] = defaultdict(set)
    for operator, creator in own:
        operators_of[creator].add(operator)
    for creator, place in proven.filter(creator__in=operators_of).values_list(
        "creator_id", "canonical"
    ):
        operators_at[place] |= operators_of[creator]
    for creator, place in proven.filter(canonical__in=list(operators_at)).values_list(
        "creator_id", "canonical"
    ):
        for operator in operators_at[place]:
            if (operator, creator) not in own:
                yield _Sign(operator, creator, Kind.DOMAIN, f"both are at {place}")


def _and_parents(domain: str) -> Iterable[str]:
    """Return a domain and those above it that are not a single label."""
    labels = domain.split(".")
    return [".".join(labels[first:]) for first in range(len(labels) - 1)]


def _folded(name: str) -> str:
    return name.strip().lower()

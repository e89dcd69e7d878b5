"""Signs that two are the same people are found, reviewed, and count once confirmed."""

from datetime import timedelta

import pytest

from attribution import related_parties
from attribution.errors import OwnMatter, RelationReviewed
from attribution.explanation import explain
from attribution.models import GenerativeModel, RelatedParty
from attribution.worker import settle_due
from ledger.models import Payee
from registry import collections
from registry.models import Collection, Creator, Operator, User
from tests.attribution.world import GENERATED, ask
from tests.factories import NOON, make_creator, make_operator, make_user
from tests.journal import Journal
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def pia(db: None) -> User:
    return make_user("pia@example.org", is_payout_admin=True)


def banked(creator: Creator, holder: str) -> None:
    Payee.objects.create(
        creator=creator,
        gateway="paper",
        account=f"acct_{creator.handle}",
        holder=holder,
        country="SE",
        created_at=NOON,
        refreshed_at=NOON,
    )


def proven(creator: Creator, domain: str) -> Collection:
    site = collections.claim(creator, kind=IdentifierKind.DOMAIN, value=domain, at=NOON)
    Collection.objects.filter(pk=site.pk).update(
        control_proven_at=NOON, method="dns", evidence_sha256=bytes(32)
    )
    return site


def signs() -> set[tuple[str, str, str]]:
    rows = RelatedParty.objects.all()
    return set(rows.values_list("operator__handle", "creator__handle", "kind"))


def test_strangers_are_not_flagged(acme: Operator, ada: Creator, ben: Creator) -> None:
    banked(ada, "Ada Lovelace")
    proven(ada, "ada-lovelace.com")

    assert related_parties.scan(at=NOON) == 0


def test_a_member_in_common_is_flagged_and_remembered(acme: Operator) -> None:
    both = make_user("olga@elsewhere.org")
    acme.members.add(both)
    house = make_creator("house", user=both)

    assert related_parties.scan(at=NOON) == 1
    acme.members.remove(both)

    assert related_parties.scan(at=NOON) == 0
    assert signs() == {("acme", "house", "members")}
    assert house.related_parties.get().state == "open"


def test_the_same_name_at_the_bank_is_flagged(acme: Operator, ada: Creator, ben: Creator) -> None:
    both = make_user("olga@elsewhere.org")
    acme.members.add(both)
    banked(make_creator("house", user=both), "House of Letters AB")
    banked(ada, "ACME")
    banked(ben, "house of letters ab")

    related_parties.scan(at=NOON)

    payees = {sign for sign in signs() if sign[2] == "payee"}
    assert payees == {("acme", "ada", "payee"), ("acme", "ben", "payee")}


def test_the_same_domain_is_flagged(acme: Operator, ada: Creator, ben: Creator) -> None:
    acme.members.add(make_user("olga@mail.acme-models.com"))
    proven(ada, "acme-models.com")
    proven(ben, "models.com")
    collections.claim(ben, kind=IdentifierKind.DOMAIN, value="acme-models.com", at=NOON)

    related_parties.scan(at=NOON)

    assert signs() == {("acme", "ada", "domain")}


def test_what_is_declared_waits_for_review(acme: Operator, ada: Creator) -> None:
    first = related_parties.declare(acme, ada, note="our subsidiary", at=NOON)
    again = related_parties.declare(acme, ada, note="still", at=NOON + timedelta(days=1))

    assert (first.pk, first.state, again.evidence) == (again.pk, "open", "our subsidiary")


def test_an_open_or_cleared_sign_withholds_nothing_a_confirmed_one_does(
    writer: GenerativeModel, acme: Operator, ada: Creator, pia: User, journal: Journal
) -> None:
    sign = related_parties.declare(acme, ada, note="so they say", at=NOON)
    paid = ask(writer)
    settle_due(at=GENERATED, limit=1)
    assert paid.contributions.get(creator=ada).micros == 4_500
    related_parties.review(sign, pia, confirmed=True, reason="one owner", at=NOON)
    journal()

    query = ask(writer)
    journal()
    settle_due(at=GENERATED, limit=1)

    assert (
        journal()
        == """
        operator:acme:reserved   -0.010000 EUR
        platform:fee              0.001000 EUR
        creator:ben:pending       0.003000 EUR
        platform:pool             0.006000 EUR
    """
    )
    query.refresh_from_db()
    row = next(row for row in explain(query).rows if row.creator_id == ada.pk)
    assert row.reason == "this creator and the operator belong together"
    related_parties.review(sign, pia, confirmed=False, reason="sold in May", at=NOON)
    assert related_parties.confirmed_with(acme) == set()


def test_a_relation_holds_for_its_own_operator_alone(
    acme: Operator, ada: Creator, pia: User
) -> None:
    sign = related_parties.declare(acme, ada, note="ours", at=NOON)
    related_parties.review(sign, pia, confirmed=True, reason="yes", at=NOON)

    assert related_parties.confirmed_with(acme) == {ada.pk}
    assert related_parties.confirmed_with(make_operator("borealis")) == set()
    with pytest.raises(RelationReviewed):
        related_parties.review(sign, pia, confirmed=True, reason="again", at=NOON)


@pytest.mark.parametrize("side", ["operator", "creator"])
def test_nobody_clears_a_sign_against_oneself(
    acme: Operator, ada: Creator, pia: User, side: str
) -> None:
    sign = related_parties.declare(acme, ada, note="one owner", at=NOON)
    getattr(sign, side).members.add(pia)

    with pytest.raises(OwnMatter):
        related_parties.review(sign, pia, confirmed=False, reason="strangers", at=NOON)

    sign.refresh_from_db()
    assert sign.state == RelatedParty.State.OPEN

"""API keys: issued once, hashed, scoped, rotated, and refused when anything is amiss."""

from typing import Any

import pytest

from registry import creators, operators
from registry.errors import HandleTaken, InvalidExpiry, InvalidHandle, InvalidKey, UnknownScope
from registry.models import ApiKey
from tests.factories import DAY, NOON, make_creator, make_key, make_operator, make_user

pytestmark = pytest.mark.django_db


def test_a_key_is_read_whole_whoever_it_acts_for() -> None:
    owners = (make_operator("acme"), make_creator("ada"), make_user())
    for owner in owners:
        scope = min(operators.scopes_of(owner))
        issued = operators.issue_key(owner, scopes=[scope], name="robot", at=NOON)

        found = operators.authenticate(issued.secret, at=NOON)

        again = ApiKey.objects.get(pk=issued.key.pk)
        for field in ApiKey._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(again, field.attname)
        for field in owner._meta.concrete_fields:
            assert getattr(found.owner, field.attname) == getattr(again.owner, field.attname)
        assert not found._state.adding


def test_a_key_opens_for_its_owner_and_keeps_no_secret() -> None:
    acme = make_operator("acme")
    key, secret = make_key(acme)

    found = operators.authenticate(secret, at=NOON)

    assert (found, found.owner) == (key, acme)
    assert operators.KEY.fullmatch(secret)
    assert secret not in str(ApiKey.objects.values().get())
    assert len(bytes(key.digest)) == 32


def changed(secret: str, position: int) -> str:
    other = "a" if secret[position] != "a" else "b"
    return secret[:position] + other + secret[position + 1 :]


@pytest.mark.parametrize("position", [0, 5, 9, 12, 18, 30, 49, 50, 55])
def test_a_key_with_one_character_changed_is_refused(position: int) -> None:
    _, secret = make_key(make_operator("acme"))

    with pytest.raises(InvalidKey):
        operators.authenticate(changed(secret, position), at=NOON)


def test_a_well_formed_key_with_another_random_part_is_refused() -> None:
    key, _ = make_key(make_operator("acme"))
    forged = operators._with_checksum(f"trb_live_{key.prefix_id}_{'x' * 32}")

    with pytest.raises(InvalidKey):
        operators.authenticate(forged, at=NOON)


@pytest.mark.parametrize("secret", ["", "trb_live_", "x" * 10_000, "trb_live_é", "\x00"])
def test_noise_is_refused(secret: str) -> None:
    with pytest.raises(InvalidKey):
        operators.authenticate(secret, at=NOON)


def test_an_expired_or_revoked_key_is_refused() -> None:
    acme = make_operator("acme")
    issued = operators.issue_key(
        acme, scopes=["checks:write"], name="a", at=NOON, expires_at=NOON + DAY
    )
    operators.authenticate(issued.secret, at=NOON + DAY / 2)
    with pytest.raises(InvalidKey):
        operators.authenticate(issued.secret, at=NOON + DAY)

    operators.revoke_key(issued.key, at=NOON)
    with pytest.raises(InvalidKey):
        operators.authenticate(issued.secret, at=NOON)


def test_a_key_of_a_deactivated_user_is_refused() -> None:
    admin = make_user(is_payout_admin=True)
    _, secret = make_key(admin)
    operators.authenticate(secret, at=NOON)

    admin.is_active = False
    admin.save()

    with pytest.raises(InvalidKey):
        operators.authenticate(secret, at=NOON)


def test_use_is_recorded_at_most_once_a_minute(django_assert_num_queries: Any) -> None:
    key, secret = make_key(make_operator("acme"))

    operators.authenticate(secret, at=NOON)
    with django_assert_num_queries(0):  # but the one that is prepared
        operators.authenticate(secret, at=NOON + DAY / 24 / 61)
    key.refresh_from_db()
    assert key.last_used_at == NOON

    operators.authenticate(secret, at=NOON + DAY)
    key.refresh_from_db()
    assert key.last_used_at == NOON + DAY


def test_rotation_leaves_the_old_key_a_week() -> None:
    key, secret = make_key(make_operator("acme"), scopes=["checks:write"])

    successor = operators.rotate(key, at=NOON)

    assert (successor.key.name, successor.key.scopes) == (key.name, key.scopes)
    assert operators.authenticate(secret, at=NOON + 6 * DAY) == key
    with pytest.raises(InvalidKey):
        operators.authenticate(secret, at=NOON + 7 * DAY)
    assert operators.authenticate(successor.secret, at=NOON + 70 * DAY) == successor.key


@pytest.mark.parametrize("scopes", [[], ["works:write"], ["checks:write", "everything"]])
def test_a_key_carries_only_its_owners_scopes(scopes: list[str]) -> None:
    with pytest.raises(UnknownScope):
        make_key(make_operator("acme"), scopes=scopes)
    assert not ApiKey.objects.exists()


def test_a_key_that_would_never_live_is_refused() -> None:
    with pytest.raises(InvalidExpiry):
        operators.issue_key(
            make_operator("acme"), scopes=["checks:write"], name="a", at=NOON, expires_at=NOON
        )


@pytest.mark.parametrize("handle", ["", "a", "A1", "-ab", "ab-", "a b", "é1", "a" * 41, "a_b"])
def test_handles_are_plain(handle: str) -> None:
    user = make_user()
    with pytest.raises(InvalidHandle):
        operators.found(user, handle=handle, name="x", at=NOON)
    with pytest.raises(InvalidHandle):
        creators.join(user, handle=handle, display_name="x", at=NOON)


def test_a_handle_belongs_to_one() -> None:
    make_creator("ada")
    make_operator("acme")

    with pytest.raises(HandleTaken):
        creators.join(make_user(), handle="ada", display_name="Another", at=NOON)
    with pytest.raises(HandleTaken):
        operators.found(make_user(), handle="acme", name="Another", at=NOON)


def test_commitments_are_keyed_and_end_with_the_key() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")

    assert creators.commitment(ada) == creators.commitment(ada) != creators.commitment(ben)
    assert ada.pk not in creators.commitment(ada)
    assert len(creators.thumbprint(ada)) == 43

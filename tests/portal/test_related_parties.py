"""The admins' page of related parties."""

from attribution import related_parties
from tests.factories import NOON
from tests.portal.conftest import World, signed_in


def test_an_admin_confirms_and_clears(world: World) -> None:
    sign = related_parties.declare(world.acme, world.ada, note="one owner", at=NOON)
    pia = signed_in("pia")
    page = pia.get("/related-parties/").content.decode()
    assert "One of them said so" in page
    assert "one owner" in page
    path = f"/related-parties/{sign.pk}/review"

    pia.post(path, {"deed": "confirm"})
    assert related_parties.confirmed_with(world.acme) == set()
    pia.post(path, {"deed": "confirm", "reason": "same register entry"})
    assert related_parties.confirmed_with(world.acme) == {world.ada.pk}
    pia.post(path, {"deed": "clear", "reason": "sold"})

    assert related_parties.confirmed_with(world.acme) == set()
    assert "sold" in pia.get("/related-parties/?show=all").content.decode()


def test_nobody_else_sees_relations(world: World) -> None:
    sign = related_parties.declare(world.acme, world.ada, note="one owner", at=NOON)

    for who in ("ada", "olga", "mallory"):
        client = signed_in(who)
        assert client.get("/related-parties/").status_code == 404
        review = client.post(f"/related-parties/{sign.pk}/review", {"deed": "clear"})
        assert review.status_code == 404

"""The page of a payment's steps: who may read it, and what it hands out."""

from tests.portal.conftest import World, signed_in


def test_creator_operator_and_admin_read_how_a_payment_came_about(world: World) -> None:
    path = f"/queries/{world.query.pk}/"

    for who in ("ada", "ben", "olga", "pia"):
        page = signed_in(who).get(path).content.decode()
        assert "Recomputed now: equal" in page
        assert "The Chariot" in page
    assert signed_in("mallory").get(path).status_code == 404
    assert signed_in("mallory").get(f"{path}record.json").status_code == 404
    assert path in signed_in("ada").get(f"/earnings/queries/{world.query.pk}/").content.decode()
    assert path in signed_in("olga").get(f"/operator/usage/{world.query.pk}/").content.decode()


def test_a_creator_reads_nothing_of_others_in_page_or_record(world: World) -> None:
    ada = signed_in("ada")

    page = ada.get(f"/queries/{world.query.pk}/").content.decode()
    file = ada.get(f"/queries/{world.query.pk}/record.json")

    assert "The Tyger" not in page
    assert file["Content-Disposition"] == f'attachment; filename="{world.query.pk}.json"'
    assert world.ben.pk not in file.content.decode()
    assert world.tyger.pk not in file.content.decode()


def test_an_operator_gets_the_whole_record(world: World) -> None:
    found = signed_in("olga").get(f"/queries/{world.query.pk}/record.json").json()

    assert set(found["record"]["owners"]) == {world.chariot.pk, world.tyger.pk}
    assert sum(row[3] for row in found["paid"]) == 27_000_000

"""The admins' pages of money held by a cap."""

import pytest

from attribution.models import CapReview
from attribution.worker import settle_due
from ledger.models import Proposal
from registry.models import User
from tests.attribution.world import GENERATED, TWELVE_OF_CHARIOT, ask, make_model
from tests.portal.conftest import World, confirmed, signed_in


@pytest.fixture
def held(world: World) -> str:
    """What Ada's and Ben's poem earned beyond a cap; returns the page's address."""
    model = make_model(world.acme, [world.chariot], version="2", work_cap_micros=1)
    ask(model, TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=10)
    return f"/held-by-cap/{world.chariot.pk}/"


@pytest.mark.parametrize(("deed", "done"), [("release", "released"), ("redirect", "redirected")])
def test_an_admin_looks_and_decides(held: str, deed: str, done: str) -> None:
    pia = confirmed("pia")
    assert "The Chariot" in pia.get("/held-by-cap/").content.decode()
    assert "Writer 2" in pia.get(held).content.decode()

    pia.post(f"{held}decide", {"deed": deed})
    assert not CapReview.objects.exists()
    pia.post(f"{held}decide", {"deed": deed, "reason": "looked into"})
    again = pia.post(f"{held}decide", {"deed": deed, "reason": "again"}, follow=True)
    assert "A proposal about this waits already" in again.content.decode()
    page = f"/proposals/{Proposal.objects.get().pk}/"
    pia.post(f"{page}confirm")
    assert not CapReview.objects.exists()
    confirmed("quinn").post(f"{page}confirm")

    review = CapReview.objects.get()
    assert (review.decision, review.reviewed_by.name) == (done, "Quinn")
    assert "looked into" in pia.get("/held-by-cap/").content.decode()
    assert "Nothing waits for this work" in pia.get(held).content.decode()


def test_nobody_else_sees_what_is_held(held: str) -> None:
    for who in ("ada", "olga", "mallory"):
        client = signed_in(who)
        assert client.get("/held-by-cap/").status_code == 404
        assert client.get(held).status_code == 404
        assert client.post(f"{held}decide", {"deed": "release"}).status_code == 404


@pytest.mark.parametrize("deed", ["release", "redirect"])
def test_deciding_takes_a_fresh_second_factor(held: str, deed: str) -> None:
    pia = signed_in("pia")
    assert "Confirm that it is you" in pia.get(held).content.decode()

    answer = pia.post(f"{held}decide", {"deed": deed, "reason": "looked into"})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/")
    assert not CapReview.objects.exists()


def test_an_admin_does_not_decide_about_own_earnings(world: World, held: str) -> None:
    world.ada.members.add(User.objects.get(email="pia@example.org"))

    answer = confirmed("pia").post(
        f"{held}decide", {"deed": "release", "reason": "mine"}, follow=True
    )

    assert "somebody else has to decide" in answer.content.decode()
    assert not CapReview.objects.exists()

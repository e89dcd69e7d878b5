"""Comparing methods on the admins' pages, with the operator's consent."""

from attribution import adjusting, shadowing
from attribution.models import Adjustment, KeptEvidence, Query, ShadowRun
from attribution.worker import settle_due
from tests.attribution.world import GENERATED, TWELVE_OF_CHARIOT, ask
from tests.portal.conftest import FAR, World, confirmed, signed_in


def test_two_admins_book_what_a_run_found(world: World) -> None:
    olga, pia, quinn = signed_in("olga"), confirmed("pia"), signed_in("quinn")
    olga.post(f"/operator/models/{world.model.pk}/evidence", {"days": "30"})
    ask(Query.objects.get().model, TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=10)
    assert KeptEvidence.objects.count() == 1

    pia.post("/shadow-runs/", {"model": world.model.pk, "method": "uniform", "days": "400"})
    run = ShadowRun.objects.get()
    for _ in range(2):
        shadowing.advance_all(limit=10)
    path = f"/shadow-runs/{run.pk}/"
    assert "Ready to look at" in pia.get(path).content.decode()
    page = pia.get(path).content.decode()
    assert "The Tyger" in page
    assert "Propose the corrections" in page

    pia.post(f"{path}decide", {"deed": "propose"})
    pia.post(f"{path}decide", {"deed": "propose", "reason": "fairer"})
    assert "Accept: book" not in pia.get(path).content.decode()
    assert "Confirm that it is you" in quinn.get(path).content.decode()
    assert quinn.post(f"{path}decide", {"deed": "accept"})["Location"] == "/accounts/2fa/"
    assert not ShadowRun.objects.filter(state="accepted").exists()
    quinn = confirmed("quinn")
    assert "Accept: book" in quinn.get(path).content.decode()
    pia.post(f"{path}decide", {"deed": "accept"})
    assert not ShadowRun.objects.filter(state="accepted").exists()
    quinn.post(f"{path}decide", {"deed": "accept"})
    for _ in range(2):
        adjusting.post_accepted(at=FAR, limit=10)

    assert "Booked" in quinn.get("/shadow-runs/").content.decode()
    assert Adjustment.objects.exists()


def test_a_run_is_dismissed(world: World) -> None:
    signed_in("olga").post(f"/operator/models/{world.model.pk}/evidence", {"days": "30"})
    ask(Query.objects.get().model)
    settle_due(at=GENERATED, limit=10)
    pia = signed_in("pia")
    pia.post("/shadow-runs/", {"model": world.model.pk, "method": "uniform", "days": "400"})
    run = ShadowRun.objects.get()

    pia.post(f"/shadow-runs/{run.pk}/decide", {"deed": "dismiss"})
    again = pia.post(f"/shadow-runs/{run.pk}/decide", {"deed": "dismiss"}, follow=True)

    assert "It has moved on meanwhile" in again.content.decode()
    assert "Dismissed" in pia.get(f"/shadow-runs/{run.pk}/").content.decode()


def test_consent_is_taken_back_on_the_models_page(world: World) -> None:
    olga = signed_in("olga")
    path = f"/operator/models/{world.model.pk}/"
    olga.post(f"{path}evidence", {"days": "999"})
    world.model.refresh_from_db()
    assert world.model.keep_evidence_days is None
    olga.post(f"{path}evidence", {"days": "9"})
    assert 'value="9"' in olga.get(path).content.decode()

    olga.post(f"{path}evidence", {"days": ""})

    world.model.refresh_from_db()
    assert world.model.keep_evidence_days is None


def test_mallory_sees_no_runs(world: World) -> None:
    mallory = signed_in("mallory")

    assert mallory.get("/shadow-runs/").status_code == 404
    assert mallory.post("/shadow-runs/").status_code == 404
    evidence = f"/operator/models/{world.model.pk}/evidence"
    assert mallory.post(evidence, {"days": "9"}).status_code == 404

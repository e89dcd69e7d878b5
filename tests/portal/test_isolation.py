"""Mallory pries: what is not hers does not exist for her, to read or to change."""

from attribution.models import GenerativeModel
from ledger.models import PayoutBatch
from registry.models import ApiKey, RightsShare, Statement
from tests.portal.conftest import World, signed_in
from tribute.vocabulary import Purpose


def test_mallory_reads_nothing_of_others(world: World) -> None:
    mallory = signed_in("mallory")
    private = [
        f"/works/{world.chariot.pk}/mine/",
        f"/sites/{world.site.pk}/",
        f"/signers/{world.signer.pk}/",
        f"/earnings/queries/{world.query.pk}/",
        f"/operator/models/{world.model.pk}/",
        f"/operator/usage/{world.query.pk}/",
        "/payout-batches/",
        "/payout-batches/bat_01jd0000000000000000000000/",
        "/payout-batches/bat_01jd0000000000000000000000/progress",
        "/payout-batches/bat_01jd0000000000000000000000/bank/",
        "/payout-batches/bat_01jd0000000000000000000000/file-1.xml",
        "/payout-lines/pay_01jd0000000000000000000000/",
        "/waiting/",
        "/reconciliations/",
        "/reconciliations/1/",
        "/proposals/",
        "/proposals/prp_01jd0000000000000000000000/",
        "/set-asides/",
        f"/set-asides/{world.chariot.pk}/",
        "/debts/",
        "/journal/",
        "/journal.csv",
        "/audit/",
    ]

    assert {path: mallory.get(path).status_code for path in private} == dict.fromkeys(private, 404)


def test_mallory_changes_nothing_of_others(world: World) -> None:
    mallory = signed_in("mallory")
    key = ApiKey.objects.get(name="crawler")
    before = Statement.objects.count()
    deeds = [
        f"/works/{world.chariot.pk}/consent",
        f"/works/{world.chariot.pk}/confirm",
        f"/sites/{world.site.pk}/consent",
        f"/sites/{world.site.pk}/check",
        f"/signers/{world.signer.pk}/",
        f"/signers/{world.signer.pk}/end",
        f"/operator/keys/{key.pk}/revoke",
        f"/operator/models/{world.model.pk}/manifest",
        f"/operator/usage/{world.query.pk}/sign",
        "/payout-batches/prepare",
        "/payout-batches/bat_01jd0000000000000000000000/approve",
        "/payout-batches/bat_01jd0000000000000000000000/resume",
        "/payout-batches/bat_01jd0000000000000000000000/issue",
        "/payout-batches/bat_01jd0000000000000000000000/bank/",
        "/payout-lines/pay_01jd0000000000000000000000/paid",
        "/waiting/top-ups/top_01jd0000000000000000000000",
        "/waiting/messages/evt_01jd0000000000000000000000",
        "/reconciliations/compare",
        "/reconciliations/1/adjust",
        f"/set-asides/{world.chariot.pk}/",
        "/proposals/prp_01jd0000000000000000000000/confirm",
        "/proposals/prp_01jd0000000000000000000000/withdraw",
        "/audit/run",
    ]

    answers = {path: mallory.post(path, {Purpose.TRAIN_AI: "deny"}).status_code for path in deeds}

    assert answers == dict.fromkeys(deeds, 404)
    key.refresh_from_db()
    assert key.revoked_at is None
    assert Statement.objects.count() == before
    assert RightsShare.objects.filter(work=world.chariot, confirmed_at=None).count() == 1
    assert PayoutBatch.objects.count() == 0


def test_a_malformed_id_is_as_absent_as_a_foreign_one(world: World) -> None:
    ada = signed_in("ada")

    for path in ("/works/wrk_nonsense/mine/", f"/works/{world.site.pk}/mine/", "/works/x"):
        assert ada.get(path).status_code == 404


def test_mallory_does_not_speak_for_others_works_together(world: World) -> None:
    before = Statement.objects.count()
    said = {"work": [world.chariot.pk], "purpose": Purpose.TRAIN_AI, "choice": "deny"}

    answer = signed_in("mallory").post("/consent/save", said)

    assert answer.status_code == 422
    assert Statement.objects.count() == before


def test_acting_for_somebody_else_is_refused(world: World) -> None:
    mallory = signed_in("mallory")

    assert mallory.post("/account/act-as", {"id": world.ada.pk}).status_code == 404
    assert mallory.post("/account/act-as", {"id": world.acme.pk}).status_code == 404


def test_a_creator_sees_own_parts_of_a_query_and_no_other_names(world: World) -> None:
    page = signed_in("ben").get(f"/earnings/queries/{world.query.pk}/").content.decode()

    assert "The Tyger" in page
    assert "Ada" not in page


def test_operators_pages_show_own_models_only(world: World) -> None:
    page = signed_in("mallory").get("/operator/models/").content.decode()

    assert GenerativeModel.objects.count() == 1
    assert world.model.name not in page


def test_what_no_text_can_hold_is_found_nowhere(world: World) -> None:
    olga, pia = signed_in("olga"), signed_in("pia")

    assert world.query.external_id in olga.get("/operator/usage/?q=%00").content.decode()
    assert pia.get("/journal/?by=%00").status_code == 200
    assert pia.get("/journal.csv?by=%00").status_code == 200
    assert pia.get("/set-asides/%00/").status_code == 404

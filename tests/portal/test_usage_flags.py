"""Report keys and usage flags: an operator's page and the admins'."""

import base64

from attribution import usage_reports
from attribution.models import ReportKey, UsageFlag
from tests.factories import NOON
from tests.portal.conftest import World, signed_in


def flagged(world: World) -> UsageFlag:
    return UsageFlag.objects.create(
        operator=world.acme, kind="gap", first=3, last=4, detail="2 reports", found_at=NOON
    )


def test_an_operator_registers_a_key_and_binds_itself(world: World) -> None:
    olga = signed_in("olga")
    key = base64.b64encode(bytes(32)).decode()

    olga.post("/operator/reports/", {"name": "reporter", "public_key": key})
    assert olga.post("/operator/reports/", {"name": "r", "public_key": key}).status_code == 422
    assert olga.post("/operator/reports/", {"name": "r", "public_key": "?"}).status_code == 422
    olga.post("/operator/reports/require")

    page = olga.get("/operator/reports/").content.decode()
    made = ReportKey.objects.get()
    assert made.pk in page
    assert usage_reports.must_sign(world.acme)
    olga.post(f"/operator/reports/{made.pk}/revoke")
    made.refresh_from_db()
    assert made.revoked_at is not None


def test_an_admin_resolves_a_flag_and_frees_an_operator(world: World) -> None:
    flag = flagged(world)
    usage_reports.set_policy(world.acme, signature_required=True, at=NOON)
    pia = signed_in("pia")
    assert "Numbers are missing" in pia.get("/usage-flags/").content.decode()

    pia.post(f"/usage-flags/{flag.pk}/resolve", {"resolution": ""})
    assert UsageFlag.objects.open().count() == 1
    pia.post(f"/usage-flags/{flag.pk}/resolve", {"resolution": "a test machine"})
    pia.post("/usage-flags/free", {"operator": world.acme.pk})

    assert UsageFlag.objects.open().count() == 0
    assert "a test machine" in pia.get("/usage-flags/?show=all").content.decode()
    assert "a test machine" in signed_in("olga").get("/operator/reports/").content.decode()
    assert not usage_reports.must_sign(world.acme)


def test_mallory_neither_sees_nor_resolves(world: World) -> None:
    flag = flagged(world)
    mallory = signed_in("mallory")

    assert mallory.get("/usage-flags/").status_code == 404
    assert mallory.post(f"/usage-flags/{flag.pk}/resolve", {"resolution": "x"}).status_code == 404
    assert mallory.post("/usage-flags/free", {"operator": world.acme.pk}).status_code == 404
    assert "2 reports" not in mallory.get("/operator/reports/").content.decode()

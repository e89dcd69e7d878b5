"""Earning, being paid, topping up, paying out: what the pages say and what they set going."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ledger.models import Payout, PayoutBatch
from registry.models import ApiKey
from tests.portal.conftest import World, confirmed, signed_in


def test_every_amount_can_say_why(world: World) -> None:
    page = signed_in("ada").get("/earnings/").content.decode()

    assert "found word for word" in page
    assert f"/earnings/queries/{world.query.pk}/" in page
    assert "The Chariot" in page


def test_parts_of_the_reckoning_add_up_to_the_fee(world: World) -> None:
    answer = signed_in("ada").get(f"/earnings/queries/{world.query.pk}/")

    explained = answer.context["explained"]
    parts = [row.amount.micros for row in explained.rows]
    rest = (explained.others, explained.remainder, explained.platform_fee)
    assert sum(parts) + sum(each.micros for each in rest) == explained.fee.micros == 30_000_000


def test_a_statement_is_a_page_and_a_file(world: World) -> None:
    ada = signed_in("ada")

    file = ada.get("/earnings/statements/2026-06.csv")

    assert file["Content-Type"].startswith("text/csv")
    assert file["Content-Disposition"] == 'attachment; filename="tribute-2026-06.csv"'
    document = ada.get("/earnings/statements/2026-06.pdf")
    assert document["Content-Type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")
    for period in ("2026-13/", "2026-13.csv", "2026-13.pdf"):
        assert ada.get(f"/earnings/statements/{period}").status_code == 404
    picked = ada.get("/earnings/statements/?period=2026-06")
    assert picked["Location"] == "/earnings/statements/2026-06/"
    assert ada.get("/earnings/statements/", follow=True).status_code == 200, (
        "else it is this month's"
    )
    assert ada.get("/earnings/statements/?period=../../x").status_code == 404


def test_onboarding_leads_to_the_payment_provider(world: World) -> None:
    answer = signed_in("ada").post("/payouts/onboard", {"country": "SE"})

    assert answer.status_code == 302
    assert world.ada.payee.country == "SE"


def test_onboarding_needs_a_country_that_is_offered(world: World) -> None:
    assert signed_in("ada").post("/payouts/onboard", {"country": "XX"}).status_code == 422


def test_a_top_up_leads_to_the_payment_page(world: World) -> None:
    answer = signed_in("olga").post("/operator/balance/", {"amount": "250", "currency": "EUR"})

    topup = world.acme.topups.get()
    assert topup.amount_micros == 250_000_000
    assert answer["Location"] == topup.url


@pytest.mark.parametrize("amount", ["1", "12.345", "-50", "many", "999999999"])
def test_an_amount_that_cannot_be_paid_in_is_said_beside_its_field(
    amount: str, world: World
) -> None:
    answer = signed_in("olga").post("/operator/balance/", {"amount": amount, "currency": "EUR"})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["amount"]
    assert not world.acme.topups.exists()


def test_a_key_is_shown_once(world: World) -> None:
    olga = signed_in("olga")

    shown = olga.post("/operator/keys/", {"name": "new", "scopes": ["checks:write"]})

    assert "trb_live_" in shown.content.decode()
    secret = shown.context["issued"].secret
    assert secret in shown.content.decode()
    assert secret not in olga.get("/operator/keys/").content.decode()
    assert "no-store" in shown["Cache-Control"]


def test_a_revoked_key_is_ended(world: World) -> None:
    key = ApiKey.objects.get(name="crawler")

    signed_in("olga").post(f"/operator/keys/{key.pk}/revoke")

    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_manifest_line_that_cannot_be_read_is_named(world: World) -> None:
    lines = b'{"url": "https://a.example/1", "ingested_at": "2026-01-01T00:00:00Z"}\n{"no": 1}\n'

    answer = signed_in("olga").post(
        f"/operator/models/{world.model.pk}/manifest", {"file": SimpleUploadedFile("m", lines)}
    )

    assert answer.status_code == 422
    assert "row 2" in answer.context["form"].errors["file"][0]


def test_looking_who_is_due_keeps_nothing(world: World, money_is_ready: None) -> None:
    answer = signed_in("pia").get("/payout-batches/?currency=EUR")

    planned = answer.context["planned"]
    assert planned.count == 2
    assert planned.total.micros == sum(line.payout.amount_micros for line in planned.lines)
    assert PayoutBatch.objects.count() == Payout.objects.count() == 0


def test_one_draws_up_and_another_approves_after_proving_it_is_them(
    world: World, money_is_ready: None
) -> None:
    pia, quinn = signed_in("pia"), confirmed("quinn")
    pia.post("/payout-batches/prepare", {"currency": "EUR"})
    batch = PayoutBatch.objects.get()
    page = f"/payout-batches/{batch.pk}/"
    pia.post(f"{page}submit")

    quinn.post(f"{page}approve")

    batch.refresh_from_db()
    assert batch.status == "approved"
    assert batch.approved_by is not None
    assert batch.approved_by.email == "quinn@example.org"


def test_a_draft_can_be_thrown_away(world: World, money_is_ready: None) -> None:
    pia = signed_in("pia")
    pia.post("/payout-batches/prepare", {"currency": "EUR"})
    batch = PayoutBatch.objects.get()

    pia.post(f"/payout-batches/{batch.pk}/cancel")

    batch.refresh_from_db()
    assert batch.status == "canceled"


def test_a_second_open_batch_is_refused_in_plain_words(world: World, money_is_ready: None) -> None:
    pia = signed_in("pia")
    pia.post("/payout-batches/prepare", {"currency": "EUR"})

    answer = pia.post("/payout-batches/prepare", {"currency": "EUR"}, follow=True)

    assert "is being drawn up already" in answer.content.decode()


def test_a_look_up_answers_htmx_with_the_answer_alone(world: World) -> None:
    ada = signed_in("ada")

    part = ada.get("/look-up/?q=https://ada.example/none", HTTP_HX_REQUEST="true")
    whole = ada.get("/look-up/?q=https://ada.example/none")

    assert "<html" not in part.content.decode()
    assert "<html" in whole.content.decode()
    assert ada.get("/look-up/?q=http://").status_code == 422

"""Was this trained on? By address, by hash and by likeness, registered or not."""

import io

import pytest

from attribution import generative_models
from attribution.generative_models import FeePolicy
from registry.manifests import ManifestItem
from tests.factories import DAY, NOON, allow, api_client, make_creator, make_operator, make_work
from tribute.fingerprints import fingerprint
from tribute.vocabulary import Medium

pytestmark = pytest.mark.django_db

WORDS = [f"word{n}" for n in range(300)]
SHA256 = "ab" * 32


def learned_by(query: dict[str, str]) -> list[tuple[str, str, bool]]:
    answer = api_client().get("/v1/lookup", query)
    assert answer.status_code == 200, answer.data
    return [
        (use["matched_by"], use["decision"], use["distance"] is not None)
        for use in answer.data["models"]
    ]


def test_models_are_named_by_address_hash_and_likeness() -> None:
    acme = make_operator("acme")
    work = make_work(make_creator("ada"), text=" ".join(WORDS), url="https://ada.example/1")
    allow(work)
    fee = FeePolicy("EUR", fixed_micros=10)
    model = generative_models.register(acme, name="Muse", version="1", fee=fee, at=NOON)
    rows = [
        ManifestItem(NOON + DAY, url="https://ada.example/1"),
        ManifestItem(NOON + DAY, url="https://nobody.example/x"),
        ManifestItem(NOON + DAY, sha256=SHA256),
    ]
    generative_models.declare_manifest(model, rows, at=NOON + 2 * DAY)
    changed = " ".join([*WORDS[:290], "and", "more"])
    near_iscc = fingerprint(io.BytesIO(changed.encode()), Medium.TEXT).iscc

    work_iscc = work.iscc
    assert work_iscc is not None
    assert near_iscc is not None
    assert work.sha256 is not None
    assert learned_by({"url": "http://www.ada.example/1"}) == [("work", "allow", False)]
    assert learned_by({"sha256": bytes(work.sha256).hex()}) == [("work", "allow", False)]
    assert learned_by({"iscc": work_iscc}) == [("work", "allow", False)]
    assert learned_by({"iscc": near_iscc}) == [("near", "allow", True)]
    assert learned_by({"url": "https://nobody.example/x#y"}) == [("identifier", "unknown", False)]
    assert learned_by({"sha256": SHA256}) == [("identifier", "unknown", False)]
    assert learned_by({"url": "https://nobody.example/y"}) == []

"""A model's policy is one fee, published once."""

import pytest

from attribution.errors import InvalidFeePolicy, ModelExists, WrongManifest
from attribution.generative_models import (
    FeePolicy,
    declare_manifest,
    manifests_in_force,
    register,
)
from attribution.models import GenerativeModel
from ledger.errors import UnknownCurrency
from registry.errors import EmptyManifest
from registry.manifests import ManifestItem
from registry.models import Operator, Work
from tests.attribution.world import INGESTED, ingest
from tests.factories import NOON, make_operator


@pytest.mark.parametrize(
    ("fee", "refusal"),
    [
        (FeePolicy("EUR"), InvalidFeePolicy),
        (FeePolicy("EUR", 1, 1), InvalidFeePolicy),
        (FeePolicy("EUR", 0), InvalidFeePolicy),
        (FeePolicy("EUR", -1), InvalidFeePolicy),
        (FeePolicy("EUR", 10**12 + 1), InvalidFeePolicy),
        (FeePolicy("EUR", None, 0), InvalidFeePolicy),
        (FeePolicy("EUR", None, 1_000_001), InvalidFeePolicy),
        (FeePolicy("XXX", 1), UnknownCurrency),
    ],
)
def test_a_fee_that_makes_no_sense_is_refused(
    acme: Operator, fee: FeePolicy, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        register(acme, name="Writer", version="1", fee=fee, at=NOON)

    assert not GenerativeModel.objects.exists()


def test_a_version_is_registered_once_per_operator(acme: Operator) -> None:
    fee = FeePolicy("EUR", 1)
    register(acme, name="Writer", version="1", fee=fee, at=NOON)
    register(make_operator("bolt"), name="Writer", version="1", fee=fee, at=NOON)

    with pytest.raises(ModelExists):
        register(acme, name="Writer", version="1", fee=fee, at=NOON)


def test_a_manifest_of_somebody_else_is_refused(acme: Operator, chariot: Work) -> None:
    theirs = ingest(make_operator("bolt"), [chariot])

    with pytest.raises(WrongManifest):
        register(
            acme, name="Writer", version="1", fee=FeePolicy("EUR", 1), manifest=theirs, at=INGESTED
        )


def test_a_new_manifest_replaces_the_old_one_only_when_it_is_whole(
    writer: GenerativeModel,
) -> None:
    before = writer.manifest_id
    with pytest.raises(EmptyManifest):
        declare_manifest(writer, [], at=INGESTED)
    writer.refresh_from_db()
    assert writer.manifest_id == before

    row = ManifestItem(INGESTED, url="https://elsewhere.example/")
    manifest = declare_manifest(writer, [row], at=INGESTED)

    writer.refresh_from_db()
    assert writer.manifest_id == manifest.pk != before


def test_the_manifests_of_all_models_are_in_force(acme: Operator, chariot: Work) -> None:
    fee = FeePolicy("EUR", 1)
    writer, painter = (register(acme, name=n, version="1", fee=fee, at=NOON) for n in "AB")
    rows = [ManifestItem(INGESTED, sha256=bytes(chariot.sha256 or b"").hex())]
    first = declare_manifest(writer, rows, at=INGESTED)
    second = declare_manifest(painter, rows, at=INGESTED)
    third = declare_manifest(writer, rows, at=INGESTED)

    assert manifests_in_force() == {second.pk, third.pk}
    assert first.pk not in manifests_in_force()

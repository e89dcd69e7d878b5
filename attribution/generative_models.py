"""Register models that generate: what they owe for each answer, and what they learned from.

Owns the fee policy. Rows of a manifest, and whether each was allowed, are the registry's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from attribution.errors import (
    InvalidFeePolicy,
    InvalidPrice,
    ModelExists,
    WrongManifest,
    WrongSpace,
)
from attribution.models import EmbeddingSpace, GenerativeModel
from ledger import currencies
from ledger.money import WHOLE_PPM, Money
from registry import manifests
from registry.models import Manifest, Operator, Upload
from tribute.vocabulary import Medium

LARGEST_FEE_MICROS = 10**12
"""A million of the major unit for one query: beyond it somebody mistook the unit."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The royalty for one query: ``fixed_micros``, or ``price_share_ppm`` of its price.

    Exactly one of the two is set.
    """

    currency: str
    fixed_micros: int | None = None
    price_share_ppm: int | None = None


def register(  # noqa: PLR0913 - a published policy is said in full, each part by name
    operator: Operator,
    *,
    name: str,
    version: str,
    fee: FeePolicy,
    at: datetime,
    manifest: Manifest | None = None,
    method: str = GenerativeModel.Method.CASCADE,
    space: EmbeddingSpace | None = None,
    floor_ppm: int = 0,
    work_cap_micros: int | None = None,
    unattributed_policy: str = GenerativeModel.UnattributedPolicy.POOL,
) -> GenerativeModel:
    """Publish a model and its policy; another policy is another version.

    space: where the vectors come from that its queries may bring. Raises ModelExists,
    InvalidFeePolicy, WrongManifest, WrongSpace, and UnknownCurrency.
    """
    _check(fee)
    _check_space(space, method)
    if manifest is not None and manifest.operator_id != operator.pk:
        raise WrongManifest(f"{manifest.pk} is not {operator.handle}'s")
    try:
        with transaction.atomic():
            return GenerativeModel.objects.create(
                operator=operator,
                name=name,
                version=version,
                manifest=manifest,
                currency=fee.currency,
                fee_micros=fee.fixed_micros,
                price_share_ppm=fee.price_share_ppm,
                method=method,
                space=space,
                floor_ppm=floor_ppm,
                work_cap_micros=work_cap_micros,
                unattributed_policy=unattributed_policy,
                created_at=at,
            )
    except IntegrityError as error:
        if "model_version_once_per_operator" not in str(error):
            raise
        raise ModelExists(f"{operator.handle} has {name} {version} already") from error


def declare_manifest(
    model: GenerativeModel, rows: Iterable[manifests.ManifestItem], *, at: datetime
) -> Manifest:
    """Receive what the model learned from, in place of what was declared before.

    Queries wait until the registry has matched the rows. Raises what
    ``registry.manifests.receive`` raises.
    """
    with transaction.atomic():
        manifest = manifests.receive(model.operator, rows, at=at)
        model.manifest, model.next_manifest = manifest, None
        model.save(update_fields=["manifest", "next_manifest"])
    return manifest


def expect_manifest(
    model: GenerativeModel, upload: Upload, *, written_as: Manifest.Format, at: datetime
) -> Manifest:
    """Announce what the model learned from; it takes the other's place when it is matched."""
    with transaction.atomic():
        manifest = manifests.expect(model.operator, upload, written_as=written_as, at=at)
        model.next_manifest = manifest
        model.save(update_fields=["next_manifest"])
    return manifest


def adopt_manifests() -> int:
    """Let manifests that are matched take their places; return how many did.

    One that was refused stays where its operator sees why, and the one before in force.
    """
    ready = GenerativeModel.objects.filter(next_manifest__status=Manifest.Status.READY)
    adopted = 0
    for model in ready.values_list("pk", "next_manifest"):
        same = GenerativeModel.objects.filter(pk=model[0], next_manifest=model[1])
        adopted += same.update(manifest=model[1], next_manifest=None)
    return adopted


def manifests_in_force() -> set[str]:
    """Return the ids of the manifests from which some model learned what it knows."""
    rows = GenerativeModel.objects.exclude(manifest=None).values_list("manifest_id", flat=True)
    return {str(manifest) for manifest in rows}


def fee_of(model: GenerativeModel, *, price: Money | None) -> Money:
    """Return what one query owes under the model's policy, rounded down to whole micros.

    Raises InvalidPrice when the policy is a share and the price is missing, not above zero, in
    another currency or too small to owe a micro; and when the policy is fixed and a price is given
    in another currency.
    """
    if price is not None and (price.micros <= 0 or price.currency != model.currency):
        raise InvalidPrice(f"{price} is no price above zero in {model.currency}")
    if model.fee_micros is not None:
        return Money(model.fee_micros, model.currency)
    if price is None or model.price_share_ppm is None:
        raise InvalidPrice(f"{model.pk} owes a share of the price, so a query must name it")
    fee = price.micros * model.price_share_ppm // WHOLE_PPM
    if not 0 < fee <= LARGEST_FEE_MICROS:
        raise InvalidPrice(f"{model.price_share_ppm} ppm of {price} is {fee} micros")
    return Money(fee, model.currency)


def _check_space(space: EmbeddingSpace | None, method: str) -> None:
    kinds = GenerativeModel.Method
    if space is None or method == kinds.SIMILARITY:
        return
    if method != kinds.CASCADE or space.modality != Medium.TEXT:
        raise WrongSpace(f"{method} reads no vectors of {space.modality}")


def _check(fee: FeePolicy) -> None:
    currencies.find(fee.currency)
    if (fee.fixed_micros is None) == (fee.price_share_ppm is None):
        raise InvalidFeePolicy("name a fixed fee or a share of the price, and not both")
    if fee.fixed_micros is not None and not 0 < fee.fixed_micros <= LARGEST_FEE_MICROS:
        raise InvalidFeePolicy(f"a fixed fee is 1 to {LARGEST_FEE_MICROS} micros")
    if fee.price_share_ppm is not None and not 0 < fee.price_share_ppm <= WHOLE_PPM:
        raise InvalidFeePolicy(f"a share of the price is 1 to {WHOLE_PPM} ppm")

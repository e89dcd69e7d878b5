"""Say who earns by a work, and why somebody does not.

Owns the rules between a work's rights and its money, asked anew at each settlement. Whether the
work was allowed at ingestion has been asked before; what a creator wants is the registry's word.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from attribution.shares import Owner
from registry import claims, consent
from registry.models import (
    Creator,
    Manifest,
    ManifestRow,
    Operator,
    RightsShare,
)
from tribute.vocabulary import Decision, Purpose

_USES = (Decision.ALLOW, Decision.LICENSE)


class Withheld(StrEnum):
    """Why an owner of a contributing work earns nothing by it."""

    WAIVED = "waived"
    """The rightsholder allowed the use without asking to be paid."""
    NO_PAYMENT = "no_payment"
    """This creator wants no money at all."""
    OWN_WORK = "own_work"
    """The operator's own people would be paying themselves."""
    ERASED = "erased"
    """The creator has left and was erased."""


class Escrow(StrEnum):
    """Why an owner's part is kept apart for now."""

    CLAIM = "claim"
    """A claim holds the work's earnings, and nobody has decided about it."""
    CAP = "cap"
    """The work earned more from one operator in a day than the model's policy lets pass unseen."""


def owners(
    works: Collection[str], *, manifest: Manifest, operator: Operator, at: datetime
) -> dict[str, list[Owner]]:
    """Return each work's owners and their shares, with the reason for who is not paid.

    A creator asks to be paid in the statement that allows the use, as it stands at ``at``. Once
    the use is no longer allowed, what the model learned before is still owed as it was agreed at
    ingestion. What a work earns while a claim holds it is kept apart.
    """
    standing = consent.standing(works, Purpose.TRAIN_AI, at=at)
    agreed = _agreed(works, manifest=manifest)
    own = set(Creator.objects.filter(members__operators=operator).values_list("pk", flat=True))
    contested = claims.held(works, at=at)
    found: dict[str, list[Owner]] = defaultdict(list)
    shares = RightsShare.objects.filter(work__in=works).select_related("creator")
    for share in shares.order_by("work_id", "creator_id"):
        stands = standing[share.work_id]
        asked = stands.paid if stands.decision in _USES else share.work_id in agreed
        waived = not asked or share.creator_id in stands.waived
        reason = _reason(share.creator, waived=waived, own=share.creator_id in own)
        escrow = Escrow.CLAIM if share.work_id in contested else ""
        found[share.work_id].append(Owner(share.creator_id, share.ppm, reason, escrow))
    return dict(found)


def _reason(creator: Creator, *, waived: bool, own: bool) -> str:
    if creator.erased_at is not None:
        return Withheld.ERASED
    if own:
        return Withheld.OWN_WORK
    if waived:
        return Withheld.WAIVED
    return "" if creator.wants_payment else Withheld.NO_PAYMENT


def _agreed(works: Collection[str], *, manifest: Manifest) -> set[str]:
    """Return the works ingested under a statement that asks for payment, or under a licence."""
    asked = Q(statement__paid=True) | Q(statement=None, decision=Decision.ALLOW)
    rows = ManifestRow.objects.filter(asked, manifest=manifest, work__in=works)
    return {str(work) for work in rows.values_list("work_id", flat=True)}

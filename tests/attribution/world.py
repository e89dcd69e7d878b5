"""Attribution's small world: two short poems, one model that learned from them, some money.

Ada and Ben hold the rights in texts that in truth belong to everybody: Emily Dickinson's
"Because I could not stop for Death" (1890) and William Blake's "The Tyger" (1794).
"""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from attribution import generative_models, indexing, queries
from attribution.generative_models import FeePolicy
from attribution.models import GenerativeModel, Query
from attribution.queries import QueryReport
from ledger.accounts import AccountKind, account_id
from ledger.posting import Draft, EntryKind, key_for, post
from registry import manifests
from registry.models import Manifest, Operator, Work
from tests.factories import NOON
from tribute.vocabulary import IdentifierKind

CHARIOT = """
Because I could not stop for Death,
He kindly stopped for me;
The carriage held but just ourselves
And Immortality.
We slowly drove, he knew no haste,
And I had put away
My labor, and my leisure too,
For his civility.
"""
TYGER = """
Tyger Tyger, burning bright,
In the forests of the night;
What immortal hand or eye,
Could frame thy fearful symmetry?
In what distant deeps or skies
Burnt the fire of thine eyes?
On what wings dare he aspire?
What the hand, dare seize the fire?
"""
TWELVE_OF_CHARIOT = "Because I could not stop for Death, he kindly stopped for me."
EIGHT_OF_TYGER = "Tyger, Tyger, burning bright in the forests of"
FOUR_OF_NOBODY = "said the machine today"
MEDLEY = f"{TWELVE_OF_CHARIOT} {EIGHT_OF_TYGER} {FOUR_OF_NOBODY}"
"""24 words: 12 from the one poem, 8 from the other, 4 from neither."""

REWORDED = (
    "Immortality sat in the carriage, and slowly Death drove me: no haste, my leisure and my labor "
    "put away, for the civility I could but stop"
)

INGESTED = NOON + timedelta(days=10)
GENERATED = NOON + timedelta(days=20)

_numbers = itertools.count(1)


def ingest(operator: Operator, works: Iterable[Work]) -> Manifest:
    """What an operator says it trained on."""
    items = [
        manifests.ManifestItem(INGESTED, **{identifier.kind: identifier.canonical})
        for work in works
        for identifier in work.identifiers.exclude(kind=IdentifierKind.ISCC)
    ]
    return manifests.receive(operator, items, at=INGESTED)


def make_model(
    operator: Operator,
    works: Iterable[Work],
    *,
    fee_micros: int | None = 10_000,
    price_share_ppm: int | None = None,
    version: str = "1",
    **policy: Any,
) -> GenerativeModel:
    """A model that learned from ``works``, all of them indexed."""
    model = generative_models.register(
        operator,
        name="Writer",
        version=version,
        fee=FeePolicy("EUR", fee_micros, price_share_ppm),
        manifest=ingest(operator, works),
        at=INGESTED,
        **policy,
    )
    indexing.index_works(limit=100, at=INGESTED)
    return model


def fund(operator: Operator, micros: int = 1_000_000) -> None:
    """Money that an operator paid in."""
    legs = (
        (account_id(AccountKind.PROVIDER_CLEARING, None, "EUR"), -micros),
        (account_id(AccountKind.OPERATOR_PREPAID, operator.pk, "EUR"), micros),
    )
    draft = Draft(key_for(f"test:{next(_numbers)}"), EntryKind.TOPUP, "EUR", legs, INGESTED)
    post([draft], at=INGESTED)


def report(
    model: GenerativeModel, output: str | None = MEDLEY, *, external_id: str = "", **said: Any
) -> QueryReport:
    return QueryReport(
        model_id=model.pk,
        external_id=external_id or f"gen-{next(_numbers)}",
        occurred_at=GENERATED,
        output=output,
        **said,
    )


def ask(model: GenerativeModel, output: str | None = MEDLEY, **said: Any) -> Query:
    """A query that Acme has reported."""
    (received,) = queries.receive(model.operator, [report(model, output, **said)], at=GENERATED)
    return Query.objects.get(pk=received.query_id)

"""Keep evidence after settlement when its operator agreed, encrypted as it was, and for a time.

Owns the consent to keep, the copy and its deletion. What is kept is the sealed box itself, bound
to its query under a key that the database never holds; nothing is opened here.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from attribution.errors import InvalidRetention
from attribution.models import GenerativeModel, KeptEvidence, Query

MOST_DAYS = 400


def agree(model: GenerativeModel, *, days: int | None) -> None:
    """Keep the evidence of a model's queries for ``days`` after settlement; None: not, and no more.

    Without consent what is kept is deleted at once; fewer days count for what is kept already.
    Raises InvalidRetention.
    """
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise InvalidRetention(f"evidence is kept for 1 to {MOST_DAYS} days, not {days}")
    with transaction.atomic():
        # After batches that still keep: settlement holds the model's row.
        model = GenerativeModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        model.keep_evidence_days = days
        model.save(update_fields=["keep_evidence_days"])
        kept = KeptEvidence.objects.filter(query__model=model)
        if days is None:
            kept.delete()
            return
        shorter = [
            row
            for row in kept.select_related("query").defer("box", "query__evidence")
            if row.delete_at > (row.query.settled_at or row.delete_at) + timedelta(days=days)
        ]
        for row in shorter:
            assert row.query.settled_at is not None, "query_settled_has_its_entry"
            row.delete_at = row.query.settled_at + timedelta(days=days)
        KeptEvidence.objects.bulk_update(shorter, ["delete_at"])


def keep(settled: Iterable[Query], *, at: datetime) -> None:
    """Keep the boxes of queries that are being settled, where the operator agreed."""
    chosen = [query for query in settled if query.model.keep_evidence_days is not None]
    if not chosen:
        return
    # Asked again under the lock that settlement holds: consent may have ended meanwhile.
    models = {query.model_id for query in chosen}
    days = dict(
        GenerativeModel.objects.filter(pk__in=models, keep_evidence_days__isnull=False).values_list(
            "pk", "keep_evidence_days"
        )
    )
    KeptEvidence.objects.bulk_create(
        KeptEvidence(
            query=query,
            box=query.evidence,
            key_id=query.evidence_key_id,
            delete_at=at + timedelta(days=days[query.model_id] or 0),
        )
        for query in chosen
        if query.model_id in days
    )


def delete_due(*, at: datetime) -> int:
    """Delete what has been kept long enough; return how many boxes that were."""
    return KeptEvidence.objects.filter(delete_at__lte=at).delete()[0]

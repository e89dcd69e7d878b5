"""Hold back what one work earns suspiciously fast from one operator.

Owns the day's sums and the question whether a model's cap is passed. The part of the query that
would pass it, and all later parts of that work on that UTC day, wait for a person. What a claim
holds stays with the claim: a person decides about that, too, and about whose it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time

from django.db.models import Sum

from attribution.eligibility import Escrow
from attribution.methods.evidence import Weights
from attribution.models import Contribution, Query
from attribution.shares import Owner, Shares
from registry.models import Operator


class Earned:
    """What works earned from operators today, read once and kept up while a batch is divided."""

    def __init__(self, queries: Iterable[Query], *, at: datetime) -> None:
        """Read the sums of operators whose models have a cap; their batches take turns."""
        capped = {query.operator_id for query in queries if query.model.work_cap_micros}
        self._sums: Counter[tuple[str, str, str]] = Counter()
        if not capped:
            return
        rows = Operator.objects.filter(pk__in=capped).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
        today = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
        sums = (
            Contribution.objects.filter(
                query__operator__in=capped, query__settled_at__gte=today, work__isnull=False
            )
            .values_list("query__operator_id", "query__currency", "work_id")
            .annotate(micros=Sum("micros"))
        )
        self._sums.update({(operator, code, work): m for operator, code, work, m in sums})

    def capped(
        self, query: Query, weights: Weights, owners: Mapping[str, Sequence[Owner]]
    ) -> Mapping[str, Sequence[Owner]]:
        """Return the owners of weighed works; of a work that would pass the cap, in escrow."""
        cap = query.model.work_cap_micros
        if cap is None:
            return {each.work: owners[each.work] for each in weights.works}
        found: dict[str, Sequence[Owner]] = {}
        for each in weights.works:
            most = query.fee_micros * each.weight // weights.total
            over = self._sums[query.operator_id, query.currency, each.work] + most > cap
            found[each.work] = [
                owner._replace(escrow=owner.escrow or Escrow.CAP.value) if over else owner
                for owner in owners[each.work]
            ]
        return found

    def add(self, query: Query, shares: Shares) -> None:
        """Count what a query gives."""
        if query.model.work_cap_micros is not None:
            for part in shares.parts:
                self._sums[query.operator_id, query.currency, part.work] += part.micros

"""Explain one settled query: which works, by which rule, for how much, and where it is booked.

Owns the sentences. Operators see every row of their own queries; a creator sees his own rows and
the total of the others', so that nobody's earnings are another's to read.
"""

from dataclasses import dataclass

from attribution.errors import NotSettled
from attribution.methods import uniform, verbatim
from attribution.models import Contribution, Query
from ledger.models import Batch, Entry
from ledger.money import Money
from registry.models import Creator

PPM = 1_000_000

_WITHHELD = {
    "waived": "the rightsholder allowed the use without asking to be paid",
    "no_payment": "this creator asks for no money",
    "own_work": "an operator's own works earn nothing from its queries",
    "erased": "the creator has left",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One owner's part of the answer.

    ``words`` of the output were found in the work; ``share_ppm`` of the answer is what that makes,
    others who share the words and co-owners of the work accounted for. ``reason`` says why
    nothing was paid, when nothing was.
    """

    work_id: str
    title: str
    creator_id: str
    creator: str
    words: int
    share_ppm: int
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a person needs to recompute one query.

    ``fee`` is ``platform_fee``, the rows' amounts and ``remainder`` together; ``others`` is what
    rows not shown were paid. ``rule`` is the method in plain words. ``entry_id`` and ``batch_seq``
    find it in the books.
    """

    query_id: str
    model: str
    fee: Money
    platform_fee: Money
    remainder: Money
    remainder_share_ppm: int
    others: Money
    rows: tuple[Row, ...]
    rule: str
    method: str
    parameters: dict[str, int | str]
    output_words: int | None
    entry_id: int
    batch_seq: int


def explain(query: Query, *, creator: Creator | None = None) -> Explanation:
    """Explain a settled query, to one ``creator`` or to its operator. Raises NotSettled."""
    if query.state != Query.State.SETTLED or query.weight is None:
        raise NotSettled(f"{query.pk} is {query.state}; it is explained once it is settled")
    parts = list(query.contributions.select_related("work", "creator").order_by("id"))
    shown = [p for p in parts if p.work_id and (creator is None or p.creator_id == creator.pk)]
    rest = [part for part in parts if part.work_id is None]
    assert query.entry_key is not None, "query_settled_has_its_entry"
    entry = Entry.objects.get(key=query.entry_key)
    paid = sum(part.micros for part in parts if part.work_id)
    currency = query.currency
    return Explanation(
        query_id=query.pk,
        model=str(query.model),
        fee=query.fee,
        platform_fee=Money(query.platform_micros or 0, currency),
        remainder=Money(sum(part.micros for part in rest), currency),
        remainder_share_ppm=sum(part.weight for part in rest) * PPM // query.weight,
        others=Money(paid - sum(part.micros for part in shown), currency),
        rows=tuple(_row(part, currency=currency, whole=query.weight) for part in shown),
        rule=_rule(query),
        method=f"{query.method}/{query.method_version}",
        parameters=query.parameters,
        output_words=query.words,
        entry_id=entry.pk,
        batch_seq=Batch.objects.get(batch_id=entry.batch_id).seq,
    )


def _row(part: Contribution, *, currency: str, whole: int) -> Row:
    assert part.work is not None, "only rows with a work are shown"
    assert part.creator is not None, "contribution_names_work_and_creator_or_neither"
    return Row(
        work_id=part.work.pk,
        title=part.work.title,
        creator_id=part.creator.pk,
        creator=part.creator.display_name,
        words=part.words,
        share_ppm=part.weight * PPM // whole,
        amount=Money(part.micros, currency),
        reason=_WITHHELD.get(part.withheld, part.withheld),
    )


def _rule(query: Query) -> str:
    given = query.parameters
    fee = f"The platform keeps {given['platform_fee_ppm'] / 10_000:g} % of the fee. "
    if query.method == verbatim.NAME:
        return fee + (
            f"The rest is shared by words: each of the output's {query.words} words that lies in a "
            f"run of at least {given['min_words']} words found in registered texts is shared "
            "equally by the texts it is found in; near-copies count as one text, the earliest "
            f"registered. A word found in more than {given['max_sharers']} texts, or in none, "
            "belongs to the remainder."
        )
    assert query.method == uniform.NAME, "query_settled_has_its_entry"
    return fee + (
        f"The rest is shared alike by {given['window']} of the {given['works']} works the model "
        "learned from, drawn by the query's id; near-copies count as one."
    )

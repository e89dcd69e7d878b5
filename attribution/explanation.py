"""Explain one settled query: which works, by which rule, for how much, and where it is booked.

Owns the sentences. Operators see every row of their own queries; a creator sees his own rows and
the total of the others', so that nobody's earnings are another's to read.
"""

from dataclasses import dataclass
from typing import Any

from attribution.errors import NotSettled
from attribution.methods import cascade, reported, shapley, similarity, uniform, verbatim
from attribution.models import Contribution, Query
from ledger.models import Batch, Entry
from ledger.money import Money
from registry.models import Creator

PPM = 1_000_000

_WITHHELD = {
    "waived": "the rightsholder allowed the use without asking to be paid",
    "no_payment": "this creator asks for no money",
    "own_work": "an operator's own works earn nothing from its queries",
    "related": "this creator and the operator belong together",
    "erased": "the creator has left",
}

_ESCROW = {
    "claim": "kept apart until the open claim to this work is decided",
    "cap": "kept apart until a person has looked at what this work earns in a day",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One owner's part of the answer.

    ``words`` of the output were found in the work; ``share_ppm`` of the answer is what that makes,
    others who share the words and co-owners of the work accounted for. ``reason`` says why
    nothing was paid, or why the amount is kept apart.
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
    parameters: dict[str, Any]
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
        reason=_WITHHELD.get(part.withheld) or _ESCROW.get(part.escrow, ""),
    )


def _rule(query: Query) -> str:
    """Say the method in plain words; resemblance is never called a cause."""
    fee = f"The platform keeps {query.parameters['platform_fee_ppm'] / 10_000:g} % of the fee. "
    return fee + _RULES[query.method](query)


def _verbatim(query: Query) -> str:
    return f"{_repeated(query)} A word that is found in no text belongs to the remainder."


def _repeated(query: Query) -> str:
    given = query.parameters
    return (
        f"The rest is shared by words: each of the output's {query.words} words that lies in a "
        f"run of at least {given['min_words']} words found in registered texts is shared "
        "equally by the texts it is found in; near-copies count as one text, the earliest "
        f"registered, and a word found in more than {given['max_sharers']} texts shows no origin."
    )


def _cascade(query: Query) -> str:
    return (
        f"{_repeated(query)} What the words found leave over is shared by resemblance: "
        f"{_RESEMBLANCE}"
    )


def _similarity(query: Query) -> str:
    if query.words is None:
        return f"The rest is shared by resemblance: {_NEARNESS}"
    return f"The rest is shared by resemblance: {_RESEMBLANCE}"


_RESEMBLANCE = (
    "works whose passages have the output's words in common, and stand out by it among all works, "
    "get the more the likelier an output of theirs looks like this one, and nobody gets what looks "
    "like the work of strangers. Resembling a work does not show that the answer came from it."
)


_NEARNESS = (
    "works whose vectors are near the output's, and stand out by it among all works, get the more "
    "the likelier an output of theirs lies as near, and nobody gets what looks like the work of "
    "strangers. Resembling a work does not show that the answer came from it."
)


def _shapley(_query: Query) -> str:
    return (
        "The rest is shared by the Shapley values of resemblance: a passage of the output is worth "
        "what its most alike work has of it, and works that are as alike share that equally; the "
        "passages count alike. Resembling a work does not show that the answer came from it."
    )


def _reported(query: Query) -> str:
    given = query.parameters
    lds = given["measured_lds"]
    measured = (
        f"measured their quality as {lds:g} (linear datamodelling score, 1 is perfect)"
        if lds is not None
        else "has not measured their quality"
    )
    checked = (
        f" They differ by {given['divergence_ppm'] / 10_000:g} % from what the registry finds "
        f"by words{', which asks for a closer look' if given.get('diverges') else ''}."
        if "divergence_ppm" in given
        else ""
    )
    return (
        "The rest is shared by the operator's own scores of the rows its model learned from, "
        f"computed with {given['tool']}: the scores of a work's rows are added, those that speak "
        "against the output count as nothing, and near-copies count as one work. At least "
        f"{given['floor_ppm'] / 10_000:g} % stay unattributed. The operator "
        f"{measured}.{checked}"
    )


def _uniform(query: Query) -> str:
    given = query.parameters
    return (
        f"The rest is shared alike by {given['window']} of the {given['works']} works the model "
        "learned from, drawn by the query's id; near-copies count as one."
    )


_RULES = {
    verbatim.NAME: _verbatim,
    cascade.NAME: _cascade,
    similarity.NAME: _similarity,
    shapley.NAME: _shapley,
    reported.NAME: _reported,
    uniform.NAME: _uniform,
}

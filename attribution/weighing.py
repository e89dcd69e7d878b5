"""Open a query's evidence and let its model's method weigh it.

Owns the choice of method, its parameters, and what is recorded of it. It writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from attribution import candidates
from attribution.errors import EvidenceUnreadable, InvalidEvidence
from attribution.methods import uniform, verbatim
from attribution.methods.evidence import Weights
from attribution.models import GenerativeModel, Query
from attribution.sealing import Sealed, unseal
from registry.manifests import allowed_works
from registry.models import Manifest
from tribute.features import Features, InvalidFeatures

Parameters: TypeAlias = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a method found for one query, with all that is needed to find it again.

    ``words``: the output's length in words, None when the method does not read outputs.
    """

    weights: Weights
    method: str
    version: str
    parameters: Parameters
    words: int | None


@dataclass(frozen=True, slots=True)
class Unweighable:
    """A query that can never be weighed, and why."""

    reason: str


def weigh(queries: Sequence[Query], manifest: Manifest) -> dict[str, Finding | Unweighable]:
    """Weigh queries to models that learned from ``manifest``; answer by query id."""
    found: dict[str, Finding | Unweighable] = {}
    outputs: dict[str, Features] = {}
    for query in queries:
        if query.model.method == GenerativeModel.Method.UNIFORM:
            found[query.pk] = _uniform(query, manifest)
            continue
        try:
            outputs[query.pk] = _open(query)
        except (EvidenceUnreadable, InvalidEvidence) as error:
            found[query.pk] = Unweighable(error.code)
    for key, evidence in candidates.find(outputs, manifest).items():
        found[key] = Finding(
            verbatim.weigh(evidence),
            verbatim.NAME,
            verbatim.VERSION,
            {
                "ngram_words": evidence.ngram,
                "min_words": verbatim.DEFAULT_MIN_WORDS,
                "max_sharers": verbatim.MAX_SHARERS,
                "scan_texts": candidates.SCAN_TEXTS,
            },
            evidence.words,
        )
    return found


def _open(query: Query) -> Features:
    assert query.evidence is not None, "query_keeps_evidence_only_while_it_waits"
    sealed = Sealed(query.evidence_key_id, bytes(query.evidence))
    try:
        return Features.from_bytes(unseal(sealed, beside=query.pk))
    except InvalidFeatures as error:
        raise InvalidEvidence(f"the features of {query.pk} cannot be read") from error


def _uniform(query: Query, manifest: Manifest) -> Finding:
    """Weigh the works of a window drawn from the query's id; copies of a work count once."""
    allowed = allowed_works(manifest).distinct().order_by("pk")
    count = allowed.count()
    first, many = uniform.window(count, seed=query.pk)
    in_order = allowed.values_list("pk", flat=True)
    works = list(in_order[first : first + many])
    works += list(in_order[: many - len(works)])
    leader_of = candidates.cluster(works, manifest)
    return Finding(
        uniform.weigh([work for work in works if leader_of[work] == work]),
        uniform.NAME,
        uniform.VERSION,
        {"works": count, "first": first, "window": many},
        None,
    )

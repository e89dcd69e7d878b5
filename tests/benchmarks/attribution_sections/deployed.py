"""The world of known origins as it is deployed: registered, indexed, learned from, weighed.

Owns a database of its own and the way through it: works are registered and indexed as creators'
are, a manifest names them, and outputs are weighed by the functions that the worker calls, from
the index that it reads. Nothing is measured here.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from attribution import generative_models, indexing, weighing
from attribution.generative_models import FeePolicy
from attribution.models import GenerativeModel
from attribution.waiting import Waiting
from attribution.weighing import Finding
from registry import consent, creators, manifests, operators, works
from registry.models import Creator, Manifest, User
from tests.benchmarks.attribution_sections.corpus import Chapter
from tests.benchmarks.settlement_world import scratch_database
from tribute.features import reduce
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
_BATCH = 100
"""Outputs weighed at once, as the worker does."""

METHODS = ("cascade", "similarity", "shapley", "verbatim")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A manifest of registered chapters, a model for each of METHODS, and chapters by work id."""

    manifest: Manifest
    models: Mapping[str, GenerativeModel]
    chapter_of: Mapping[str, str]

    def weigh(self, method: str, outputs: Sequence[str]) -> dict[str, Finding]:
        """Weigh outputs as the worker does; answer by output."""
        found: dict[str, Finding] = {}
        for first in range(0, len(outputs), _BATCH):
            opened = {each: Waiting(reduce(each)) for each in outputs[first : first + _BATCH]}
            models = dict.fromkeys(opened, self.models[method])
            for output, finding in weighing.weigh_opened(opened, models, self.manifest).items():
                assert isinstance(finding, Finding), finding
                found[output] = finding
        return found

    def shares(self, finding: Finding) -> dict[str, float]:
        """Return each chapter's share; what is missing to 1 is unattributed."""
        weights = finding.weights
        return {self.chapter_of[each.work]: each.weight / weights.total for each in weights.works}


@contextmanager
def deploy(chapters: Sequence[Chapter]) -> Iterator[Deployed]:
    """Register chapters in an empty database, each book a creator; it is dropped afterwards."""
    with scratch_database():
        people = {
            name: _creator(name) for name in sorted({chapter.creator for chapter in chapters})
        }
        chapter_of = {}
        items = []
        for number, chapter in enumerate(chapters):
            digest = hashlib.sha256(chapter.text.encode()).hexdigest()
            work = works.register(
                people[chapter.creator],
                title=chapter.work,
                medium=Medium.TEXT,
                identifiers=[(IdentifierKind.SHA256, digest)],
                features=reduce(chapter.text),
                at=AT + timedelta(seconds=number),
            )
            consent.state(
                people[chapter.creator], work, purpose=Purpose.TRAIN_AI, decision=Decision.ALLOW,
                paid=True, at=AT + timedelta(hours=1),
            )  # fmt: skip
            chapter_of[work.pk] = chapter.work
            items.append(manifests.ManifestItem(AT + timedelta(days=1), sha256=digest))
        indexing.index_works(limit=len(chapters), at=AT)
        user = User.objects.create_user("acme@example.org", None)
        operator = operators.found(user, handle="acme", name="Acme", at=AT)
        manifest = manifests.receive(operator, items, at=AT + timedelta(days=2))
        models = {
            method: generative_models.register(
                operator, name=method, version="1", fee=FeePolicy("EUR", 10_000),
                manifest=manifest, method=method, at=AT,
            )
            for method in METHODS
        }  # fmt: skip
        yield Deployed(manifest, models, chapter_of)


def _creator(name: str) -> Creator:
    user = User.objects.create_user(f"{name}@example.org", None)
    creator = creators.join(user, handle=name.replace("_", "-"), display_name=name, at=AT)
    creators.verify_identity(creator, at=AT)
    return creator

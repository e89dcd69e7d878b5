"""Embedding spaces, and the vectors of works in them.

Owns what a space is and which vectors a work has. A work's vectors are made here from the very file
that was registered, never taken from its owner, who would be paid by them. Comparing is
``neighbours``'.
"""

import logging
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from attribution.errors import NotTheFile, SpaceExists
from attribution.methods import vectors
from attribution.models import EmbeddingSpace, WorkEmbedding
from registry.models import Work
from tribute import embedders
from tribute.embedders import Description, Embedder
from tribute.vocabulary import Medium

MOST_AT_ONCE_BYTES = 32 * 1024
"""A text of this length takes a few seconds."""

_log = logging.getLogger(__name__)


def register(description: Description, *, at: datetime) -> EmbeddingSpace:
    """Return the space of this model, revision and preparation, made when it is new.

    Raises SpaceExists when it is known with another dimension or modality.
    """
    space, _ = EmbeddingSpace.objects.get_or_create(
        name=description.name,
        revision=description.revision,
        preprocessing=description.preprocessing,
        defaults={
            "modality": description.modality,
            "dimension": description.dimension,
            "registered_at": at,
        },
    )
    said = (str(description.modality), description.dimension)
    if (space.modality, space.dimension) != said:
        raise SpaceExists(f"{space} has {space.dimension} numbers, for {space.modality}")
    return space


def embed(
    work: Work, content: bytes, space: EmbeddingSpace, embedder: Embedder, *, at: datetime
) -> int:
    """Store the vectors of a work's own file in a space, once; return how many are new.

    Raises NotTheFile when ``content`` is not what was registered or cannot be read.
    """
    if work.sha256 is None or bytes(work.sha256) != sha256(content).digest():
        raise NotTheFile(f"{work.pk} was registered with other bytes")
    if WorkEmbedding.objects.filter(work=work, space=space).exists():
        return 0
    try:
        found = embedder.of_file(content)
    except ValueError as error:
        raise NotTheFile(f"{work.pk}: {error}") from error
    checked = [vectors.unit(each, dimension=space.dimension) for each in found]
    with transaction.atomic():
        made = WorkEmbedding.objects.bulk_create(
            WorkEmbedding(
                work=work,
                space=space,
                passage=number,
                vector=vectors.to_half(vector),
                embedded_at=at,
            )
            for number, vector in enumerate(checked)
        )
    return len(made)


def embed_upload(work: Work, content: bytes, *, at: datetime) -> int:
    """Store what the installed embedders make of a file just registered; return how many vectors.

    Long texts take too long to be waited for, and are left to ``manage.py embed_works``.
    """
    if work.medium == Medium.TEXT and len(content) > MOST_AT_ONCE_BYTES:
        return 0
    made = 0
    for description in embedders.installed():
        embedder = embedders.load(description.name, description.revision)
        if description.modality == work.medium and embedder is not None:
            try:
                made += embed(work, content, register(description, at=at), embedder, at=at)
            except NotTheFile as error:
                _log.warning("no vectors of %s: %s", work.pk, error)
    return made

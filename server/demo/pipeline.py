"""Acts two and three: a pipeline asks before it ingests, trains on what is allowed, and generates.

Speaks to the service over HTTP only, through the client that any pipeline would use.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.demo import works as sources
from server.demo.language_model import LanguageModel, share_copied, train
from server.demo.narration import progress, say, table
from tribute.filtering import keep_allowed
from tribute.fingerprints import fingerprint
from tribute.transport import Answer, Registry
from tribute.vocabulary import Decision, Medium, Purpose

EDITED_BOOKS = ("genesis", "romans", "psalms")
EDITED_SHARE = 0.03
GENERATED_TEXTS = 120
WORDS_A_TEXT = 90
MODEL_NAME = "Psalter"
MODEL_VERSION = "3"
FEE_MICROS = 250_000


@dataclass(frozen=True, slots=True)
class Item:
    """Something the pipeline would like to ingest, as it met it on the web."""

    title: str
    url: str
    medium: Medium
    content: bytes

    def question(self) -> dict[str, str]:
        """Return the item as the check API takes it."""
        code = fingerprint(io.BytesIO(self.content), self.medium)
        asked = {"url": self.url, "sha256": code.sha256}
        return asked | ({"iscc": code.iscc} if code.iscc else {})


def wish_list() -> list[Item]:
    """Everything the pipeline met: registered works, unregistered ones, and edited copies."""
    met = [Item(work.title, work.url, work.medium, work.read()) for work in sources.all_works()]
    by_slug = {work.slug: work for work in sources.all_works()}
    copies = [
        Item(
            f"{by_slug[slug].title} (edited copy)",
            f"https://copies.example/{slug}.txt",
            Medium.TEXT,
            sources.edited_copy(by_slug[slug].read(), seed=7, share=EDITED_SHARE),
        )
        for slug in EDITED_BOOKS
    ]
    return met + copies


def ask(registry: Registry, items: Sequence[Item]) -> list[Item]:
    """Ask about every item for generative training; returns those that are allowed."""
    result = registry.check(
        [item.question() for item in progress(items, "items fingerprinted")], [Purpose.TRAIN_AI]
    )
    _tell(items, result.answers)
    receipt = registry.receipt(result.check)
    say(f"Receipt {result.check}, signed with {receipt['signature']['alg']}.")
    return list(keep_allowed(items, result.answers).kept)


def _tell(items: Sequence[Item], answers: Sequence[Answer]) -> None:
    decisions = [answer.decisions[Purpose.TRAIN_AI] for answer in answers]
    counts = Counter(answered.decision for answered in decisions)
    say(
        ", ".join(f"{counts[decision]} {decision.value}" for decision in Decision)
        + ". For example:"
    )
    examples: dict[str, Sequence[str]] = {}
    for item, answered in zip(items, decisions, strict=True):
        kind = f"{answered.rule} {answered.matched_by}"
        examples.setdefault(kind, (item.title, answered.decision.value, answered.explanation))
    table([_short(row) for row in examples.values()])


def _short(row: Sequence[str]) -> tuple[str, ...]:
    title, decision, explanation = row
    return (title[:36], decision, explanation)


def learn(allowed: Sequence[Item]) -> LanguageModel:
    """Train the model on the allowed texts, and on nothing else."""
    texts = [item.content.decode() for item in allowed if item.medium == Medium.TEXT]
    model = train(texts)
    words = sum(len(text.split()) for text in texts)
    say(f"Trained on {len(texts)} texts, {words:,} words; digest {model.digest()[:16]}….")
    return model


def declare(registry: Registry, allowed: Sequence[Item], *, ingested_at: datetime) -> str:
    """Register the model with its manifest; returns the model's id."""
    model = registry.register_model(
        {
            "name": MODEL_NAME,
            "version": MODEL_VERSION,
            "currency": "EUR",
            "fee_micros": FEE_MICROS,
        }
    )
    rows: list[Mapping[str, str]] = [
        {
            "url": item.url,
            "sha256": hashlib.sha256(item.content).hexdigest(),
            "ingested_at": ingested_at.isoformat(),
        }
        for item in allowed
        if item.medium == Medium.TEXT
    ]
    received = registry.put_manifest(model["id"], rows)
    assert received["rows_count"] == len(rows), "the registry took every row"
    say(f"{MODEL_NAME} {MODEL_VERSION} is registered with a manifest of {len(rows)} rows.")
    return str(model["id"])


def generate(model: LanguageModel, allowed: Sequence[Item]) -> list[str]:
    """Let the model write; every text is a sample of its own."""
    seeds = range(1, GENERATED_TEXTS + 1)
    texts = [
        model.generate(words=WORDS_A_TEXT, seed=seed) for seed in progress(seeds, "texts generated")
    ]
    corpus = [item.content.decode() for item in allowed if item.medium == Medium.TEXT]
    copied = share_copied("\n".join(texts[:20]), corpus)
    say(f"For example: “{' '.join(texts[0].split()[:24])} …”")
    say(f"About {copied:.0%} of their words stand in runs of six or more that it was trained on.")
    return texts

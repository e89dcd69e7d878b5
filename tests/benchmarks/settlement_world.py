"""The world that settlement is measured in: many registered texts, two models, an operator.

Owns a database of its own, made by the owner and dropped afterwards, and filling it in bulk. The
texts are drawn from a vocabulary with Zipf's frequencies; each has one identifier and one owner,
who allowed all of his works to be trained on, for money. What registering and indexing would have
written is copied into the tables; a sample of it is compared with what the registry says.
"""

import json
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, sha256

import numpy as np
import psycopg
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from numpy.typing import NDArray
from psycopg import sql

from attribution import generative_models
from attribution.generative_models import FeePolicy
from attribution.models import GenerativeModel
from ledger.accounts import AccountKind, account_id
from ledger.posting import Draft, EntryKind, key_for, post
from registry import consent
from registry.decision_index import EPOCH, MICROSECOND
from registry.models import Creator, Manifest, Operator, Statement, Work
from registry.operators import issue_key
from server.postgres import OWNER, Postgres, superuser_url
from tribute import ids
from tribute.features import BLOCK_WORDS, NGRAM_SIZE, Features, reduce
from tribute.verdict import Tier
from tribute.vocabulary import Decision, Purpose

DATABASE = "bench_settlement"
CREATORS = 1_000
WORDS_A_WORK = 120
VOCABULARY = 50_000
DEPOSIT_MICROS = 10**15
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class World:
    """What the traffic needs: a key, the models, and texts to quote from."""

    secret: str
    reported: GenerativeModel
    cascade: GenerativeModel
    manifest: Manifest
    samples: list[str]


class Texts:
    """Texts of words with Zipf's frequencies; the same seed gives the same texts."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._words = [f"w{number:x}" for number in range(VOCABULARY)]
        weights = np.cumsum(1 / (np.arange(VOCABULARY) + 2.7))
        self._ends = weights / weights[-1]
        self._terms = np.array([_term(word) for word in self._words], np.uint32)

    def _numbers(self, words: int) -> NDArray[np.int64]:
        return np.searchsorted(self._ends, self._chance.random(words), side="right")

    def draw(self, words: int) -> str:
        """Return the next text."""
        return " ".join([self._words[number] for number in self._numbers(words)])

    def features(self, words: int) -> bytes:
        """Return the features of the next text, its n-grams drawn: nobody will quote it."""
        terms = self._terms[self._numbers(words)]
        hashes = self._chance.integers(0, 2**64, words - NGRAM_SIZE + 1, np.uint64)
        parts = [struct.pack(">4sBI", b"TFE2", NGRAM_SIZE, words), hashes.astype(">u8").tobytes()]
        for at in range(0, words, BLOCK_WORDS):
            distinct, counts = np.unique(terms[at : at + BLOCK_WORDS], return_counts=True)
            packed = (distinct << np.uint32(8) | counts.astype(np.uint32)).astype(">u4")
            parts += [bytes([len(distinct)]), packed.tobytes()]
        return b"".join(parts)


def _term(word: str) -> int:
    return int.from_bytes(
        blake2b(word.encode(), digest_size=8, person=b"tribute term").digest()[:3]
    )


@contextmanager
def scratch_database() -> Iterator[str]:
    """Make an empty database, point Django at it, and drop it at the end; gives its address."""
    name = sql.Identifier(DATABASE)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        server.execute("SELECT pg_reload_conf()")
        server.execute(drop)
        make = sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(OWNER))
        server.execute(make)
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = DATABASE
        try:
            call_command("migrate", database="owner", verbosity=0)
            yield Postgres().url(database=DATABASE)
        finally:
            connections.close_all()
            server.execute(drop)


def populate(works: int) -> World:
    """Register ``works`` texts, index them, and let two models learn from them all."""
    at = timezone.now() - timedelta(days=1)
    creators = Creator.objects.bulk_create(
        Creator(
            handle=f"creator-{n}",
            display_name=f"Creator {n}",
            identity_verified_at=at,
            commitment_key=_key(n),
            created_at=at,
        )
        for n in range(CREATORS)
    )
    said = [
        consent.state(
            each, each, purpose=Purpose.TRAIN_AI, decision=Decision.ALLOW, paid=True, at=at
        )
        for each in creators
    ]
    operator = Operator.objects.create(handle="acme", name="Acme", created_at=at)
    manifest = Manifest.objects.create(
        operator=operator,
        digest=sha256(b"bench").digest(),
        rows_count=works,
        matched_count=works,
        status=Manifest.Status.READY,
        received_at=at,
    )
    samples = _register(works, said, manifest, at=at)
    _compare(at)
    assert Features.from_bytes(Texts(seed=3).features(WORDS_A_WORK)).words == WORDS_A_WORK
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as server:
        server.execute("VACUUM ANALYZE")
    legs = (
        (account_id(AccountKind.PROVIDER_CLEARING, None, "EUR"), -DEPOSIT_MICROS),
        (account_id(AccountKind.OPERATOR_PREPAID, operator.pk, "EUR"), DEPOSIT_MICROS),
    )
    post([Draft(key_for("bench:deposit"), EntryKind.TOPUP, "EUR", legs, at)], at=at)
    reported, cascade = (
        generative_models.register(
            operator, name=method, version="1", fee=FeePolicy("EUR", 10_000),
            manifest=manifest, method=method, at=at,
        )
        for method in ("reported", "cascade")
    )  # fmt: skip
    issued = issue_key(operator, scopes=["queries:write"], name="bench", at=at, expires_at=None)
    return World(issued.secret, reported, cascade, manifest, samples)


def _register(works: int, said: list[Statement], manifest: Manifest, *, at: datetime) -> list[str]:
    """Copy works and their features into the tables; return some of the texts."""
    texts = Texts(seed=1)
    owners = [ids.decode("cre", each.claimant_id) for each in said]
    statements = [ids.decode("stm", each.pk) for each in said]
    decisions = [_packed(each) for each in said]
    mft = ids.decode("mft", manifest.pk)
    samples: list[str] = []
    started = time.monotonic()
    for first in range(0, works, _AT_ONCE):
        rows = []
        for number in range(first, min(works, first + _AT_ONCE)):
            reduced = texts.features(WORDS_A_WORK)
            if number % max(1, works // 1_000) == 0:
                samples.append(texts.draw(WORDS_A_WORK))
                reduced = reduce(samples[-1]).to_bytes()
            rows.append((number, ids.new_uuid7(), owners[number % len(owners)], reduced))
        _copy("registry_work (id, title, medium, registered_by_id, registered_at, status)",
              [(w, f"Work {n}", "text", o, at, "active") for n, w, o, _ in rows])  # fmt: skip
        _copy("registry_rightsshare (work_id, creator_id, ppm, confirmed_at)",
              [(w, o, 1_000_000, at) for _, w, o, _ in rows])  # fmt: skip
        _copy("registry_identifier (work_id, kind, canonical, key, scopes, added_at)",
              [(w, "sha256", f"{n:064x}", _key(n), [], at) for n, w, _, _ in rows])  # fmt: skip
        _copy("registry_workfeatures (work_id, features, ngrams, indexed_at)",
              [(w, f, WORDS_A_WORK - NGRAM_SIZE + 1, at) for _, w, _, f in rows])  # fmt: skip
        _copy("registry_decisionindex (key, subject, subject_type, tier, specificity, statements)",
              [row for n, w, o, _ in rows for row in (
                  (_key(n), w, "work", Tier.WORK.value, 0, "[]"),
                  (_key(n), o, "creator", Tier.CREATOR.value, 0, decisions[n % len(said)]))])  # fmt: skip
        _copy("registry_manifestrow (manifest_id, row_number, kind, canonical, key, ingested_at,"
              " work_id, decision, statement_id)",
              [(mft, n + 1, "sha256", f"{n:064x}", _key(n), at, w, "allow", statements[n % len(said)])
               for n, w, _, _ in rows])  # fmt: skip
        _copy("attribution_indexedtext (number, work_id)", [(n, w) for n, w, _, _ in rows])
    print(f"{works} works in {time.monotonic() - started:.0f} s")  # noqa: T201 - a benchmark prints
    return samples


def _packed(said: Statement) -> str:
    """Return what the decision index holds of a statement about all of its claimant's works."""
    return json.dumps(
        [
            {
                "id": said.pk,
                "claimant": said.claimant_id,
                "purpose": said.purpose,
                "decision": said.decision,
                "paid": said.paid,
                "terms": None,
                "from": (said.effective_from - EPOCH) // MICROSECOND,
                "sequence": said.sequence,
                "proven": True,
                "disputed": False,
            }
        ]
    )


def _compare(at: datetime) -> None:
    """Ask history about a sample of the works, and compare what the index was given."""
    sample = list(Work.objects.order_by("?").values_list("pk", flat=True)[:100])
    by_history = consent.standing(sample, Purpose.TRAIN_AI, at=at)
    assert consent.standing_now(sample, Purpose.TRAIN_AI, at=at) == by_history
    assert all(stands.paid for stands in by_history.values())


def _key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def _copy(target: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Copy rows as the superuser, without the triggers that check a work at a time."""
    with psycopg.connect(superuser_url(DATABASE)) as server, server.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def waiting() -> bool:
    """Tell whether some query is still to be settled."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM attribution_query WHERE state = 'received')")
        row = cursor.fetchone()
    return bool(row and row[0])


def settled_count() -> int:
    """Return how many queries have been settled."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM attribution_query WHERE state = 'settled'")
        row = cursor.fetchone()
    return int(row[0]) if row else 0

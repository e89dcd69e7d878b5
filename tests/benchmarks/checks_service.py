"""The service that the benchmark of checks asks: a registry of many keys, its snapshot, an operator.

Owns a database of its own, made by the owner and dropped afterwards, and filling it in bulk with the
same rules as ``checks_world``: works known by URL, collections by domain and path, each with one
statement, indexed as ``registry.decision_index`` would. Measuring is ``checks_endpoint``'s.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.utils import timezone

from registry import snapshots
from registry.decision_index import EPOCH, MICROSECOND
from registry.history import specificity
from registry.models import Collection, Creator, Operator
from registry.operators import issue_key
from server.postgres import superuser_url
from tests.benchmarks.checks_world import TAGS, Sizes, lists
from tests.benchmarks.intake_world import scratch_database
from tribute import ids
from tribute.verdict import Tier
from tribute.vocabulary import Purpose

DATABASE = "bench_checks"
_AT_ONCE = 10_000
_COUNTED = 8
_TABLES = {
    "registry_work": "id, title, medium, registered_by_id, registered_at, status",
    "registry_identifier": "work_id, kind, canonical, key, scopes, added_at",
    "registry_collection": "id, creator_id, kind, canonical, key, challenge_token, claimed_at,"
    " method, recheck_failures",
    "registry_decisionindex": "key, subject, subject_type, tier, specificity, statements",
}
_CONSTRAINTS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
              pg_get_constraintdef(oid))
  FROM pg_constraint AS unique_here
 WHERE conrelid = ANY(%(tables)s::regclass[]) AND contype IN ('p', 'u')
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f'
                      AND confrelid = unique_here.conrelid)
"""
_INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
  FROM pg_index
 WHERE indrelid = ANY(%(tables)s::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@dataclass(frozen=True, slots=True)
class Service:
    """What a benchmark needs to ask: the operator's key. keys: how many the index holds."""

    secret: str
    keys: int


@contextmanager
def service(sizes: Sizes, home: Path) -> Iterator[Service]:
    """Make the database, fill it, publish its snapshot below ``home``; drop it at the end."""
    settings.HOME = home
    with filled(sizes, DATABASE) as keys:
        at = timezone.now()
        snapshots.build(at=at)
        operator = Operator.objects.create(handle="acme", name="Acme", created_at=at)
        issued = issue_key(operator, scopes=["checks:write"], name="bench", at=at)
        yield Service(issued.secret, keys)


@contextmanager
def filled(sizes: Sizes, name: str) -> Iterator[int]:
    """Make a database of that name and fill it; give how many keys it has; drop it at the end."""
    with scratch_database(name):
        at = timezone.now() - timedelta(days=1)
        creator = Creator.objects.create(handle="ada", display_name="Ada", created_at=at)
        yield _fill(sizes, name, creator, at)


def _fill(sizes: Sizes, name: str, creator: Creator, at: datetime) -> int:
    keys = 0
    with psycopg.connect(superuser_url(name), autocommit=True) as server:
        # Neither triggers nor foreign keys: what is copied is what they would have let through.
        server.execute("SET session_replication_role = replica")
        with _indexed_afterwards(server):
            for kind, values in zip(("url", "domain", "path"), lists(sizes), strict=True):
                words = _Words(kind, creator, at)
                for batch in _batches(enumerate(dict.fromkeys(values))):
                    _copy_places(server, kind, batch, words)
                    keys += len(batch)
        server.execute("VACUUM ANALYZE")
    return keys


def _batches(numbered: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    rest = iter(numbered)
    while batch := list(itertools.islice(rest, _AT_ONCE)):
        yield batch


@contextmanager
def _indexed_afterwards(server: psycopg.Connection[Any]) -> Iterator[None]:
    """Take the indexes off the tables, but for those that foreign keys need; make them at the end."""
    tables = {"tables": list(_TABLES)}
    constraints = server.execute(_CONSTRAINTS, tables).fetchall()
    for drop, _ in constraints:
        server.execute(drop)
    indexes = server.execute(_INDEXES, tables).fetchall()
    for drop, _ in indexes:
        server.execute(drop)
    yield
    server.execute("SET maintenance_work_mem = '512MB'")
    for _, make in [*constraints, *indexes]:
        server.execute(make)


def _copy_places(
    server: psycopg.Connection[Any], kind: str, numbered: Iterable[tuple[int, str]], words: "_Words"
) -> None:
    rows: dict[str, list[str]] = defaultdict(list)
    for number, value in numbered:
        digest = hashlib.sha256(TAGS[kind] + value.encode()).hexdigest()
        # Text as COPY reads it, where a backslash is two.
        subject, key, said = words.subject(number), f"\\\\x{digest}", words.statements(number)
        if kind == "url":
            rows["registry_work"].append(f"{subject}\t{words.work}")
            rows["registry_identifier"].append(
                f"{subject}\t{kind}\t{value}\t{key}\t{{}}\t{words.at}"
            )
            index = f"{key}\t{subject}\twork\t{Tier.WORK:d}\t0\t{said}"
        else:
            narrowness = specificity(Collection(kind=kind, canonical=value))
            rows["registry_collection"].append(
                f"{subject}\t{words.owner}\t{kind}\t{value}\t{key}\t{digest[:43]}\t{words.at}\t\t0"
            )
            index = f"{key}\t{subject}\tcollection\t{Tier.COLLECTION:d}\t{narrowness}\t{said}"
        rows["registry_decisionindex"].append(index)
    for table, lines in rows.items():
        with server.cursor().copy(f"COPY {table} ({_TABLES[table]}) FROM STDIN") as copy:
            copy.write("\n".join(lines) + "\n")


class _Words:
    """Writes what all rows of a kind have in common, and ids by counting on from a fresh one."""

    def __init__(self, kind: str, creator: Creator, at: datetime) -> None:
        self.owner, self.at = ids.decode("cre", creator.pk), at.isoformat()
        self.work = f"A work\ttext\t{self.owner}\t{self.at}\tactive"
        # Left out: the last digits of either, of which each key gets its own.
        self._subject = ids.new_uuid7().hex[:-_COUNTED]
        name = ids.encode("stm", ids.new_uuid7())[:-_COUNTED]
        statement = {
            "id": name,
            "claimant": creator.pk,
            "purpose": Purpose.TRAIN_AI,
            "decision": "allow" if kind == "path" else "deny",
            "paid": False,
            "terms": None,
            "from": (at - EPOCH) // MICROSECOND,
            "sequence": 1,
            "proven": True,
            "disputed": False,
        }
        begin, middle, end = orjson.dumps([statement]).decode().partition(name)
        self._begin, self._end = begin + middle, end

    def subject(self, number: int) -> str:
        """Return the UUID of a subject."""
        return f"{self._subject}{number:0{_COUNTED}x}"

    def statements(self, number: int) -> str:
        """Return the statements about it as JSON."""
        return f"{self._begin}{number:0{_COUNTED}x}{self._end}"

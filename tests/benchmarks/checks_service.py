"""The service that the benchmark of checks asks: a registry of many keys, its snapshot, an operator.

Owns a database of its own, made by the owner and dropped afterwards, and filling it in bulk with the
same rules as ``checks_world``: works known by URL, collections by domain and path, each with one
statement, indexed as ``registry.decision_index`` would. Measuring is ``checks_endpoint``'s.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from psycopg import sql

from registry import snapshots
from registry.decision_index import EPOCH, MICROSECOND
from registry.history import specificity
from registry.models import Collection, Creator, Operator
from registry.operators import issue_key
from server.postgres import OWNER, superuser_url
from tests.benchmarks.checks_world import TAGS, Sizes, lists
from tribute import ids
from tribute.verdict import Tier
from tribute.vocabulary import Purpose

DATABASE = "bench_checks"
_AT_ONCE = 10_000
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
    name = sql.Identifier(DATABASE)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        server.execute(drop)
        make = sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(OWNER))
        server.execute(make)
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = DATABASE
        try:
            call_command("migrate", database="owner", verbosity=0)
            settings.HOME = home
            at = timezone.now() - timedelta(days=1)
            creator = Creator.objects.create(handle="ada", display_name="Ada", created_at=at)
            operator = Operator.objects.create(handle="acme", name="Acme", created_at=at)
            keys = _fill(sizes, creator, at)
            snapshots.build(at=timezone.now())
            issued = issue_key(operator, scopes=["checks:write"], name="bench", at=at)
            yield Service(issued.secret, keys)
        finally:
            connections.close_all()
            server.execute(drop)


def _fill(sizes: Sizes, creator: Creator, at: datetime) -> int:
    keys = 0
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as server:
        # Neither triggers nor foreign keys: what is copied is what they would have let through.
        server.execute("SET session_replication_role = replica")
        with _indexed_afterwards(server):
            for kind, values in zip(("url", "domain", "path"), lists(sizes), strict=True):
                unique = iter(dict.fromkeys(values))
                while batch := list(itertools.islice(unique, _AT_ONCE)):
                    _copy_places(server, kind, batch, creator, at)
                    keys += len(batch)
        server.execute("VACUUM ANALYZE")
    return keys


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
    server: psycopg.Connection[Any],
    kind: str,
    values: Sequence[str],
    creator: Creator,
    at: datetime,
) -> None:
    owner = ids.decode("cre", creator.pk)
    decision = "allow" if kind == "path" else "deny"
    rows: dict[str, list[Sequence[object]]] = defaultdict(list)
    for value in values:
        subject = ids.new_uuid7()
        digest = hashlib.sha256(TAGS[kind] + value.encode()).hexdigest()
        # Text as COPY reads it, where a backslash is two.
        key, said = f"\\\\x{digest}", _statements(creator, decision, at)
        if kind == "url":
            work = (subject, "A work", "text", owner, at, "active")
            rows["registry_work"].append(work)
            rows["registry_identifier"].append((subject, kind, value, key, "{}", at))
            index = (key, subject, "work", int(Tier.WORK), 0, said)
        else:
            narrowness = specificity(Collection(kind=kind, canonical=value))
            place = (subject, owner, kind, value, key, digest[:43], at, "", 0)
            rows["registry_collection"].append(place)
            index = (key, subject, "collection", int(Tier.COLLECTION), narrowness, said)
        rows["registry_decisionindex"].append(index)
    for table, lines in rows.items():
        with server.cursor().copy(f"COPY {table} ({_TABLES[table]}) FROM STDIN") as copy:
            copy.write("".join("\t".join(map(str, line)) + "\n" for line in lines))


def _statements(creator: Creator, decision: str, at: datetime) -> str:
    statement = {
        "id": ids.encode("stm", ids.new_uuid7()),
        "claimant": creator.pk,
        "purpose": Purpose.TRAIN_AI,
        "decision": decision,
        "paid": False,
        "terms": None,
        "from": (at - EPOCH) // MICROSECOND,
        "sequence": 1,
        "proven": True,
        "disputed": False,
    }
    return orjson.dumps([statement]).decode()

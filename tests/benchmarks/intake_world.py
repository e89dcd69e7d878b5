"""The world that bulk intake is measured in: a database of its own, a few works, an operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from psycopg import sql

from registry import consent, creators, operators, works
from registry.models import Creator, Operator, User
from server.postgres import OWNER, Postgres, superuser_url
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose


@contextmanager
def scratch_database(name: str) -> Iterator[str]:
    """Make an empty database, point Django at it, and drop it at the end; gives its address."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    make = sql.SQL("CREATE DATABASE {} OWNER {}")
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        server.execute("SELECT pg_reload_conf()")
        server.execute(drop)
        server.execute(make.format(sql.Identifier(name), sql.Identifier(OWNER)))
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
        try:
            call_command("migrate", database="owner", verbosity=0)
            yield Postgres().url(database=name)
        finally:
            connections.close_all()
            server.execute(drop)


def creator(handle: str) -> Creator:
    """A creator whose identity is verified since January."""
    at = timezone.now() - timedelta(days=300)
    user = User.objects.create_user(f"{handle}@example.org", None)
    joined = creators.join(user, handle=handle, display_name=handle.capitalize(), at=at)
    creators.verify_identity(joined, at=at)
    return joined


def operator_and_works(count: int) -> Operator:
    """An operator, and Ada's works, of which every other one may be trained on."""
    at = timezone.now() - timedelta(days=290)
    ada = creator("ada")
    for number in range(count):
        work = works.register(
            ada,
            title=f"Work {number}",
            medium=Medium.TEXT,
            identifiers=[(IdentifierKind.URL, f"https://ada.example/{number}")],
            at=at,
        )
        decision = Decision.ALLOW if number % 2 else Decision.DENY
        consent.state(ada, work, purpose=Purpose.TRAIN_AI, decision=decision, at=at)
    user = User.objects.create_user("acme@example.org", None)
    return operators.found(user, handle="acme", name="Acme", at=at)

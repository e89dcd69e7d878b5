"""Ada, with everything that a person leaves in every corner, and a search through all of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from attribution import related_parties
from attribution.models import EmbeddingSpace, GenerativeModel, WorkEmbedding
from attribution.worker import settle_due
from ledger import by_hand
from registry import checks, collections, imports, licensing, log_tree, signers, uploads
from registry.checks import CheckItem
from registry.models import Check, Collection, Creator, Import, Operator, Signer, User, Work
from registry.webhooks import endpoints
from tests.attribution.world import CHARIOT, GENERATED, TYGER, ask, fund, make_model
from tests.factories import (
    NOON,
    PASSWORD,
    allow,
    deny,
    make_creator,
    make_key,
    make_operator,
    make_user,
    make_work,
)
from tribute.vocabulary import IdentifierKind, Purpose

IBAN = "DE89370400440532013000"
NEEDLES = ("lovelace", "harbour", "orchard", IBAN, "her own laptop", "note-47")
"""What only Ada brought: names, addresses, titles, an account, words of hers."""
GARDEN = "https://orchard.lovelace.example/a/b/orchard.html"
BELOW = "https://press.lovelace.example/poems/harbour-lights/1"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class World:
    """Everybody and everything, by name."""

    person: User
    ada: Creator
    ben: Creator
    acme: Operator
    chariot: Work
    garden: Work
    shared: Work
    site: Collection
    model: GenerativeModel
    check: Check


def make_world() -> World:
    """Ada registered, allowed, denied, earned, and gave an account; Ben shares one work with her."""
    person = make_user("ada@lovelace.example", name="Ada Lovelace")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    Authenticator.objects.create(user=person, type="totp", data={"name": "Lovelace"})
    assert Client().login(email=person.email, password=PASSWORD)
    ada, ben = make_creator("ada-lovelace", user=person), make_creator("ben")
    acme = make_operator("acme")
    chariot = make_work(ada, title="Harbour at Dusk", text=CHARIOT)
    allow(chariot)
    allow(make_work(ada, title="Harbour Views", url="https://lovelace.example/harbour"))
    allow(ada, Purpose.SEARCH)
    garden = make_work(ada, title="The Orchard", url=GARDEN)
    deny(garden)
    halves = {ada.pk: 700_000, ben.pk: 300_000}
    shared = make_work(ben, title="Two Voices", text=TYGER, shares=halves)
    allow(shared)
    site = _place(ada)
    _corners(ada, person)
    fund(acme)
    model = make_model(acme, [chariot, shared])
    WorkEmbedding.objects.create(
        work=chariot, space=_space(), passage=0, vector=b"\0\0", embedded_at=NOON
    )
    related_parties.declare(acme, ada, note="Ada Lovelace told us", at=NOON)
    ask(model)
    assert settle_due(at=GENERATED, limit=10) == 1
    item = CheckItem(sha256=chariot.sha256.hex())  # type: ignore[union-attr]
    check = checks.check(acme, [item], [Purpose.TRAIN_AI], at=GENERATED)
    log_tree.grow(limit=1_000)
    return World(person, ada, ben, acme, chariot, garden, shared, site, model, check)


def _place(ada: Creator) -> Collection:
    value = "https://press.lovelace.example/poems/"
    site = collections.claim(ada, kind=IdentifierKind.PATH, value=value, at=NOON)
    Collection.objects.filter(pk=site.pk).update(
        control_proven_at=NOON, method="dns-txt", evidence_sha256=bytes(32), recheck_at=NOON
    )
    deny(site)
    collections.claim(ada, kind=IdentifierKind.DOMAIN, value="lovelace.example", at=NOON)
    return site


def _corners(ada: Creator, person: User) -> None:
    """Fill what has nothing to do with works."""
    make_key(ada, name="her own laptop")
    make_key(person, scopes=["payouts:prepare"], name="her own laptop")
    licensing.offer(ada, uri="https://lovelace.example/terms", at=NOON)
    endpoints.add(ada, url="https://hooks.lovelace.example/", events=["import.ready"], at=NOON)
    begun = signers.begin(ada, at=NOON)
    Signer.objects.filter(pk=begun.pk).update(
        subject="Ada Lovelace",
        issuer="Lovelace",
        serial="47",
        certificate_sha256=bytes(32),
        valid_until=NOON + 365 * DAY,
    )
    row = {"title": "Harbour lights", "url": "not a url", "reference": "note-47"}
    body = json.dumps(row).encode()
    upload = uploads.begin(ada, size=len(body), at=NOON)
    imports.expect(ada, upload, written_as=Import.Format.JSON_LINES, at=NOON)
    uploads.receive(upload, offset=0, blocks=[body], at=NOON)
    by_hand.register(ada, holder="Ada Lovelace", iban=IBAN, at=NOON)


def _space() -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(
        name="e", revision="1", preprocessing="none", modality="text", dimension=2,
        registered_at=NOON,
    )  # fmt: skip


def traces(*folders: Path) -> list[str]:
    """Return every column of every table, and every file, in which a needle is found."""
    found = [place for table in _tables() for place in _in_table(*table)]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes().lower()
                found += [f"{path}: {n}" for n in NEEDLES if n.lower().encode() in content]
    return found


def _tables() -> list[tuple[str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, array_agg(c.column_name::text)"
            "  FROM information_schema.columns AS c"
            "  JOIN information_schema.tables AS t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            "   AND c.data_type IN ('text', 'character varying', 'character', 'bytea', 'json',"
            "                       'jsonb', 'ARRAY', 'USER-DEFINED')"
            " GROUP BY c.table_name"
        )
        return list(cursor.fetchall())


def _in_table(table: str, columns: list[str]) -> Iterator[str]:
    wanted = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {wanted} FROM "{table}"')
        for row in cursor.fetchall():
            for column, value in zip(columns, row, strict=True):
                words = _readable(value).lower()
                for needle in NEEDLES:
                    if needle.lower() in words:
                        yield f"{table}.{column}: {needle}"


def _readable(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    if isinstance(value, list):
        return " ".join(map(_readable, value))
    return str(value)

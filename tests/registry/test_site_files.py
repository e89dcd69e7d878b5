"""The ready files of a collection: each reads back, by our own parsers, as what was decided."""

import itertools
import json
import random
from pathlib import Path

import pytest

from registry import collections, consent, licensing, site_files
from registry.errors import NotFound
from registry.models import Collection, Creator
from tests.factories import DAY, NOON, api_client, deny, make_creator
from tribute.inspection import inspect_file
from tribute.standards import c2pa, headers, tdmrep
from tribute.standards.statement import Parsed, strictest_of
from tribute.vocabulary import Decision, IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

LATER = NOON + 5 * DAY
SEED = 11


def place(creator: Creator, kind: str = "host", value: str = "ada.example") -> Collection:
    return collections.claim(creator, kind=IdentifierKind(kind), value=value, at=NOON)


def reread(name: str, text: str, path: str, folder: Path) -> dict[Purpose, Decision]:
    """Read a file as everybody's tools would, by what it is."""
    if name == "headers.txt":
        pairs = [tuple(line.split(": ", 1)) for line in text.splitlines()]
        parsed, reservation = headers.parse(headers.collect(pairs))  # type: ignore[arg-type]
        return (parsed + tdmrep.statements_of(reservation)).decisions
    if name == "cawg.json":
        return c2pa.read_assertions([json.loads(text)]).decisions
    file = folder / {"rsl.xml": "license.xml"}.get(name, name)
    file.write_text(text)
    found: Parsed = inspect_file(file, at=f"https://ada.example{path}").parsed
    return found.decisions


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        ("host", "ada.example", "/"),
        ("domain", "ada.example", "/"),
        ("path", "https://ada.example/notes/", "/notes/"),
    ],
)
def test_every_file_reads_back_as_it_was_decided_or_more_strictly(
    kind: str, value: str, path: str, tmp_path: Path
) -> None:
    """Random words about random purposes, one after the other; the files follow each time."""
    ada = make_creator("ada")
    site = place(ada, kind, value)
    terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON)
    chance = random.Random(SEED)
    wanted: dict[Purpose, Decision] = {}
    for number in range(8):
        purpose = chance.choice(list(Purpose))
        decision = chance.choice([Decision.ALLOW, Decision.DENY, Decision.LICENSE])
        at = NOON + number * DAY
        consent.state(
            ada,
            site,
            purpose=purpose,
            decision=decision,
            terms=terms if decision == Decision.LICENSE else None,
            at=at,
        )
        wanted[purpose] = decision
        for name, file in site_files.write_all(site, at=at).items():
            differing = {d.purpose: d.stated for d in file.differences}
            stated = reread(name, file.text, path, tmp_path) if file.text else {}
            for each in Purpose:
                said = stated.get(each, Decision.UNKNOWN)
                mine = wanted.get(each, Decision.UNKNOWN)
                assert said == differing.get(each, mine), (name, each, file.text)
                if said != Decision.UNKNOWN:
                    assert strictest_of((said, mine)) == said, (name, each)


def test_the_word_on_the_place_goes_before_the_general_one_and_later_words_wait() -> None:
    ada = make_creator("ada")
    site = place(ada)
    deny(ada, Purpose.TRAIN_AI)
    deny(ada, Purpose.SEARCH)
    consent.state(ada, site, purpose=Purpose.SEARCH, decision=Decision.ALLOW, at=NOON)
    deny(site, Purpose.SEARCH, at=NOON, effective_from=LATER)

    now, later = (site_files.policy_of(site, at=at) for at in (NOON, LATER))

    assert now.decisions == {Purpose.TRAIN_AI: Decision.DENY, Purpose.SEARCH: Decision.ALLOW}
    assert later.decisions == {Purpose.TRAIN_AI: Decision.DENY, Purpose.SEARCH: Decision.DENY}
    assert (now.owner, now.rsl_uri) == ("Ada", "https://ada.example/license.xml")


def test_addresses_and_names_that_no_format_takes_are_tamed() -> None:
    ada = make_creator("ada")
    ada.display_name = "Ada\u2028Lovelace"
    ada.save()
    site = place(ada, "path", "https://ada.example/a%20b/c$d/")
    uri = "https://ada.example/terms,2#part"
    terms = licensing.offer(ada, uri=uri, at=NOON)
    consent.state(
        ada, site, purpose=Purpose.TRAIN_AI, decision=Decision.LICENSE, terms=terms, at=NOON
    )

    policy = site_files.policy_of(site, at=NOON)

    assert policy.owner is None
    assert policy.terms_uri == "https://ada.example/terms%2C2"
    assert policy.path.startswith("/a%20b/c")
    assert "$" not in policy.path
    assert all(file.text for file in site_files.write_all(site, at=NOON).values())


def test_there_is_no_other_file() -> None:
    with pytest.raises(NotFound):
        site_files.write(place(make_creator("ada")), "humans.txt", at=NOON)


def test_files_are_served_in_their_media_types() -> None:
    ada = make_creator("ada")
    site = place(ada)
    deny(site)
    client = api_client(ada)

    listed = client.get(f"/v1/collections/{site.pk}/files")
    assert listed.status_code == 200
    assert [row["name"] for row in listed.data] == list(site_files.WRITERS)
    for row, accept in zip(listed.data, itertools.cycle(["*/*", "text/plain"]), strict=False):
        path = f"/v1/collections/{site.pk}/files/{row['name']}"
        response = client.get(path, HTTP_ACCEPT=accept)
        assert response.status_code == 200, path
        assert response.content.decode() == row["text"]
        assert response["Content-Type"] == f"{row['media_type']}; charset=utf-8"
        again = client.get(path, HTTP_IF_NONE_MATCH=response["ETag"])
        assert (again.status_code, again.content) == (304, b"")
    media = {row["name"]: row["media_type"] for row in listed.data}
    assert media["rsl.xml"] == "application/rsl+xml"
    assert media["tdmrep.json"] == "application/json"


def test_files_of_others_do_not_exist() -> None:
    site = place(make_creator("ada"))
    mallory = api_client(make_creator("mallory"))
    for path in ("files", "files/robots.txt", "files/humans.txt"):
        assert mallory.get(f"/v1/collections/{site.pk}/{path}").status_code == 404
    assert api_client().get(f"/v1/collections/{site.pk}/files").status_code == 401

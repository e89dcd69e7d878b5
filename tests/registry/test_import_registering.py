"""Many works at once: the decision index is what history says, whatever surrounds them."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from registry import decision_index, history, import_registering, licensing
from registry.import_files import PURPOSES
from registry.models import Creator, DecisionIndex, Identifier
from tests.factories import DAY, NOON, allow, deny, make_creator, make_work
from tests.registry.test_decision_index import TEXTS, URLS
from tests.registry.test_evidence import proven_site
from tribute import identifiers
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.django_db

OTHERS = [
    "https://ada.example/3",
    "https://sub.ada.example/a/b?c",
    "https://ben.example/9",
    "https://cleo.example/",
]
WORDS = ["allow", "allow paid", "deny", "license", None]
ISCC = "ISCC:EADT5RHRQGP5LLJ4DHTLK5FHTP5SFOR653DEDHL3ENN566NUQHI6J3I"

rows = st.lists(
    st.tuples(
        st.lists(st.sampled_from([*URLS, *OTHERS]), max_size=2, unique=True),
        st.none() | st.integers(0, 3).map(lambda n: f"{n:064x}"),
        st.sampled_from([None, None, ISCC, "known"]),
        st.booleans(),
        st.lists(st.sampled_from(WORDS), min_size=2, max_size=2),
    ).filter(lambda row: row[0] or row[1] or row[2]),
    min_size=1,
    max_size=6,
)
surroundings = st.sets(
    st.sampled_from(
        [
            "verified",
            "default",
            "site",
            "denied site",
            "friend",
            "own work",
            "rival's site",
            "rival's default",
            "rival's work",
        ]
    )
)


@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=rows, around=surroundings)
def test_the_index_of_imported_works_is_what_history_says(
    rows: Sequence[tuple[Any, ...]], around: set[str]
) -> None:
    with transaction.atomic():
        ada, ben = surrounded(around)
        known = make_work(ben, text=TEXTS[0]).iscc
        terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON).pk
        at = NOON + 5 * DAY

        bodies = [body(row, known=known, terms=terms) for row in rows]
        planned, _ = import_registering.plan(ada, enumerate(bodies, start=1))
        import_registering.write(ada, planned, at=at)

        written = stored()
        assert decision_index.differences(at=at) == []
        assert decision_index.differences(at=at + DAY) == []
        decision_index.refresh(keys(), at=at)
        assert written == stored()
        transaction.set_rollback(True)


def surrounded(around: set[str]) -> tuple[Creator, Creator]:
    ada = make_creator("ada", verified="verified" in around)
    ben = make_creator("ben")
    if "default" in around:
        deny(ada)
    if "rival's default" in around:
        allow(ben)
    if "site" in around:
        site = proven_site(ada, "ada.example")
        if "denied site" in around:
            deny(site, at=NOON + 2 * DAY)
    if "rival's site" in around:
        proven_site(ben, "ada.example")
    if "rival's work" in around:
        deny(make_work(ben, url=URLS[0]))
    if "friend" in around:
        make_work(ada, url=OTHERS[3], text=TEXTS[1])
    if "own work" in around:
        make_work(ada, identifiers=[(IdentifierKind.ISCC, ISCC)])
    return ada, ben


def body(row: tuple[Any, ...], *, known: str | None, terms: str) -> dict[str, Any]:
    urls, sha256, iscc, shared, words = row
    named = [("url", url) for url in urls]
    named += [("sha256", sha256)] if sha256 else []
    named += [("iscc", known if iscc == "known" else iscc)] if iscc else []
    canonical = [(k, identifiers.key_of(IdentifierKind(k), v).canonical) for k, v in named]
    return {
        "title": "W",
        "medium": "text",
        "keys": canonical,
        "shares": {"ada": 700_000, "ben": 300_000} if shared else {},
        "decisions": {
            purpose: [word.split()[0], "paid" in word, terms if word == "license" else None]
            for purpose, word in zip(PURPOSES, words, strict=False)
            if word
        },
        "reference": "",
    }


def keys() -> set[bytes]:
    return {bytes(key) for key in Identifier.objects.values_list("key", flat=True)}


def stored() -> list[tuple[Any, ...]]:
    found = DecisionIndex.objects.filter(key__in=keys()).order_by("key", "subject")
    return [
        (bytes(row.key), row.subject, row.subject_type, row.tier, row.specificity, row.statements)
        for row in found
    ]


def test_works_that_nobody_is_near_to_are_not_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_creator("ada")
    read: list[set[bytes]] = []
    load = history.load

    def noted(wanted: Any, **options: Any) -> Any:
        read.append(set(wanted))
        return load(wanted, **options)

    monkeypatch.setattr(history, "load", noted)
    make_work(make_creator("ben"), url=URLS[0])
    read.clear()
    bodies = [
        body(([url], None, None, False, ["deny", None]), known=None, terms="") for url in URLS
    ]
    planned, _ = import_registering.plan(ada, enumerate(bodies, start=1))

    import_registering.write(ada, planned, at=NOON + DAY)

    assert read == [{identifiers.key_of(IdentifierKind.URL, URLS[0]).digest}]

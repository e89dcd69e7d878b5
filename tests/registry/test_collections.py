"""Places: who may claim what, and what shows control."""

import json

import pytest

from registry import collections
from registry.collections import Fetch
from registry.errors import (
    CollectionClaimed,
    ControlNotShown,
    FetchFailed,
    InvalidIdentifier,
    PublicSuffix,
)
from registry.fetching import Fetched
from registry.models import Collection, LogOutbox
from tests.factories import DAY, NOON, make_creator
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.django_db


def site(pages: dict[str, bytes], status: int = 200) -> Fetch:
    """A web that holds some pages."""

    def fetch(url: str) -> Fetched:
        if url not in pages:
            raise FetchFailed(f"{url} did not answer")
        return Fetched(url, status, {}, pages[url], "192.0.2.1")

    return fetch


@pytest.mark.parametrize(
    ("kind", "value", "canonical", "first"),
    [
        ("domain", "WWW.Ada.Example.", "ada.example", "https://ada.example/.well-known"),
        ("host", "blog.ada.example", "blog.ada.example", "https://blog.ada.example/.well-known"),
        (
            "path",
            "https://web.example/~ada/",
            "web.example/~ada/",
            "https://web.example/~ada/.well",
        ),
    ],
)
def test_claim_asks_for_a_file_within_the_place(
    kind: str, value: str, canonical: str, first: str
) -> None:
    claimed = collections.claim(
        make_creator("ada"), kind=IdentifierKind(kind), value=value, at=NOON
    )

    asked = collections.challenge(claimed)

    assert (claimed.canonical, claimed.control_proven_at) == (canonical, None)
    assert asked.urls[0].startswith(first)
    assert asked.urls[0].endswith(claimed.challenge_token)


@pytest.mark.parametrize(
    "value",
    [
        "com",
        "co.uk",
        "github.io",
        "blogspot.com",
        # as in the list's own tests: unlisted, behind a wildcard, in Chinese and in its Punycode
        "example",
        "c.mm",
        "c.kobe.jp",
        "test.ck",
        "k12.ak.us",
        "公司.cn",
        "xn--55qx5d.cn",
        "WwW.CO.UK",
    ],
)
def test_a_domain_of_strangers_is_nobodys(value: str) -> None:
    with pytest.raises(PublicSuffix):
        collections.claim(make_creator("ada"), kind=IdentifierKind.DOMAIN, value=value, at=NOON)
    assert not Collection.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("url", "https://ada.example/"), ("domain", "ada.example/x"), ("path", "https://a.example/x")],
)
def test_what_is_no_place_is_refused(kind: str, value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        collections.claim(make_creator("ada"), kind=IdentifierKind(kind), value=value, at=NOON)


def test_a_place_is_claimed_once_by_each() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    collections.claim(ada, kind=IdentifierKind.HOST, value="ada.example", at=NOON)
    collections.claim(ben, kind=IdentifierKind.HOST, value="ada.example", at=NOON)

    with pytest.raises(CollectionClaimed):
        collections.claim(ada, kind=IdentifierKind.HOST, value="www.ada.example", at=NOON)


def test_the_file_shows_control_and_the_log_says_so() -> None:
    claimed = collections.claim(
        make_creator("ada"), kind=IdentifierKind.HOST, value="ada.example", at=NOON
    )
    asked = collections.challenge(claimed)

    collections.verify(
        claimed, fetch=site({asked.urls[1]: f"\n{asked.body}\n".encode()}), at=NOON + DAY
    )

    claimed.refresh_from_db()
    assert (claimed.control_proven_at, claimed.method) == (NOON + DAY, "well-known")
    assert claimed.recheck_at == NOON + 61 * DAY
    leaf = json.loads(bytes(LogOutbox.objects.get().leaf))
    assert (leaf["t"], leaf["collection"]) == ("control.proven", claimed.pk)


def test_the_answer_to_one_account_proves_nothing_for_another() -> None:
    claims = [
        collections.claim(
            make_creator(handle), kind=IdentifierKind.HOST, value="ada.example", at=NOON
        )
        for handle in ("ada", "mallory")
    ]
    adas, mallorys = map(collections.challenge, claims)
    borrowed = f"{claims[1].challenge_token}.{adas.body.partition('.')[2]}"

    for body in (adas.body, borrowed, mallorys.body + "x", ""):
        with pytest.raises(ControlNotShown):
            collections.verify(
                claims[1], fetch=site(dict.fromkeys(mallorys.urls, body.encode())), at=NOON
            )
    good = dict.fromkeys(mallorys.urls, mallorys.body.encode())
    with pytest.raises(ControlNotShown):
        collections.verify(claims[1], fetch=site(good, status=404), at=NOON)
    with pytest.raises(ControlNotShown):
        collections.verify(claims[1], fetch=site({}), at=NOON)
    assert not Collection.objects.exclude(control_proven_at=None).exists()
    assert not LogOutbox.objects.exists()

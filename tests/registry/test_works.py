"""Works: what registering one records, and what it refuses."""

import io

import pytest

from registry import near_copies, reading, works
from registry.errors import (
    AlreadyRegistered,
    DuplicateIdentifier,
    InvalidIdentifier,
    InvalidShares,
    NoSuchShare,
    NothingToRecognise,
    RegistryError,
    UnreadableFile,
)
from registry.models import Identifier, RightsShare, Work
from tests.factories import NOON, make_creator, make_work
from tribute.fingerprints import iscc_distance, text_code
from tribute.vocabulary import IdentifierKind, Medium

pytestmark = pytest.mark.django_db

URL = IdentifierKind.URL
TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom " * 10


def test_registering_records_identifiers_scopes_and_shares() -> None:
    ada = make_creator("ada")
    work = make_work(ada, text=TEXT, url="https://www.ada.example/a/b?c=d")

    kinds = set(work.identifiers.values_list("kind", flat=True))
    address = work.identifiers.get(kind="url")
    assert kinds == {"url", "sha256", "iscc"}
    assert address.canonical == "ada.example/a/b?c=d"
    # Two path prefixes, the host, the domain.
    assert len(address.scopes) == 4
    assert list(work.shares.values_list("creator", "ppm", "confirmed_at")) == [
        (ada.pk, 1_000_000, NOON)
    ]
    assert works.matching([bytes(address.key)]) == {bytes(address.key): [work.pk]}


@pytest.mark.parametrize(
    ("identifiers", "error"),
    [
        ([], NothingToRecognise),
        ([(URL, "https://a.example/"), (URL, "http://www.a.example:80")], DuplicateIdentifier),
        ([(IdentifierKind.HOST, "a.example")], InvalidIdentifier),
        ([(URL, "ftp://a.example/")], InvalidIdentifier),
    ],
)
def test_what_cannot_be_recognised_is_refused(
    identifiers: list[tuple[IdentifierKind, str]], error: type[RegistryError]
) -> None:
    ada = make_creator("ada")
    with pytest.raises(error):
        works.register(ada, title="x", medium=Medium.TEXT, identifiers=identifiers, at=NOON)
    assert (Work.objects.count(), Identifier.objects.count()) == (0, 0)


def test_the_same_creator_registers_a_thing_once() -> None:
    ada = make_creator("ada")
    make_work(ada, text=TEXT)
    with pytest.raises(AlreadyRegistered):
        make_work(ada, text=TEXT)


@pytest.mark.parametrize(
    "parts",
    [(500_000,), (500_000, 499_999), (1_000_000, 0), (1_100_000, -100_000), ()],
)
def test_shares_that_are_no_whole_are_refused(parts: tuple[int, ...]) -> None:
    people = [make_creator("ada"), make_creator("ben")]
    shares = {person.pk: part for person, part in zip(people, parts, strict=False)}
    with pytest.raises(InvalidShares):
        make_work(people[0], shares=shares)
    assert not RightsShare.objects.exists()


def test_whoever_registers_has_a_part() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    with pytest.raises(InvalidShares):
        make_work(ada, shares={ben.pk: 1_000_000})


def test_only_who_was_named_confirms_a_share() -> None:
    work = make_work(make_creator("ada"))
    with pytest.raises(NoSuchShare):
        works.confirm_share(work, make_creator("mallory"), at=NOON)


def test_distances_in_memory_are_those_of_the_client() -> None:
    words = TEXT.split()
    one = text_code(TEXT)
    work = make_work(make_creator("ada"), identifiers=[(IdentifierKind.ISCC, one)])
    distances = []

    for step in (90, 30, 8, 3, 2, 1):
        edited = [word if n % step else f"edit{n}" for n, word in enumerate(words)]
        two = text_code(" ".join(edited))
        distance = iscc_distance(one, two)
        assert distance is not None
        near = distance <= near_copies.FARTHEST
        found = [(each.pk, far) for each, far in works.near_duplicates(two)]
        assert found == ([(work.pk, distance)] if near else [])
        distances.append(near)

    assert (distances[0], distances[-1]) == (True, False)


@pytest.mark.parametrize(
    ("data", "medium"),
    [(b"", Medium.OTHER), (b"\xff\xff\xff", Medium.TEXT), (b"GIF89a", Medium.IMAGE)],
)
def test_a_file_that_is_not_what_it_says_is_refused(data: bytes, medium: Medium) -> None:
    with pytest.raises(UnreadableFile):
        reading.read(io.BytesIO(data), medium, at=NOON)


def test_a_text_in_utf_16_reads_like_one_in_utf_8() -> None:
    one = reading.read(io.BytesIO(TEXT.encode("utf-8")), Medium.TEXT, at=NOON)
    two = reading.read(io.BytesIO(TEXT.encode("utf-16")), Medium.TEXT, at=NOON)

    assert one.features == two.features
    assert one.fingerprint.iscc == two.fingerprint.iscc

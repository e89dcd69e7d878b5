"""What is said lies beside a snapshot: whole, signed, and appended to by each state that follows."""

import hashlib
import itertools
import os
import random
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.identifiers import key_of
from tribute.ids import encode
from tribute.snapshot.errors import SnapshotError
from tribute.snapshot.presence import Presence
from tribute.snapshot.publishing import Signer
from tribute.snapshot.sayings import (
    ODD_RECORD,
    Saying,
    Sayings,
    SayingsWriter,
    Subject,
    packed,
    read_case,
)
from tribute.snapshot.tables import Columns, empty, split_keys
from tribute.snapshot.telling import ODD, Filling, filled, firsts, named, tell
from tribute.vocabulary import IdentifierKind, Purpose

PRIVATE = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"sayings").digest())
PUBLIC = PRIVATE.public_key().public_bytes_raw()
SIGNER = Signer(PUBLIC, PRIVATE.sign)
MANIFEST = "a" * 64


def said(number: int, *, narrowness: int = -2, **more: Any) -> Subject:
    fields: dict[str, Any] = {
        "id": UUID(int=number), "claimant": UUID(int=7), "terms": None, "since": 100,
        "sequence": 1, "purpose": "train-ai", "decision": "deny", "proven": True,
        "disputed": False,
    }  # fmt: skip
    return Subject(UUID(int=number + 1000), "col", 3, narrowness, [Saying(**fields | more)])


def tables(domains: dict[str, bytes]) -> dict[str, Columns]:
    """Return tables in which these domains lead somewhere."""
    digests = sorted(key_of(IdentifierKind.DOMAIN, name).digest[:16] for name in domains)
    high, low = split_keys(b"".join(digests), len(digests))
    found = {kind.value: empty(kind.value) for kind in IdentifierKind}
    return found | {"domain": {"high": high, "low": low, "code": np.ones(len(high), "<u4")}}


def write(
    folder: Path,
    domains: dict[str, bytes],
    *,
    fresh: dict[str, bytes] | None = None,
    before: tuple[Path, dict[str, bytes]] | None = None,
) -> dict[str, Columns]:
    """Write what is said under domains; with ``before``, only ``fresh`` anew."""
    made = tables(domains)
    old = None if before is None else tables(before[1])
    with SayingsWriter(folder, before=before and before[0]) as writer:
        for name, record in (domains if fresh is None else fresh).items():
            writer.put(IdentifierKind.DOMAIN, key_of(IdentifierKind.DOMAIN, name).digest, record)
            writer.put(IdentifierKind.SHA256, bytes(32), record)
        writer.finish(made, old=old, manifest=MANIFEST, signer=SIGNER)
    return made


def opened(folder: Path, made: dict[str, Columns]) -> Sayings:
    return Sayings.open(folder, made, manifest=MANIFEST, public_key=PUBLIC)


def look(sayings: Sayings, made: dict[str, Columns], url: str, **how: Any) -> Any:
    about: dict[str, Any] = {"now": 200, "purposes": [Purpose.TRAIN_AI]}
    about |= {"changed": firsts([]), "granted": firsts([])}
    return tell(pa.array([url]), Presence(made), sayings, **about | how)


def refuse(*_: object) -> None:
    raise OSError("this file system has no hard links")


def names(told: Any) -> list[str]:
    """Return the ids that the only answer names."""
    forms = [((b"", b""), [0])] * len(told.cases)
    filling = Filling(told.numbers, named(told.names), np.frombuffer(told.limits, "<i4"))
    return str(filled(forms, filling)[0]).split()


@pytest.mark.parametrize("links", [True, False])
def test_a_state_that_follows_says_what_is_new_and_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    first = {"a.org": packed([said(1)]), "b.org": packed([said(2)])}
    old = write(tmp_path / "1", first)
    second = {"b.org": packed([said(3)]), "a.org": first["a.org"], "c.org": packed([said(4)])}
    fresh = {name: second[name] for name in ("b.org", "c.org")}
    new = write(tmp_path / "2", second, fresh=fresh, before=(tmp_path / "1", first))

    then, now = opened(tmp_path / "1", old), opened(tmp_path / "2", new)

    assert [names(look(then, old, f"https://{n}/")) for n in first] == [
        [encode("stm", UUID(int=number))] for number in (1, 2)
    ]
    assert [names(look(now, new, f"https://x.{n}/")) for n in ("a.org", "b.org", "c.org")] == [
        [encode("stm", UUID(int=number))] for number in (1, 3, 4)
    ]


def test_a_case_has_what_counts_and_no_names(tmp_path: Path) -> None:
    made = write(tmp_path / "1", {"a.org": packed([said(9, decision="license", sequence=5)])})
    told = look(opened(tmp_path / "1", made), made, "https://a.org/")

    (subject,) = read_case(told.cases[told.numbers[told.which[0]]])

    assert subject[:4] == (1, 3, 0, 0)
    assert subject.sayings == [(0, Purpose.TRAIN_AI, "license", 0, True, False, 0, 0)]


def test_what_is_only_compared_stands_in_a_case_by_its_rank(tmp_path: Path) -> None:
    several = [
        said(1, narrowness=-2, sequence=70_000),
        said(2, narrowness=2**31 - 1, sequence=3),
        said(3, narrowness=-2, sequence=3),
        said(4, narrowness=-(2**31), sequence=2**32 - 1),
    ]
    made = write(tmp_path / "1", {"a.org": packed(several)})
    told = look(opened(tmp_path / "1", made), made, "https://a.org/")

    subjects = read_case(told.cases[0])

    assert [subject.narrowness for subject in subjects] == [1, 3, 1, 0]
    assert [subject.sayings[0].sequence for subject in subjects] == [2, 0, 0, 3]


def test_there_may_be_as_many_cases_as_addresses(tmp_path: Path) -> None:
    words = ["train-ai", "search"]
    lists = [
        [said(n, decision=d, proven=p, purpose=w) for n, (d, p, w) in enumerate(chosen)]
        for chosen in itertools.islice(
            itertools.product(itertools.product(("deny", "allow"), (True, False), words), repeat=4),
            3_000,
        )
    ]
    domains = {f"a{number}.org": packed(each) for number, each in enumerate(lists)}
    made = write(tmp_path / "1", domains)
    sayings, urls = opened(tmp_path / "1", made), [f"https://{name}/" for name in domains]

    told = tell(
        pa.array(urls * 2), Presence(made), sayings, now=200, purposes=[Purpose.TRAIN_AI, Purpose.SEARCH],
        changed=firsts([]), granted=firsts([]),
    )  # fmt: skip

    assert (len(told.cases), len(set(told.cases)), told.odd) == (3_000, 3_000, [])
    assert told.which.tolist() == [*range(3_000)] * 2
    for which in (0, 511, 512, 513, 2_999):
        found = [
            (s.sayings[0].decision, s.sayings[0].proven, s.sayings[0].purpose)
            for s in read_case(told.cases[told.numbers[which]])
        ]
        sent = [
            (s.sayings[0].decision, s.sayings[0].proven, s.sayings[0].purpose) for s in lists[which]
        ]
        assert found == sent


def test_what_must_be_asked_elsewhere_is_odd(tmp_path: Path) -> None:
    many = packed([said(number) for number in range(40)])
    domains = {"a.org": packed([said(1)]), "odd.org": ODD_RECORD, "many.org": many}
    made = write(tmp_path / "1", domains)
    sayings = opened(tmp_path / "1", made)
    key = key_of(IdentifierKind.DOMAIN, "a.org").digest

    def odd(url: str, **how: Any) -> bool:
        told = look(sayings, made, url, **how)
        return bool(told.numbers[told.which[0]] == ODD) and len(told.odd) == 1

    assert not odd("https://a.org/")
    assert odd("https://odd.org/")
    assert odd("https://many.org/")
    for others in ([], [bytes(32)], [bytes(32), b"\xff" * 32]):
        assert odd("https://a.org/", changed=firsts([key, *others]))
        assert not odd("https://a.org/", changed=firsts(others))
    assert odd("https://a.org/", granted=firsts([UUID(int=1001).bytes[8:]]))
    assert not odd("https://a.org/", granted=firsts([UUID(int=1002).bytes[8:]]))


def test_only_what_is_in_effect_for_the_purposes_asked_counts(tmp_path: Path) -> None:
    made = write(tmp_path / "1", {"a.org": packed([said(1, since=100)])})
    sayings = opened(tmp_path / "1", made)

    def count(**how: Any) -> int:
        told = look(sayings, made, "https://a.org/", **how)
        return len(read_case(told.cases[0])[0].sayings)

    assert [count(now=now) for now in (99, 100)] == [0, 1]
    assert count(purposes=[Purpose.SEARCH]) == 0


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "sayings.json").unlink(),
        lambda folder: (folder / "sayings.json").write_bytes(b"{}"),
        lambda folder: (folder / "sayings.blob").unlink(),
        lambda folder: (folder / "sayings.blob").write_bytes(bytes(200)),
        lambda folder: (folder / "domain.record").write_bytes(b"123"),
        lambda folder: (folder / "domain.record").write_bytes(bytes(8)),
        lambda folder: (folder / "domain.record").write_bytes(bytes(4)),
        lambda folder: (folder / "url.record").unlink(),
    ],
)
def test_nothing_but_what_was_signed_is_believed(tmp_path: Path, harm: Any) -> None:
    made = write(tmp_path / "1", {"a.org": packed([said(1)])})
    opened(tmp_path / "1", made)
    with pytest.raises(SnapshotError):
        Sayings.open(tmp_path / "1", made, manifest="b" * 64, public_key=PUBLIC)
    with pytest.raises(SnapshotError):
        Sayings.open(tmp_path / "1", made, manifest=MANIFEST, public_key=bytes(32))
    harm(tmp_path / "1")

    with pytest.raises(SnapshotError):
        opened(tmp_path / "1", made)


def test_numbers_that_do_not_fit_make_a_record_odd() -> None:
    assert packed([said(1, sequence=1 << 32)]) == ODD_RECORD
    assert packed([said(1)._replace(narrowness=1 << 40)]) == ODD_RECORD
    assert packed([said(1)._replace(type="usr")]) == ODD_RECORD


@pytest.mark.parametrize("seed", range(5))
def test_records_that_lie_harm_nobody(seed: int) -> None:
    """Signatures keep such files out; and if they did not, the kernel would stay within them."""
    chance = random.Random(seed)
    made = tables(dict.fromkeys(["a.org"], b""))
    for _ in range(300):
        blob = bytearray(32) + bytearray(packed([said(1), said(2)]))
        for _ in range(chance.randint(1, 6)):
            blob[chance.randrange(32, 64)] = chance.choice([0, 1, 2, 64, 255])
        blob = blob[: chance.choice([len(blob), chance.randrange(32, len(blob))])]
        columns = {kind: np.zeros(0, "<u4") for kind in ("host", "path", "url")}
        place = np.array([chance.choice([1, 2, 1 << 31])], "<u4")
        sayings = Sayings(np.frombuffer(bytes(blob), "u1"), columns | {"domain": place})
        told = look(sayings, made, "https://a.org/")
        assert len(told.numbers) == 1

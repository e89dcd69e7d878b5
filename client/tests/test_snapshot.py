"""The offline copy answers as the verdict does, and follows what is published."""

import random
import shutil
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.tests.snapshot_registry import (
    EXAMPLE,
    HOUR,
    NOON,
    PUBLIC,
    WEEK,
    Registry,
    fetch,
    key,
    says,
    words,
)
from tribute.identifiers import Key, candidate_keys
from tribute.snapshot import FolderSource, Snapshot, publishing, sync
from tribute.snapshot.errors import (
    NoSnapshot,
    Truncated,
)
from tribute.snapshot.publishing import (
    files_folder,
)
from tribute.snapshot.scores import PURPOSES
from tribute.verdict import Statement, Tier, decide
from tribute.vocabulary import Decision, Purpose


def test_the_narrowest_word_decides(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)

    snapshot = fetch(registry, folder)

    assert words(
        snapshot,
        "http://deep.example.com/",
        "https://www.blog.example.com/x",
        "https://blog.example.com/./%7Eben/poem?x#y",
        "https://example.com:443/a?b=1",
        "https://example.com/a",
        "https://example.org/",
        "no address",
    ) == ["deny", "allow", "license", "allow", "deny", "unknown", "unknown"]


def test_an_answer_names_its_rule(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)

    answers = fetch(registry, folder).check(
        ["https://example.com/a?b=1", "no address"], [Purpose.SEARCH, Purpose.TRAIN_AI], at=NOON
    )

    assert answers.rule(0, Purpose.TRAIN_AI) == "work.allow"
    assert answers.rule(0, Purpose.SEARCH) == "none.unknown"
    assert answers.understood.tolist() == [True, False]
    assert answers.allowed.tolist() == [False, False]
    assert answers.unknown.tolist() == [True, True]


def test_bytes_and_addresses_are_asked_together(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    snapshot = fetch(registry, folder)

    answers = snapshot.check(
        ["https://blog.example.com/", None, "https://blog.example.com/", None],
        sha256=pa.array(["AB" * 32, "ab" * 32, "malformed", None]),
        at=NOON,
    )

    assert answers.codes.ravel().tolist() == [3, 3, 0, 0]
    assert answers.understood.tolist() == [True, True, False, True]
    with pytest.raises(ValueError, match="one length"):
        snapshot.check(["https://example.com/"], sha256=[], at=NOON)


def test_an_iscc_never_allows(registry: Registry, folder: Path) -> None:
    iscc = key("iscc", "ISCC:EAAQMDU72LV7AFWE")
    near: dict[str, Any] = {"tier": Tier.WORK, "matched_by": "iscc"}
    registry.base({iscc: [says("allow", **near), says("deny", **near, purpose=Purpose.SEARCH)]})

    answers = fetch(registry, folder).check(
        iscc=[iscc.canonical], purposes=[Purpose.TRAIN_AI, Purpose.SEARCH], at=NOON
    )

    assert answers.codes.tolist() == [[0, 3]]


def test_a_statement_takes_effect_offline(registry: Registry, folder: Path) -> None:
    later = says("deny", sequence=2, effective_from=NOON + HOUR)
    registry.base({key("domain", "example.com"): [says("allow"), later]})
    snapshot = fetch(registry, folder)
    moment = timedelta(microseconds=1)

    def ask(at: datetime) -> list[str]:
        return words(snapshot, "https://example.com/", at=at)

    assert ask(NOON) == ask(NOON + HOUR - moment) == ask(NOON - WEEK) == ["allow"]
    assert ask(NOON + HOUR) == ["deny"]
    assert ask(NOON) == ["allow"]


def test_deltas_add_change_and_remove(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    registry.delta({key("domain", "example.com"): [says("allow")]})
    registry.delta({key("host", "blog.example.com"): [], key("domain", "new.org"): [says("deny")]})
    last = registry.delta({key("url", "https://new.org/page"): [says("allow", Tier.WORK)]})

    snapshot = fetch(registry, folder)
    afresh = fetch(registry, folder.with_name("afresh"))

    asked = (
        "https://a.example.com/", "https://blog.example.com/",
        "https://blog.example.com/~ben/", "https://new.org/page", "https://new.org/other",
    )  # fmt: skip
    assert words(snapshot, *asked) == ["allow", "allow", "license", "allow", "deny"]
    assert words(afresh, *asked) == words(snapshot, *asked)
    assert (snapshot.manifest.seq, last.kind, len(last.chain)) == (3, "delta", 3)


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_begun_late_is_that_which_followed(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """A base in many shards and its deltas at once make what they make one after another."""
    monkeypatch.setattr(publishing, "ROWS_PER_SHARD", 2)
    chance = random.Random(seed)
    hosts = [key("domain", f"{number}.example") for number in range(200)]
    followed = tmp_path / "followed"
    base = registry.base({host: [says()] for host in hosts[:100]})
    fetch(registry, followed)
    for step in range(3):
        changed = chance.sample(hosts, 30)
        registry.delta({host: [says()] if chance.random() < 0.5 else [] for host in changed})
        if step:
            fetch(registry, followed)

    late, early = fetch(registry, tmp_path / "late"), fetch(registry, followed)

    assert len([file for file in base.files if file.table == "domain"]) > 16
    for table, columns in early.tables.items():
        assert all(np.array_equal(late.tables[table][n], c) for n, c in columns.items())


def test_a_base_replaces_what_came_before(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    registry.delta({key("domain", "example.com"): [says("allow")]})
    base = registry.base({key("domain", "example.org"): [says("deny")]})

    snapshot = fetch(registry, folder)

    assert (base.seq, base.chain) == (2, ())
    assert words(snapshot, "https://example.com/", "https://example.org/") == ["unknown", "deny"]
    assert sorted(path.name for path in folder.iterdir()) == ["2", "current", "highest"]


def test_nothing_new_is_nothing_to_fetch(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    first = sync(registry.source, folder, public_key=PUBLIC, at=NOON)

    second = sync(registry.source, folder, public_key=PUBLIC, at=NOON)

    assert (first.keys, first.bytes > 0, second.bytes) == (6, True, 0)


def test_an_empty_registry_knows_nothing(registry: Registry, folder: Path) -> None:
    registry.base({})

    snapshot = fetch(registry, folder)

    assert words(snapshot, "https://example.com/") == ["unknown"]
    assert snapshot.check([], at=NOON).allowed.tolist() == []


def test_a_synchronisation_goes_on_where_it_stopped(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    starts: list[int] = []

    class Breaking(FolderSource):
        """Breaks off in the middle of the first file."""

        def read(self, name: str, *, start: int) -> Any:
            data = b"".join(super().read(name, start=start))
            if not name.endswith(".arrow"):
                yield data
                return
            starts.append(start)
            yield data[: len(data) // 2] if len(starts) == 1 else data

    source = Breaking(files_folder(registry.root))
    with pytest.raises(Truncated):
        sync(source, folder, public_key=PUBLIC, at=NOON)
    with pytest.raises(NoSnapshot):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)
    done: list[tuple[int, int]] = []

    sync(source, folder, public_key=PUBLIC, at=NOON, report=lambda *here: done.append(here))

    assert starts[1] > 0
    assert done[-1][0] == done[-1][1] > 0
    assert words(Snapshot.open(folder, public_key=PUBLIC, at=NOON), "https://example.com/") == [
        "deny"
    ]


HOSTS = ["example.com", "a.example.com", "b.a.example.com", "example.org:8080", "127.0.0.1"]
PATHS = ["/", "/x", "/x/", "/x/y?z=1", "/x/y/", "/%C3%A9"]
URLS = [f"https://{host}{path}" for host in HOSTS for path in PATHS]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[Key, list[Statement]], datetime]:
    """Subjects with what was said of them, and the keys that lead there.

    As in a registry, a subject's statements are the same under each of its keys; only whether
    the claim is proven may differ from key to key.
    """
    chance = random.Random(draw(st.integers(0, 2**32)))
    keys = sorted({k for url in URLS for k in candidate_keys(url)}, key=lambda k: k.digest)
    said: dict[Key, list[Statement]] = defaultdict(list)
    for number in range(chance.randint(0, 12)):
        tier = chance.choice([Tier.WORK, Tier.COLLECTION, Tier.CREATOR, Tier.LOCATION])
        facts: dict[str, Any] = {
            "subject": f"s{number}",
            "tier": tier,
            "specificity": chance.randint(0, 3) if tier == Tier.COLLECTION else 0,
        }
        disputed = chance.random() < 0.3
        spoken: list[dict[str, Any]] = [
            facts
            | {
                "id": f"stm_{number}_{sequence}",
                "claimant": chance.choice(["ada", "ben"]),
                "purpose": chance.choice(PURPOSES[:2]),
                "decision": chance.choice(list(Decision)),
                "sequence": sequence,
                "effective_from": NOON + HOUR * chance.randint(-2, 2),
                "disputed": disputed,
            }
            for sequence in range(chance.randint(1, 4))
        ]
        for where in chance.sample(keys, chance.randint(1, 3)):
            proven = chance.random() < 0.7
            said[where] += [says(proven=proven, **one) for one in spoken]
    return said, NOON + HOUR * chance.randint(0, 3)


@settings(deadline=None, max_examples=40)  # each publishes and fetches a snapshot
@given(worlds())
def test_a_snapshot_answers_as_the_verdict_does(
    tmp_path_factory: pytest.TempPathFactory,
    world: tuple[dict[Key, list[Statement]], datetime],
) -> None:
    said, at = world
    place = tmp_path_factory.mktemp("world")
    registry = Registry(place / "registry")
    registry.base(said)
    fast = fetch(registry, place / "mine", at)
    plain = Snapshot.open(place / "mine", public_key=PUBLIC, at=at, plain=True)

    answers = [snapshot.check(URLS, PURPOSES[:2], at=at) for snapshot in (fast, plain)]

    for row, url in enumerate(URLS):
        statements = [s for key in candidate_keys(url) for s in said.get(key, [])]
        for purpose in PURPOSES[:2]:
            verdict = decide(purpose, statements=statements, asker=None, at=at)
            for answer in answers:
                assert answer.decision(row, purpose) == verdict.decision
                assert answer.rule(row, purpose) == verdict.rule
    shutil.rmtree(place)

"""What two do at once: sequences, conflicts and the index come out as if one had waited."""

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.db import connection, transaction

from registry import consent, creators, decision_index, log, operators, reading, signers, works
from registry.errors import RegistryError, SignerShared
from registry.models import (
    ApiKey,
    ClaimConflict,
    Creator,
    LogEntry,
    LogOutbox,
    PastControl,
    Signer,
    Statement,
    Work,
)
from tests.factories import (
    DAY,
    NOON,
    allow,
    deny,
    make_creator,
    make_operator,
    make_work,
)
from tests.registry.signing import make_identity, sign
from tests.registry.test_evidence import proven_site
from tribute.vocabulary import Decision, Medium, Purpose

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_db")]


def together(*deeds: Callable[[], object]) -> list[RegistryError]:
    """Run every deed in a thread of its own, all at once; return what they raised."""
    barrier = threading.Barrier(len(deeds))
    raised: list[RegistryError] = []

    def run(deed: Callable[[], object]) -> None:
        barrier.wait()
        try:
            deed()
        except RegistryError as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_statements_at_once_never_share_a_sequence() -> None:
    work = make_work(make_creator("ada"))

    raised = together(*[lambda: allow(work), lambda: deny(work)] * 4)

    rows = Statement.objects.order_by("sequence")
    assert raised == []
    assert [row.sequence for row in rows] == list(range(1, 9))
    # Each leaf points back to the one before: none was recorded beside another.
    leaves = {bytes(leaf.leaf_hash): bytes(leaf.leaf) for leaf in LogOutbox.objects.all()}
    for before, after in pairwise(rows):
        assert bytes(before.leaf_hash).hex().encode() in leaves[bytes(after.leaf_hash)]
    assert decision_index.differences(at=NOON) == []


def test_two_who_register_the_same_bytes_at_once_are_in_conflict() -> None:
    text = "The same words, word for word, as if one had copied the other. " * 9
    ada, ben = make_creator("ada"), make_creator("ben")

    raised = together(lambda: make_work(ada, text=text), lambda: make_work(ben, text=text))

    assert raised == []
    assert ClaimConflict.objects.get().kind == ClaimConflict.Kind.EXACT
    assert decision_index.differences(at=NOON) == []


@pytest.mark.parametrize("meanwhile", ["verify", "default"])
def test_what_concerns_all_of_a_creators_works_waits_for_one_being_registered(
    meanwhile: str,
) -> None:
    ada = make_creator("ada", verified=False)
    registered, done = threading.Event(), threading.Event()

    def register() -> None:
        with transaction.atomic():
            allow(make_work(ada))
            registered.set()
            # Long enough for the other to overtake, if nothing holds it.
            done.wait(1)

    def concern_all() -> None:
        assert registered.wait(10)
        if meanwhile == "verify":
            creators.verify_identity(ada, at=NOON)
        else:
            deny(ada)
        done.set()

    assert together(register, concern_all) == []

    assert decision_index.differences(at=NOON) == []


def test_proving_control_waits_for_what_is_being_registered_below() -> None:
    ada = make_creator("ada", verified=False)
    registered, done = threading.Event(), threading.Event()

    def register() -> None:
        with transaction.atomic():
            allow(make_work(ada, url="https://ada.example/1"))
            registered.set()
            done.wait(1)

    def prove() -> None:
        assert registered.wait(10)
        proven_site(ada, "ada.example")
        done.set()

    assert together(register, prove) == []

    assert decision_index.differences(at=NOON + DAY) == []


def test_two_sequencers_give_every_leaf_one_place() -> None:
    work = make_work(make_creator("ada"))
    for _ in range(10):
        allow(work)

    together(*[lambda: log.sequence(limit=4)] * 4)

    assert [entry.index for entry in LogEntry.objects.order_by("index")] == list(range(10))
    assert log.size() == 10
    assert LogEntry.objects.values("leaf").distinct().count() == 10


def test_a_third_live_key_is_refused_even_at_once() -> None:
    acme = make_operator("acme")
    at = datetime.now(UTC)

    def issue() -> None:
        operators.issue_key(acme, scopes=["checks:write"], name="crawler", at=at)

    raised = together(*[issue] * 5)

    assert [error.code for error in raised] == ["too_many_keys"] * 3
    assert ApiKey.objects.count() == 2


def test_a_statement_that_is_rolled_back_leaves_neither_leaf_nor_index() -> None:
    work = make_work(make_creator("ada"))

    with transaction.atomic():
        deny(work)
        transaction.set_rollback(True)

    assert (Statement.objects.count(), LogOutbox.objects.count()) == (0, 0)
    assert decision_index.differences(at=NOON) == []


def test_a_word_on_a_work_reaches_the_rival_that_is_being_registered() -> None:
    text = "The same words, word for word, as if one had copied the other. " * 9
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada, text=text)
    registered = threading.Event()

    def register() -> None:
        with transaction.atomic():
            make_work(ben, text=text, url="https://ben.example/copy")
            registered.set()
            time.sleep(0.3)

    def speak() -> None:
        assert registered.wait(10)
        deny(work)

    assert together(register, speak) == []

    assert decision_index.differences(at=NOON) == []


def register_signed(creator: Creator, body: bytes, at: datetime) -> Work:
    taken = reading.read(io.BytesIO(body), Medium.IMAGE, at=at)
    return works.register(
        creator,
        title="A picture",
        medium=Medium.IMAGE,
        identifiers=[],
        fingerprint=taken.fingerprint,
        signature=taken.signature,
        at=at,
    )


def test_a_signed_work_registered_while_its_signer_is_shown_is_proven() -> None:
    now = datetime.now(UTC)
    identity = make_identity(at=now - DAY)
    ada = make_creator("ada", verified=False)
    consent.state(ada, ada, purpose=Purpose.TRAIN_AI, decision=Decision.ALLOW, paid=True, at=now)
    signer = signers.begin(ada, at=now)
    challenge, body = sign(identity, challenge=signers.challenge(signer)), sign(identity)

    raised = together(
        lambda: signers.verify(signer, challenge, at=now),
        lambda: register_signed(ada, body, now),
    )

    assert raised == []
    rows = decision_index.read(decision_index.keys_of_works([Work.objects.get().pk]))
    assert {s["proven"] for found in rows.values() for row in found for s in row.statements} == {
        True
    }
    assert decision_index.differences(at=now) == []


def test_two_who_show_the_same_certificate_at_once_both_go_without() -> None:
    now = datetime.now(UTC)
    identity = make_identity(at=now - DAY)
    waiting = [signers.begin(make_creator(name), at=now) for name in ("ada", "ben")]
    files = [sign(identity, challenge=signers.challenge(signer)) for signer in waiting]

    raised = together(
        lambda: signers.verify(waiting[0], files[0], at=now),
        lambda: signers.verify(waiting[1], files[1], at=now),
    )

    assert [type(error) for error in raised] == [SignerShared]
    assert not Signer.objects.exclude(control_proven_at=None).exists()
    assert PastControl.objects.count() == 1
    assert decision_index.differences(at=now) == []

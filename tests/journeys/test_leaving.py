"""A person is erased, and the books, the log, receipts and refusals hold as before."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from attribution import departures
from attribution.errors import ErasureBlocked
from attribution.worker import settle_due
from ledger import unclaimed
from ledger.accounts import AccountKind, account_id
from ledger.balances import balance
from ledger.models import AdminAction, Payee, SetAside
from portal import ways_in
from registry import (
    checks,
    consent,
    erasures,
    log_proofs,
    log_signing,
    log_tree,
    receipts,
    snapshots,
)
from registry.checks import CheckItem
from registry.errors import ErasureBegun, ErasureOpen, NotFound
from registry.models import (
    ApiKey,
    Collection,
    Creator,
    Erasure,
    Identifier,
    LogOutbox,
    Terms,
    User,
    Work,
)
from tests.attribution.world import GENERATED, ask
from tests.factories import allow, deny, make_creator, make_operator, make_user, make_work
from tests.journeys.leaving_world import BELOW, DAY, GARDEN, World, make_world, traces
from tribute import receipts as verifier
from tribute.log import auditing
from tribute.log.sources import FolderLog
from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.publishing import files_folder
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

pytestmark = pytest.mark.django_db
KEEP, WITHDRAW = Erasure.Refusals.KEEP, Erasure.Refusals.WITHDRAW
ASKED = GENERATED + DAY
DUE = ASKED + 14 * DAY
HOUR = timedelta(hours=1)


@pytest.fixture
def world(log_home: Path, settings: Any) -> World:
    settings.PAYER_NAME, settings.PAYER_IBAN = "Tribute", "DE02120300000000202051"
    log_tree.begin()
    return make_world()


class Clock:
    """It stands still, and can be made to stop the worker at its n-th look."""

    def __init__(self, at: datetime, *, dies_at: int = 1_000_000) -> None:
        self.at, self.left = at, dies_at

    def __call__(self) -> datetime:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return self.at


class Killed(Exception):
    """The worker's process ended."""


def ask_to_leave(world: World, refusals: Erasure.Refusals = KEEP) -> erasures.Requested:
    return departures.request(
        world.person,
        refusals=refusals,
        leaves_money=True,
        language="en",
        delay=14 * DAY,
        at=ASKED,
    )


def carry_out(clock: Callable[[], datetime] | None = None, told: list[str] | None = None) -> int:
    heard = [] if told is None else told
    return departures.carry_out_due(
        tell=lambda _erasure, moment: heard.append(moment),
        log_out=ways_in.remove,
        clock=clock or Clock(DUE),
        until=DUE + HOUR,
    )


def answer(acme: Any, url: str) -> str:
    check = checks.check(acme, [CheckItem(url=url)], [Purpose.TRAIN_AI], at=DUE + DAY)
    return str(check.results[0]["decisions"][Purpose.TRAIN_AI]["decision"])


def offline(folder: Path, url: str) -> str:
    """Publish, fetch the whole copy as a pipeline does, and ask it."""
    root = folder / "published"
    release = snapshots.build(at=DUE + DAY, root=root)
    (files_folder(root) / "manifest.json").write_bytes(release.manifest)
    key, mine = snapshots.public_key(), folder / "mine"
    sync(FolderSource(files_folder(root)), mine, public_key=key, at=DUE + DAY)
    snapshot = Snapshot.open(mine, public_key=key, at=DUE + DAY)
    found = snapshot.check([url], [Purpose.TRAIN_AI], at=DUE + DAY)
    return found.decision(0, Purpose.TRAIN_AI).value


def assert_sound(before: bytes, folder: Path) -> None:
    call_command("audit")
    log_tree.grow(limit=1_000)
    found = auditing.audit(FolderLog(folder), log_signing.verifier(), remembered=before)
    assert found.read == LogOutbox.objects.count()


def test_nothing_of_her_is_left_and_all_else_holds(
    world: World, log_home: Path, tmp_path: Path
) -> None:
    assert len(traces()) > 25
    before = (log_home / "checkpoint").read_bytes()
    receipt = receipts.receipt(world.check)
    old_leaf = bytes(LogOutbox.objects.order_by("id")[0].leaf_hash)
    place = log_proofs.inclusion(old_leaf).entry.index
    earned = balance(account_id(AccountKind.CREATOR_PENDING, world.ada.pk, "EUR"))
    ask_to_leave(world)

    assert carry_out() == 1

    assert traces(tmp_path) == []
    assert_sound(before, log_home)
    item = [{"sha256": world.chariot.sha256.hex()}]  # type: ignore[union-attr]
    for told in (receipt, receipts.receipt(world.check)):
        proven = verifier.verify_receipt(told, public_key=receipts.public_key(), items=item)
        assert proven.check == world.check.pk
    assert log_proofs.inclusion(old_leaf).entry.index == place
    assert balance(account_id(AccountKind.CREATOR_PENDING, world.ada.pk, "EUR")).micros == 0
    aside = SetAside.objects.get(subject=world.ada.pk)
    assert (aside.amount_micros, aside.currency) == (earned.micros, "EUR")
    assert carry_out() == 0


def test_what_she_denied_stays_denied_and_what_she_allowed_ends(
    world: World, tmp_path: Path
) -> None:
    assert answer(world.acme, "https://lovelace.example/harbour") == "allow"
    ask_to_leave(world)
    carry_out()

    for url, decision in (
        (GARDEN, "deny"),
        (BELOW, "deny"),
        ("https://lovelace.example/harbour", "unknown"),
        ("https://lovelace.example/else", "unknown"),
    ):
        assert answer(world.acme, url) == decision
        assert offline(tmp_path / str(hash(url)), url) == decision
    found = checks.look_up(IdentifierKind.URL, GARDEN, at=DUE + DAY)
    assert found.answer.verdicts[Purpose.TRAIN_AI].decision == Decision.DENY
    before = consent.standing([world.chariot.pk], Purpose.TRAIN_AI, at=GENERATED)
    assert before[world.chariot.pk].decision == Decision.ALLOW


def test_everything_can_be_taken_back_instead(world: World, log_home: Path, tmp_path: Path) -> None:
    before = (log_home / "checkpoint").read_bytes()
    keys = [bytes(key) for key in Identifier.objects.values_list("key", flat=True)]
    ask_to_leave(world, WITHDRAW)
    carry_out()

    assert traces(tmp_path) == []
    assert_sound(before, log_home)
    assert [answer(world.acme, url) for url in (GARDEN, BELOW)] == ["unknown", "unknown"]
    assert offline(tmp_path, GARDEN) == "unknown"
    world.chariot.refresh_from_db()
    assert (world.chariot.sha256, world.chariot.iscc, world.chariot.iscc_bits) == (None,) * 3
    assert Identifier.objects.filter(work__in=[world.chariot, world.garden]).count() == 0
    assert Collection.objects.filter(key__in=keys).count() == 0
    twin = make_work(world.ben, text=" ".join(["Because I could not stop for Death"] * 9))
    assert twin.conflicts.count() == 0


def test_a_work_of_two_stays_with_the_other(world: World) -> None:
    ask_to_leave(world)
    carry_out()

    world.shared.refresh_from_db()
    assert (world.shared.title, world.shared.status) == ("Two Voices", "active")
    assert sum(world.shared.shares.values_list("ppm", flat=True)) == 1_000_000
    stands = consent.standing_now([world.shared.pk], Purpose.TRAIN_AI, at=DUE)
    assert stands[world.shared.pk].decision == Decision.ALLOW
    world.chariot.refresh_from_db()
    assert (world.chariot.title, world.chariot.status) == ("erased", "withdrawn")


@pytest.mark.parametrize("refusals", [KEEP, WITHDRAW])
def test_a_worker_killed_anywhere_is_followed_by_one_that_ends_it(
    committed_db: None, world: World, log_home: Path, refusals: Erasure.Refusals
) -> None:
    before = (log_home / "checkpoint").read_bytes()
    requested = ask_to_leave(world, refusals)
    deaths = 0
    for statements in count(1):
        left = [statements]

        def dies(execute: Any, *said: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] == -1:
                raise Killed
            return execute(*said)

        try:
            with connection.execute_wrapper(dies):
                carry_out()
        except Killed:
            deaths += 1
            continue
        if Erasure.objects.filter(pk=requested.erasure.pk).exclude(finished_at=None).exists():
            break

    assert deaths > 30
    assert traces() == []
    assert_sound(before, log_home)
    leaves = [bytes(row.leaf) for row in LogOutbox.objects.order_by("id")]
    assert sum(b'"t":"creator.erased"' in leaf for leaf in leaves) == 1
    assert sum(b'"t":"person.erased"' in leaf for leaf in leaves) == 1
    expected = "deny" if refusals == KEEP else "unknown"
    assert [answer(world.acme, url) for url in (GARDEN, BELOW)] == [expected, expected]


def test_time_runs_out_and_the_next_ring_goes_on(world: World) -> None:
    ask_to_leave(world)
    for dies_at in range(1, 30):
        try:
            if carry_out(Clock(DUE, dies_at=dies_at)):
                break
        except Killed:
            continue

    assert Erasure.objects.get().finished_at == DUE


def test_until_it_is_due_all_is_as_it_was_and_it_can_be_called_off(world: World) -> None:
    requested = ask_to_leave(world)
    with pytest.raises(ErasureOpen):
        ask_to_leave(world)

    assert carry_out(Clock(DUE - HOUR)) == 0
    assert ApiKey.objects.filter(creator=world.ada).count() == 1
    erasures.cancel(requested.erasure, at=DUE - HOUR)
    erasures.cancel(requested.erasure, at=DUE - HOUR)
    assert carry_out() == 0
    assert Creator.objects.get(pk=world.ada.pk).handle == "ada-lovelace"
    assert erasures.open_of(world.person) is None


def test_what_is_begun_is_not_called_off(world: World) -> None:
    requested = ask_to_leave(world)
    carry_out()

    with pytest.raises(ErasureBegun):
        erasures.cancel(requested.erasure, at=DUE)


def test_people_are_told_before_and_after(world: World) -> None:
    told: list[str] = []
    ask_to_leave(world)

    def tell(_erasure: Erasure, moment: str) -> None:
        told.append(moment)

    assert departures.remind(tell=tell, at=ASKED + DAY) == 0
    assert departures.remind(tell=tell, at=DUE - 2 * DAY) == 1
    assert departures.remind(tell=tell, at=DUE - DAY) == 0
    carry_out(told=told)
    assert told == ["reminder", "finished"]


def test_a_mail_server_that_is_away_stops_nothing(world: World) -> None:
    ask_to_leave(world)

    def tell(_erasure: Erasure, _moment: str) -> None:
        raise ConnectionRefusedError

    assert departures.remind(tell=tell, at=DUE - DAY) == 0
    done = departures.carry_out_due(
        tell=tell, log_out=ways_in.remove, clock=Clock(DUE), until=DUE + HOUR
    )
    assert done == 1


def test_what_is_under_way_stands_in_the_way_by_name(world: World) -> None:
    operator = make_operator("lovelaces-lab", user=world.person)
    rival = make_work(make_creator("mallory"), url=GARDEN)
    conflict = rival.conflicts.get()

    with pytest.raises(ErasureBlocked) as refused:
        departures.request(
            world.person, refusals=KEEP, leaves_money=False, language="en", delay=DAY, at=ASKED
        )
    kinds = {blocker[0]: blocker[1] for blocker in refused.value.blockers}
    assert kinds["operator"] == operator.handle
    assert kinds["dispute"] == conflict.pk
    assert kinds["money"] == world.ada.pk
    assert conflict.pk in str(refused.value)


def test_what_came_into_the_way_since_is_told_once(world: World) -> None:
    told: list[str] = []
    ask_to_leave(world)
    make_work(make_creator("mallory"), url=GARDEN)

    assert carry_out(told=told) == 0
    assert carry_out(told=told) == 0
    assert told == ["blocked"]
    assert Erasure.objects.get().blocked_by == ["dispute"]
    assert Creator.objects.get(pk=world.ada.pk).erased_at is None


def test_money_left_behind_is_claimed_with_the_code(world: World) -> None:
    requested = ask_to_leave(world)
    carry_out()
    again = make_creator("augusta")
    within, holding = 1_095 * DAY, 30 * DAY

    with pytest.raises(NotFound):
        departures.claim_left("0" * 32, by=again, holding=holding, within=within, at=DUE + DAY)
    with pytest.raises(NotFound):
        departures.claim_left(
            requested.claim_code, by=again, holding=holding, within=within, at=DUE + 2_000 * DAY
        )
    (moved,) = departures.claim_left(
        requested.claim_code, by=again, holding=holding, within=within, at=DUE + DAY
    )
    assert balance(account_id(AccountKind.CREATOR_PENDING, again.pk, "EUR")) == moved
    call_command("audit")


def test_money_that_comes_late_is_swept_up(world: World) -> None:
    ask_to_leave(world)
    carry_out()
    unclaimed.claim(world.ada.pk, by=world.ada, holding=30 * DAY, at=DUE + DAY)
    assert SetAside.objects.filter(subject=world.ada.pk, released_at=None).count() == 0

    carry_out(Clock(DUE + 2 * DAY))

    assert SetAside.objects.filter(subject=world.ada.pk, released_at=None).count() == 1
    call_command("audit")


def test_queries_settle_on_and_pay_the_others(world: World) -> None:
    ask_to_leave(world)
    carry_out()

    query = ask(world.model)
    assert settle_due(at=DUE + DAY, limit=10) == 1
    paid = {world.ada.pk: 0, world.ben.pk: 0}
    for creator, micros in query.contributions.values_list("creator", "micros"):
        if creator is not None:
            paid[creator] += micros
    assert paid[world.ben.pk] > 0
    carry_out(Clock(DUE + DAY))
    swept = SetAside.objects.filter(subject=world.ada.pk).order_by("-pk")[0]
    assert swept.amount_micros == paid[world.ada.pk] > 0
    call_command("audit")


def test_nothing_can_be_written_about_her_any_more(world: World) -> None:
    ask_to_leave(world)
    carry_out()
    ada = Creator.objects.get(pk=world.ada.pk)
    site = Collection.objects.get(pk=world.site.pk)

    def refused(deed: Callable[[], object]) -> bool:
        try:
            with transaction.atomic():
                deed()
        except DatabaseError:
            return True
        return False

    deeds: list[Callable[[], object]] = [
        lambda: Creator.objects.filter(pk=ada.pk).update(display_name="Ada"),
        lambda: Creator.objects.filter(pk=ada.pk).update(erased_at=None),
        lambda: User.objects.filter(pk=world.person.pk).update(name="Ada"),
        lambda: Work.objects.filter(pk=world.garden.pk).update(title="The Orchard"),
        lambda: Collection.objects.filter(pk=site.pk).update(canonical="lovelace.example"),
        lambda: Terms.objects.filter(creator=ada).update(uri="https://lovelace.example/"),
        lambda: Terms.objects.create(creator=ada, uri="https://a.example/", created_at=DUE),
        lambda: ada.members.add(make_user()),
        lambda: Work.objects.create(
            title="t", medium=Medium.TEXT, registered_by=ada, registered_at=DUE
        ),
        lambda: Payee.objects.filter(creator=ada).update(holder="Ada"),
        lambda: Payee.objects.filter(creator=ada).update(account="DE89"),
    ]
    assert [refused(deed) for deed in deeds] == [True] * len(deeds)


def test_an_admins_deeds_stay_under_an_opaque_id(log_home: Path) -> None:
    pia = make_user("pia@example.org", name="Pia", is_payout_admin=True, is_staff=True)
    AdminAction.objects.create(by=pia, deed="reconciled", at=ASKED)
    departures.request(pia, refusals=KEEP, leaves_money=False, language="en", delay=DAY, at=ASKED)
    carry_out()

    pia.refresh_from_db()
    assert AdminAction.objects.get().by_id == pia.pk
    assert (pia.name, pia.is_active, pia.is_payout_admin) == ("", False, False)
    assert pia.email.endswith("@erased.invalid")


def test_one_creator_goes_and_the_person_stays(world: World) -> None:
    other = make_creator("the-countess", user=world.person)
    requested = departures.request(
        world.person,
        creator=other,
        refusals=KEEP,
        leaves_money=False,
        language="zh-hans",
        delay=DAY,
        at=ASKED,
    )
    carry_out()

    assert Erasure.objects.get(pk=requested.erasure.pk).finished_at is not None
    other.refresh_from_db()
    world.person.refresh_from_db()
    world.ada.refresh_from_db()
    assert other.erased_at is not None
    assert (world.person.is_active, world.person.name) == (True, "Ada Lovelace")
    assert world.ada.erased_at is None


def test_a_creator_with_other_members_is_not_ones_own_to_erase(world: World) -> None:
    world.ada.members.add(make_user("ben-too@example.org"))

    with pytest.raises(NotFound):
        departures.request(
            world.person, creator=world.ada, refusals=KEEP, leaves_money=True, language="en",
            delay=DAY, at=ASKED,
        )  # fmt: skip
    ask_to_leave(world)
    carry_out()
    world.ada.refresh_from_db()
    assert (world.ada.erased_at, world.ada.members.count()) == (None, 1)


def test_an_announced_denial_is_not_lost_with_the_permission(world: World) -> None:
    later = make_work(world.ada, url="https://lovelace.example/later")
    allow(later)
    deny(later, at=ASKED, effective_from=DUE + 100 * DAY)
    ask_to_leave(world)
    carry_out()

    assert answer(world.acme, "https://lovelace.example/later") == "deny"


def test_the_preview_counts(world: World) -> None:
    found = departures.preview(world.person)

    assert (found.works, found.shared, found.places, found.keys) == (3, 1, 2, 2)
    assert (found.permissions, found.denials, found.grants) == (3, 2, 0)
    assert [money.currency for money in found.money] == ["EUR"]


def test_one_that_does_not_work_out_holds_no_other_up(world: World) -> None:
    ask_to_leave(world)
    pia = make_user("pia@example.org")
    departures.request(
        pia, refusals=KEEP, leaves_money=False, language="en", delay=DAY, at=DUE - DAY
    )

    def tell(erasure: Erasure, _moment: str) -> None:
        if erasure.user_id == world.person.pk:
            raise DatabaseError("the disk is full")

    done = departures.carry_out_due(
        tell=tell, log_out=ways_in.remove, clock=Clock(DUE), until=DUE + HOUR
    )

    assert done == 1
    assert Erasure.objects.get(user=pia).finished_at == DUE
    assert Erasure.objects.get(user=world.person).finished_at is None
    assert carry_out() == 1

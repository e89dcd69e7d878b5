"""Two posters at once, really committing: each key once, every balance right, no order assumed."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection

from ledger import balances, invariants
from ledger.accounts import AccountKey, AccountKind, account_id, account_ids
from ledger.models import Batch, Entry
from ledger.money import Money
from ledger.posting import Draft, EntryKind, Posted, key_for, post
from registry.models import Creator, Operator
from tests.factories import NOON

pytestmark = pytest.mark.usefixtures("committed_db")


def together(*deeds: Callable[[], None]) -> None:
    """Run deeds in threads of their own, each with its own connection, started at once."""
    barrier, troubles = threading.Barrier(len(deeds)), list[BaseException]()

    def run(deed: Callable[[], None]) -> None:
        try:
            barrier.wait()
            deed()
        except BaseException as trouble:  # noqa: BLE001 - handed to the test's own thread
            troubles.append(trouble)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []


@pytest.fixture
def acme() -> Operator:
    return Operator.objects.create(handle="acme", name="Acme", created_at=NOON)


@pytest.fixture
def ada() -> Creator:
    return Creator.objects.create(handle="ada", display_name="Ada", created_at=NOON)


def test_the_same_drafts_posted_together_are_posted_once(acme: Operator, ada: Creator) -> None:
    clearing = account_id(AccountKind.PROVIDER_CLEARING, None, "EUR")
    pending = account_id(AccountKind.CREATOR_PENDING, ada.pk, "EUR")
    portions = [
        [
            Draft(key_for(f"{n}"), EntryKind.CLAIM, "EUR", ((clearing, -1), (pending, 1)), NOON)
            for n in range(first, first + 20)
        ]
        for first in range(0, 200, 20)
    ]

    def forwards() -> None:
        for portion in portions:
            post(portion, at=NOON)

    def backwards() -> None:
        for portion in reversed(portions):
            post(list(reversed(portion)), at=NOON)

    together(forwards, backwards)

    assert Entry.objects.count() == 200
    assert balances.balance(pending) == Money(200, "EUR")
    assert list(Batch.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(1, Batch.objects.count() + 1)
    )
    assert invariants.findings() == []


def test_two_spenders_of_one_balance_never_overdraw_it(acme: Operator, ada: Creator) -> None:
    clearing = account_id(AccountKind.PROVIDER_CLEARING, None, "EUR")
    prepaid = account_id(AccountKind.OPERATOR_PREPAID, acme.pk, "EUR")
    pending = account_id(AccountKind.CREATOR_PENDING, ada.pk, "EUR")
    fund = Draft(uuid4(), EntryKind.TOPUP, "EUR", ((clearing, -100), (prepaid, 100)), NOON)
    post([fund], at=NOON)
    answers: list[Posted] = []

    def spend() -> None:
        for _ in range(5):
            legs = ((prepaid, -7), (pending, 7))
            drafts = [Draft(uuid4(), EntryKind.QUERY, "EUR", legs, NOON) for _ in range(4)]
            answers.append(post(drafts, at=NOON))

    together(spend, spend)

    posted = sum(len(answer.entry_ids) for answer in answers)
    assert posted == 100 // 7
    assert sum(len(answer.refused) for answer in answers) == 40 - posted
    assert balances.balance(prepaid) == Money(100 - posted * 7, "EUR")
    assert invariants.findings() == []


def test_the_same_account_is_opened_once(acme: Operator, ada: Creator) -> None:
    found: list[dict[AccountKey, int]] = []
    wanted = [
        (kind, ada.pk, currency)
        for kind in (AccountKind.CREATOR_PENDING, AccountKind.CREATOR_AVAILABLE)
        for currency in ("EUR", "USD", "JPY", "GBP")
    ]

    def forwards() -> None:
        found.append(account_ids(wanted))

    def backwards() -> None:
        found.append(account_ids(wanted[::-1]))

    together(forwards, backwards)

    assert found[0] == found[1]
    assert invariants.findings() == []

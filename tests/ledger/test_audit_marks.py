"""An audit of what is new: it sets out from a mark, sees what came after, and trusts no lie."""

import os
import signal
import subprocess
import sys
import threading
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, ProgrammingError, connection
from django.test.utils import CaptureQueriesContext

from ledger import invariants, payouts
from ledger.accounts import AccountKind
from ledger.errors import BooksInDoubt
from ledger.gateway_paper import PaperGateway
from ledger.models import AuditMark, Batch, Entry
from ledger.posting import Draft, EntryKind, post
from registry.models import Creator, Operator, User
from tests.factories import NOON
from tests.ledger.cast import account, attempt, earn, payable, tamper, top_up

LAST = "WHERE id = (SELECT max(id) FROM ledger_entry)"
FIRST = "WHERE id = (SELECT min(id) FROM ledger_entry)"


@pytest.fixture
def marked(acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway) -> int:
    """Books that were audited once, and went on; Ben's account is new since."""
    top_up(acme, 50, gateway=gateway)
    earn(ada, acme, 2_000_000)
    assert invariants.audit(at=NOON) == []
    mark = AuditMark.objects.get().seq
    earn(ada, acme, 3_000_000)
    earn(ben, acme, 1_000_000)
    assert invariants.recent_findings() == []
    return mark


@pytest.mark.parametrize(
    ("table", "sql", "expected"),
    [
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {LAST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {LAST}", "lines"),
        ("ledger_entry", f"DELETE FROM ledger_entry {LAST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET id = id + (9::bigint << 40) {LAST}", "orphans"),
        ("ledger_line", "UPDATE ledger_line SET balance_micros = 1 WHERE batch = 4", "balances"),
        (
            "ledger_line",
            "UPDATE ledger_line SET balance_micros = 1 WHERE batch = 3",
            "running_balances",
        ),
        ("ledger_line", "DELETE FROM ledger_line WHERE batch = 3", "lines"),
        ("ledger_batch", "UPDATE ledger_batch SET posted_at = '2000-01-01' WHERE seq = 4", "chain"),
        (
            "ledger_batch",
            "UPDATE ledger_batch SET posted_at = '2000-01-01' WHERE seq = 3",
            "sequence",
        ),
        ("ledger_batch", "DELETE FROM ledger_batch WHERE seq = 3", "sequence"),
        ("ledger_balance", "UPDATE ledger_balance SET balance_micros = 5", "balances"),
        (
            "ledger_account",
            "UPDATE ledger_account SET opened_at = '2000-01-01' WHERE creator_id IS NOT NULL",
            "accounts",
        ),
    ],
)
def test_what_is_new_is_read_as_closely(marked: int, table: str, sql: str, expected: str) -> None:
    assert marked == 2
    tamper(table, sql)
    assert expected in {finding.invariant for finding in invariants.recent_findings()}


def test_what_was_trusted_is_for_the_whole_audit(marked: int) -> None:
    tamper("ledger_entry", f"UPDATE ledger_entry SET kind = 11 {FIRST}")
    assert invariants.recent_findings() == []
    assert {finding.invariant for finding in invariants.audit(at=NOON)} >= {"contents"}
    assert AuditMark.objects.count() == 1, "unsound books get no mark"


def test_a_mark_of_another_history_is_not_trusted(marked: int) -> None:
    assert invariants.trusted() == marked
    sql = "UPDATE ledger_batch SET hash = sha256('rewritten') WHERE seq = 2"
    tamper("ledger_batch", sql)
    assert invariants.trusted() == 0
    assert "chain" in {finding.invariant for finding in invariants.recent_findings()}


def test_a_batch_is_drawn_up_only_over_sound_news(
    marked: int, ada: Creator, mia: User, gateway: PaperGateway
) -> None:
    payable(ada, gateway)
    tamper("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {LAST}")
    with pytest.raises(BooksInDoubt):
        payouts.prepare(mia, currency="EUR", at=NOON)


def test_the_command_takes_where_to_begin(marked: int) -> None:
    call_command("audit", "--recent", verbosity=0)
    call_command("audit", "--since", "1", verbosity=0)
    tamper("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {LAST}")
    for arguments in (["--recent"], ["--since", "1"], []):
        with pytest.raises(CommandError):
            call_command("audit", *arguments, verbosity=0)
    call_command("audit", "--since", str(Batch.objects.count()), "--verbosity", "0")


@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_marks_are_on_record_for_good(marked: int, role: str) -> None:
    with pytest.raises((IntegrityError, ProgrammingError), match=r"append-only|permission denied"):
        attempt(role, "UPDATE ledger_auditmark SET seq = seq + 1")


@pytest.mark.usefixtures("committed_db")
def test_the_audit_reads_one_snapshot_while_others_post() -> None:
    fee, clearing = account(AccountKind.PLATFORM_FEE), account(AccountKind.PROVIDER_CLEARING)
    ended = threading.Event()

    def go_on_posting() -> None:
        while not ended.is_set():
            legs = ((clearing, -1), (fee, 1))
            post([Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", legs, NOON)], at=NOON)
        connection.close()

    poster = threading.Thread(target=go_on_posting)
    poster.start()
    try:
        with CaptureQueriesContext(connection) as queries:
            found = [invariants.audit(at=NOON), invariants.recent_findings()]
            while len(found) < 10 or Entry.objects.count() <= 10:
                found.append(invariants.findings())
    finally:
        ended.set()
        poster.join()
    assert found == [[]] * len(found)
    assert any("REPEATABLE READ" in query["sql"] for query in queries)


KILLED_AUDIT = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from ledger import invariants

asked = invariants.statement
def asked_then_die(name):
    if name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    return asked(name)
invariants.statement = asked_then_die
call_command("audit")
"""


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("amid", ["audit_accounts", "audit_contents", "audit_unbalanced_entries"])
def test_a_whole_audit_that_is_killed_leaves_the_mark_it_found(amid: str) -> None:
    """It proves nothing by halves: the next one sets out from the last that came to its end."""
    fee, clearing = account(AccountKind.PLATFORM_FEE), account(AccountKind.PROVIDER_CLEARING)
    draft = Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", ((clearing, -1), (fee, 1)), NOON)
    post([draft], at=NOON)
    assert invariants.audit(at=NOON) == []
    for _ in range(3):
        draft = Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", ((clearing, -1), (fee, 1)), NOON)
        post([draft], at=NOON)
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AUDIT, amid],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "server.settings"},
        timeout=120,
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    assert invariants.trusted() == 1
    with CaptureQueriesContext(connection) as queries:
        assert invariants.recent_findings() == []
    assert any("'ledger.audit_since', '1'" in query["sql"] for query in queries)
    assert invariants.audit(at=NOON) == []
    assert invariants.trusted() == 4

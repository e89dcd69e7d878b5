"""Tampering: what the owner does with triggers off is found, each kind by its own invariant."""

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from ledger import invariants, payouts
from ledger.accounts import AccountKind
from ledger.gateway_paper import PaperGateway
from ledger.posting import Draft, EntryKind, key_for, mirror, post
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.ledger.cast import account, admin, attempt, earn, earn_available, payable, tamper, top_up


@pytest.fixture(autouse=True)
def books(acme: Operator, ada: Creator, ben: Creator) -> None:
    """A little of everything: a top-up, earnings, a reversal, a refusal, an approved payout."""
    gateway = PaperGateway(clock=lambda: NOON)
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 3_000_000)
    earn(ben, acme, 2_000_000)
    pending = account(AccountKind.CREATOR_PENDING, ben)
    legs = ((pending, -5), (account(AccountKind.POOL), 5))
    wrong = Draft(key_for("wrong"), EntryKind.ADJUSTMENT, "EUR", legs, NOON)
    entry = post([wrong], at=NOON).entry_ids[wrong.key]
    post([Draft(key_for("undo"), EntryKind.REVERSAL, "EUR", mirror(legs), NOON, entry)], at=NOON)
    much = ((pending, -(10**12)), (account(AccountKind.POOL), 10**12))
    assert post([Draft(key_for("much"), EntryKind.QUERY, "EUR", much, NOON)], at=NOON).refused
    payable(ada, gateway)
    batch = payouts.prepare(admin("mia"), currency="EUR", at=NOON)
    payouts.submit(batch, admin("noah"), at=NOON)
    payouts.approve(batch, admin("olga"), at=NOON)
    assert invariants.findings() == []


def found() -> set[str]:
    return {finding.invariant for finding in invariants.findings()}


FIRST = "WHERE id = (SELECT min(id) FROM ledger_entry)"
LAST_REVERSAL = "WHERE reverses IS NOT NULL"


@pytest.mark.parametrize(
    ("table", "sql", "expected"),
    [
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {FIRST}", "balances"),
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {FIRST}", "lines"),
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {FIRST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,7}}' {FIRST}", "topups"),
        ("ledger_entry", f"UPDATE ledger_entry SET kind = 11 {FIRST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET key = gen_random_uuid() {FIRST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET effective_at = now() {FIRST}", "contents"),
        ("ledger_entry", f"UPDATE ledger_entry SET reverses = NULL {LAST_REVERSAL}", "contents"),
        (
            "ledger_entry",
            "UPDATE ledger_entry SET reverses = (SELECT min(id) FROM ledger_entry)"
            + LAST_REVERSAL.replace("WHERE", " WHERE"),
            "reversals",
        ),
        ("ledger_entry", f"DELETE FROM ledger_entry {LAST_REVERSAL}", "contents"),
        ("ledger_entry", f"DELETE FROM ledger_entry {LAST_REVERSAL}", "lines"),
        (
            "ledger_entry",
            (
                "INSERT INTO ledger_entry SELECT (1 << 30)::bigint << 20, gen_random_uuid(), 1, 978,"
                f" accounts, amounts, NULL, now() FROM ledger_entry {FIRST}"
            ),
            "orphans",
        ),
        (
            "ledger_entry",
            (
                "INSERT INTO ledger_entry SELECT id + 9, gen_random_uuid(), 1, 978,"
                f" accounts, amounts, NULL, now() FROM ledger_entry {FIRST}"
            ),
            "contents",
        ),
        ("ledger_balance", "UPDATE ledger_balance SET balance_micros = 1", "balances"),
        ("ledger_balance", "UPDATE ledger_balance SET balance_micros = 1", "conservation"),
        (
            "ledger_balance",
            "UPDATE ledger_balance SET min_balance_micros = -9 WHERE min_balance_micros = 0",
            "limits",
        ),
        ("ledger_line", "UPDATE ledger_line SET balance_micros = 1", "running_balances"),
        ("ledger_line", "UPDATE ledger_line SET credit_micros = credit_micros + 1", "lines"),
        ("ledger_line", "DELETE FROM ledger_line WHERE batch = 1", "lines"),
        ("ledger_batch", "UPDATE ledger_batch SET posted_at = now() + '1 day'", "chain"),
        (
            "ledger_batch",
            "UPDATE ledger_batch SET posted_at = '2000-1-1' WHERE seq = 2",
            "sequence",
        ),
        ("ledger_batch", "UPDATE ledger_batch SET content_hash = '' WHERE seq = 2", "chain"),
        ("ledger_batch", "UPDATE ledger_batch SET entries_count = 9 WHERE seq = 2", "contents"),
        ("ledger_batch", "DELETE FROM ledger_batch WHERE seq = 2", "sequence"),
        ("ledger_batch", "DELETE FROM ledger_batch WHERE seq = 2", "orphans"),
        ("ledger_balance", "INSERT INTO ledger_balance SELECT 9999, 978", "limits"),
        (
            "ledger_account",
            (
                "UPDATE ledger_account SET creator_id = (SELECT id FROM registry_creator WHERE"
                " handle = 'ben') WHERE kind = 3"
            ),
            "accounts",
        ),
        (
            "ledger_refusal",
            (
                "INSERT INTO ledger_refusal SELECT key, sha256('x'), accounts[1], 1, now()"
                f" FROM ledger_entry {FIRST}"
            ),
            "answers",
        ),
        ("ledger_payout", "UPDATE ledger_payout SET status = 'canceled'", "reserved"),
        ("ledger_payout", "UPDATE ledger_payout SET status = 'held'", "steps"),
        (
            "ledger_payout",
            "UPDATE ledger_payout SET status = 'paid', transfer_id = 'tr_1'",
            "sent",
        ),
        ("ledger_payoutevent", "DELETE FROM ledger_payoutevent", "steps"),
        ("ledger_payoutevent", "UPDATE ledger_payoutevent SET from_status = 'paid'", "steps"),
        ("ledger_payout", "UPDATE ledger_payout SET amount_micros = 2000000", "approvals"),
        ("ledger_payoutbatch", "UPDATE ledger_payoutbatch SET lines_digest = ''", "approvals"),
        ("ledger_topup", "UPDATE ledger_topup SET settled_micros = 51000000", "topups"),
    ],
)
def test_tampering_is_found(table: str, sql: str, expected: str) -> None:
    tamper(table, sql)
    assert expected in found()


def test_an_unbalanced_entry_is_refused_even_with_triggers_off() -> None:
    with pytest.raises(IntegrityError, match="sums_to_zero"), transaction.atomic():
        tamper("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,8}}' {FIRST}")
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE tribute_app")


@pytest.mark.parametrize("legs", [2, 12, 15, 16, 17, 33])
def test_every_leg_counts_in_the_sum(legs: int) -> None:
    """Short entries are added up by the CHECK itself, long ones by a function."""
    balanced = [*range(1, legs), -sum(range(1, legs))]
    update = (
        f"UPDATE ledger_entry SET accounts = array_fill(1, ARRAY[{legs}]), amounts = %s {FIRST}"
    )
    for place in range(legs):
        skewed = [amount + 10**6 * (n == place) for n, amount in enumerate(balanced)]
        empty = [amount * (n != place) for n, amount in enumerate(balanced)]
        empty[place - 1] += balanced[place]
        beyond = [2**63 - 1 if n == place else 2**63 - 2 for n in range(legs)]
        for wrong in (skewed, empty, beyond):
            with pytest.raises(DatabaseError, match=r"sums_to_zero|out of range"):
                attempt_tampering(update, wrong)
    attempt_tampering(update, balanced)


def attempt_tampering(sql: str, *parameters: object) -> None:
    with transaction.atomic():
        tamper("ledger_entry", sql, *parameters)


def test_an_unbalanced_entry_is_found_when_the_check_itself_was_dropped() -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_sums_to_zero")
    tamper("ledger_entry", f"UPDATE ledger_entry SET amounts = '{{-7,8}}' {FIRST}")
    assert "unbalanced_entries" in found()


def entry(**columns: str) -> str:
    """SQL that inserts a copy of the first entry as another batch, some columns changed."""
    copy = {
        "id": "(1::bigint << 50)",
        "key": "gen_random_uuid()",
        "kind": "e.kind",
        "currency": "e.currency",
        "accounts": "e.accounts",
        "amounts": "e.amounts",
        "reverses": "NULL",
        "effective_at": "now()",
    } | columns
    return f"INSERT INTO ledger_entry SELECT {', '.join(copy.values())} FROM ledger_entry e {FIRST}"


TABLES = ["account", "entry", "line", "batch", "refusal", "balance"]
KEPT = "append-only|permission denied"
REFUSED = [
    ("UPDATE ledger_account SET currency = 840", KEPT),
    ("UPDATE ledger_entry SET kind = 2", KEPT),
    ("UPDATE ledger_line SET debit_micros = 0", KEPT),
    ("UPDATE ledger_batch SET posted_at = now()", KEPT),
    ("UPDATE ledger_refusal SET reason = 2", KEPT),
    ("UPDATE ledger_balance SET balance_micros = 5", KEPT),
    *((f"DELETE FROM ledger_{table}", KEPT) for table in TABLES),
    *((f"TRUNCATE ledger_{table} CASCADE", KEPT) for table in TABLES),
    ("INSERT INTO ledger_line SELECT account_id, 99, 1, 978, 0, 1, 1 FROM ledger_line", KEPT),
    ("INSERT INTO ledger_balance SELECT 9999, 978", KEPT),
    ("INSERT INTO ledger_batch SELECT 99, 99, 1, 1, 1, 'a', 'b', 'c', 'd', now()", KEPT),
    ("INSERT INTO ledger_account (kind, currency) VALUES (6, 36)", "never_owes"),
    ("INSERT INTO ledger_account (kind, currency) VALUES (16, 978)", "kind_is_known"),
    (
        "INSERT INTO ledger_account (kind, currency, min_balance_micros) VALUES (2, 978, 0)",
        "belongs_to_whom",
    ),
    (entry(id="7"), "id_is_positive"),
    (entry(kind="0"), "kind_is_positive"),
    (entry(amounts="'{-1,2}'"), "sums_to_zero"),
    (entry(amounts="'{0,0}'"), "sums_to_zero"),
    (entry(amounts="'{9223372036854775807,1}'"), "out of range"),
    (entry(amounts="'{-1,0,1}'"), "whole_legs"),
    (entry(amounts="'{-1,NULL}'"), "whole_legs|sums_to_zero"),
    (entry(amounts="'[0:1]={-1,1}'::bigint[]"), "whole_legs"),
    (entry(effective_at="'infinity'"), "happens_at_a_time"),
    (entry(currency="840"), "not open in the entry's currency"),
    (entry(accounts="ARRAY[e.accounts[1], 9999999]"), "not open in the entry's currency"),
    (entry(amounts="ARRAY[-e.amounts[1], -e.amounts[2]] "), "not_below_its_minimum"),
    (entry(reverses="e.id"), "must mirror"),
    (entry(id="e.id + 9"), "ledger_batch_batch_id_key"),
    (entry(key="e.key"), "ledger_entry_key_key"),
    (entry(key="(SELECT key FROM ledger_refusal)"), "refused stays refused"),
    (
        entry()
        .replace("<< 50)", "<< 50) + (n::bigint << 20)")
        .replace("ledger_entry e", "generate_series(1, 2) n, ledger_entry e"),
        "one statement posts one batch",
    ),
    (
        (
            "INSERT INTO ledger_refusal SELECT key, sha256('x'), accounts[1], 1, now()"
            " FROM ledger_entry LIMIT 1"
        ),
        "was posted is not refused",
    ),
]


@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
@pytest.mark.parametrize(("sql", "why"), REFUSED)
def test_changes_are_refused_to_application_and_owner(role: str, sql: str, why: str) -> None:
    with pytest.raises(DatabaseError, match=why):
        attempt(role, sql)
    assert invariants.findings() == []


@pytest.mark.parametrize(
    "change", ["account_id = 9999", "currency = 840", "min_balance_micros = -1"]
)
def test_whose_a_balance_is_never_changes_not_even_where_it_may_be_written(change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_balance DISABLE TRIGGER ledger_balance_is_derived")
    with pytest.raises(DatabaseError, match="append-only"):
        attempt("tribute_owner", f"UPDATE ledger_balance SET {change} WHERE account_id = 1")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
        "SET session_replication_role = replica",
        "DROP TABLE ledger_entry CASCADE",
        "CREATE TABLE ledger_shadow (id int)",
    ],
)
def test_the_application_may_not_weaken_the_rules(sql: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        attempt("tribute_app", sql)

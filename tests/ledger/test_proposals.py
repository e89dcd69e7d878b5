"""What takes two takes two: in the code, in the database, and in the audit."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from ledger import adjusting, invariants, proposals, reconciliation, taking_back
from ledger.errors import (
    FactorMissing,
    LinesChanged,
    MakerIsChecker,
    NotPayoutAdmin,
    OwnMatter,
    ProposalOpen,
    ReasonMissing,
    WrongState,
)
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, Proposal, Reconciliation
from ledger.vocabulary import Proposed
from registry.models import Creator, User
from tests.factories import NOON, make_user
from tests.ledger.cast import approved, attempt, hear, of, send, tamper

pytestmark = pytest.mark.usefixtures("world")

LINES = {"micros": 7, "to": "œuvre"}


@pytest.fixture
def proposal(mia: User) -> Proposal:
    return proposals.propose(Proposed.ADJUST, "EUR 1", mia, lines=LINES, reason="lost", at=NOON)


def confirm(proposal: Proposal, admin: User, **changed: Any) -> Proposal:
    said: dict[str, Any] = {"lines": LINES, "factor": "totp", "at": NOON, **changed}
    return proposals.confirm(proposal, admin, **said)


def test_a_proposal_keeps_its_lines_and_their_digest(proposal: Proposal, mia: User) -> None:
    proposal.refresh_from_db()
    assert (proposal.told, proposal.digest) == (LINES, proposals.digest(LINES))
    action = AdminAction.objects.get()
    assert (action.deed, action.by, action.proposal) == ("proposed", mia, proposal)


def test_who_proposed_does_not_confirm(proposal: Proposal, mia: User, noah: User) -> None:
    with pytest.raises(MakerIsChecker):
        confirm(proposal, mia)
    with pytest.raises(FactorMissing):
        confirm(proposal, noah, factor="")
    with pytest.raises(NotPayoutAdmin):
        confirm(proposal, make_user())
    for lines in ({**LINES, "micros": 8}, None):
        with pytest.raises(LinesChanged):
            confirm(proposal, noah, lines=lines)
    proposal.refresh_from_db()
    assert proposal.is_open
    found = confirm(proposal, noah)
    assert (found.decided_by, found.factor, found.status) == (noah, "totp", "confirmed")
    with pytest.raises(WrongState):
        confirm(proposal, noah)


def test_one_proposal_waits_at_a_time_and_anybody_may_withdraw_it(
    proposal: Proposal, mia: User, noah: User
) -> None:
    with pytest.raises(ProposalOpen):
        proposals.propose(Proposed.ADJUST, "EUR 1", noah, lines={}, reason="mine", at=NOON)
    with pytest.raises(ReasonMissing):
        proposals.withdraw(proposal, noah, reason=" ", at=NOON)
    with pytest.raises(NotPayoutAdmin):
        proposals.withdraw(proposal, make_user(), reason="no", at=NOON)
    withdrawn = proposals.withdraw(proposal, noah, reason="it was found", at=NOON)
    assert (withdrawn.status, withdrawn.answer) == ("withdrawn", "it was found")
    with pytest.raises(WrongState):
        confirm(proposal, noah)
    with pytest.raises(ReasonMissing):
        proposals.propose(Proposed.ADJUST, "EUR 1", mia, lines={}, reason=" ", at=NOON)
    anew = proposals.propose(Proposed.ADJUST, "EUR 1", mia, lines={}, reason="now", at=NOON)
    assert anew.is_open


def test_a_dry_run_keeps_nothing(mia: User) -> None:
    tried = proposals.propose(
        Proposed.ADJUST, "EUR 1", mia, lines=LINES, reason="lost", at=NOON, dry_run=True
    )
    assert (tried.told, tried.digest) == (LINES, proposals.digest(LINES))
    assert not tried.pk
    assert not Proposal.objects.exists()
    assert not AdminAction.objects.exists()


@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_proposal SET lines = '{}'",
        "UPDATE ledger_proposal SET proposed_by_id = proposed_by_id + 1",
        "UPDATE ledger_proposal SET reason = 'another'",
        "DELETE FROM ledger_proposal",
        "TRUNCATE ledger_proposal CASCADE",
        (
            "UPDATE ledger_proposal SET status = 'confirmed', decided_by_id = proposed_by_id,"
            " decided_at = now(), factor = 'totp'"
        ),
        (
            "UPDATE ledger_proposal SET status = 'confirmed', decided_by_id = (SELECT id FROM"
            " registry_user WHERE name = 'noah'), decided_at = now()"
        ),
        "UPDATE ledger_proposal SET status = 'confirmed'",
        (
            "INSERT INTO ledger_adminaction (by_id, deed, subject, reason, facts, at, alone)"
            " SELECT id, 'adjusted', 'EUR 1', 'x', '{}', now(), false FROM registry_user"
            " WHERE name = 'noah'"
        ),
        (
            "INSERT INTO ledger_adminaction (by_id, deed, subject, reason, facts, at, alone)"
            " SELECT id, 'taken_back', 'x', 'x', '{}', now(), true FROM registry_user"
            " WHERE name = 'noah'"
        ),
        (
            "INSERT INTO ledger_adminaction (by_id, deed, subject, reason, facts, at, proposal_id)"
            " SELECT noah.id, 'adjusted', 'EUR 1', 'x', '{}', now(), proposal.id"
            " FROM registry_user AS noah, ledger_proposal AS proposal WHERE noah.name = 'noah'"
        ),
    ],
)
@pytest.mark.usefixtures("proposal", "noah")
def test_the_database_refuses_what_one_person_alone_would_do(role: str, sql: str) -> None:
    with pytest.raises(DatabaseError):
        attempt(role, sql)


@pytest.mark.usefixtures("noah")
def test_a_proposal_that_was_decided_stays_so(proposal: Proposal, noah: User) -> None:
    proposals.withdraw(proposal, noah, reason="no", at=NOON)
    with pytest.raises(DatabaseError):
        attempt("tribute_app", "UPDATE ledger_proposal SET answer = 'yes'")


def test_the_database_checks_the_digest(mia: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.create(
            deed="adjust",
            subject="EUR 2",
            reason="x",
            lines="{}",
            lines_digest=b"\0" * 32,
            proposed_by=mia,
            proposed_at=NOON,
        )


def stolen(gateway: PaperGateway, creator: Creator) -> Reconciliation:
    gateway.transfer(
        key="stolen",
        payee_account=creator.payee.account,
        amount_minor=700,
        currency="EUR",
        group="x",
        metadata={},
    )
    (row,) = reconciliation.reconcile(gateway=gateway, at=NOON)
    row.refresh_from_db()
    return row


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("ledger_proposal", "UPDATE ledger_proposal SET proposed_by_id = decided_by_id"),
        ("ledger_adminaction", "DELETE FROM ledger_adminaction WHERE deed = 'adjusted'"),
        (
            "ledger_adminaction",
            "UPDATE ledger_adminaction SET proposal_id = NULL WHERE deed = 'adjusted'",
        ),
        (
            "ledger_adminaction",
            (
                "UPDATE ledger_adminaction SET facts = jsonb_set(facts, '{micros}', '1')"
                " WHERE deed = 'adjusted'"
            ),
        ),
    ],
)
def test_the_audit_finds_what_was_tampered_with(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, *, table: str, sql: str
) -> None:
    row = stolen(gateway, ada)
    adjusting.carry_out(
        adjusting.propose(row, mia, reason="stolen", at=NOON), noah, factor="totp", at=NOON
    )
    assert invariants.findings() == []
    try:
        tamper(table, sql)
    except IntegrityError:
        return  # refused even with triggers off
    assert "proposals" in {found.invariant for found in invariants.findings()}


def test_a_payout_is_not_taken_back_by_the_creators_own_people(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    proposal = taking_back.propose(of(ada), mia, gateway=gateway, reason="x", at=NOON)
    ada.members.add(noah)
    with pytest.raises(OwnMatter):
        taking_back.carry_out(proposal, noah, gateway=gateway, factor="totp", at=NOON)
    with pytest.raises(OwnMatter):
        taking_back.propose(of(ada), noah, gateway=gateway, reason="x", at=NOON)
    assert of(ada).status == "transferred"


def test_what_came_back_meanwhile_is_not_taken_back_as_proposed(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    proposal = taking_back.propose(of(ada), mia, gateway=gateway, reason="x", at=NOON)
    gateway.reverse_transfer(key="by hand", transfer_id=of(ada).transfer_id, amount_minor=100)
    hear(gateway)
    with pytest.raises(LinesChanged):
        taking_back.carry_out(proposal, noah, gateway=gateway, factor="totp", at=NOON)

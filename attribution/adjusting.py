"""Book what a shadow run found, once two people said so.

Owns proposal, acceptance and the posting of corrections: for each query one entry of new minus
old by account, and the adjustments that say so beside its contributions. The ledger decides what
a decrease is taken from.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from attribution import shadowing
from attribution.errors import ProposerAccepts, WrongShadowState
from attribution.models import Adjustment, Query, ShadowChange, ShadowResult, ShadowRun
from ledger import corrections
from ledger.accounts import AccountKey, AccountKind
from ledger.corrections import Corrected, Correction
from ledger.posting import key_for
from registry.models import User

State = ShadowRun.State
Found = ShadowResult.State
BATCH = 100
CHANGED_MEANWHILE = "changed_meanwhile"


def propose(run: ShadowRun, admin: User, *, reason: str) -> None:
    """Ask another admin to accept a run that is ready. Raises WrongShadowState."""
    ready = ShadowRun.objects.filter(pk=run.pk, state=State.READY)
    if not reason or not ready.update(state=State.PROPOSED, proposed_by=admin, reason=reason):
        raise WrongShadowState(f"{run.pk} is not ready to be proposed")
    run.refresh_from_db()


def accept(run: ShadowRun, admin: User) -> None:
    """Let the proposed corrections be booked; they are, in the background.

    Raises ProposerAccepts for the admin who proposed them (the database refuses it too), and
    WrongShadowState.
    """
    proposed = ShadowRun.objects.filter(pk=run.pk, state=State.PROPOSED)
    try:
        with transaction.atomic():
            accepted = proposed.update(state=State.ACCEPTED, accepted_by=admin)
    except IntegrityError as error:
        raise ProposerAccepts(f"{admin.pk} proposed {run.pk}") from error
    if not accepted:
        raise WrongShadowState(f"{run.pk} is not proposed")
    run.refresh_from_db()


def dismiss(run: ShadowRun, *, at: datetime) -> None:
    """Leave everything as it was paid. Raises WrongShadowState once it is accepted."""
    undecided = ShadowRun.objects.filter(
        pk=run.pk, state__in=[State.RUNNING, State.READY, State.PROPOSED]
    )
    if not undecided.update(state=State.DISMISSED, ended_at=at):
        raise WrongShadowState(f"{run.pk} has been decided")
    run.refresh_from_db()


def post_accepted(*, at: datetime, limit: int) -> int:
    """Book up to ``limit`` corrections of accepted runs; return how many queries were looked at.

    May be stopped anywhere and called again: what was booked is known by its result.
    """
    done = 0
    for run in ShadowRun.objects.filter(state=State.ACCEPTED).order_by("asked_at", "pk"):
        while done < limit and (posted := _post(run, at=at, limit=min(BATCH, limit - done))):
            done += posted
    return done


@transaction.atomic
def _post(run: ShadowRun, *, at: datetime, limit: int) -> int:
    run = ShadowRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != State.ACCEPTED:
        return 0
    waiting = run.results.filter(state=Found.DIFFERS).order_by("query_id")
    batch = list(waiting.select_related("query__model").defer("query__evidence")[:limit])
    if not batch:
        run.state, run.ended_at = State.POSTED, at
        run.save(update_fields=["state", "ended_at"])
        return 0
    # One run of a query at a time; a settled query's row is never changed, so this is a plain lock.
    ids = sorted(result.query_id for result in batch)
    list(Query.objects.filter(pk__in=ids).order_by("pk").select_for_update().only("pk"))
    current = [result for result in batch if _is_current(result)]
    changes = {result.pk: list(result.changes.order_by("pk")) for result in current}
    booked = corrections.correct(
        [_correction(result, changes[result.pk]) for result in current], at=at
    )
    for result in current:
        found = booked[_reference(result)]
        _record(result, changes[result.pk], found)
    for result in set(batch) - set(current):
        result.state, result.reason = Found.SKIPPED, CHANGED_MEANWHILE
        result.save(update_fields=["state", "reason"])
    return len(batch)


def _is_current(result: ShadowResult) -> bool:
    """Tell whether the query has paid since what it had paid when the changes were found."""
    return bytes(result.paid_digest) == shadowing.digest(shadowing.paid(result.query))


def _reference(result: ShadowResult) -> str:
    return f"adjustment:{result.run_id}:{result.query_id}"


def _correction(result: ShadowResult, changes: Sequence[ShadowChange]) -> Correction:
    by_account: Counter[AccountKey] = Counter()
    for change in changes:
        by_account[_account(result.query, change)] += change.micros
    changed = {account: micros for account, micros in by_account.items() if micros}
    return Correction(_reference(result), result.query.currency, changed)


def _account(query: Query, change: ShadowChange) -> AccountKey:
    if not change.creator_id:
        return AccountKind[query.model.unattributed_policy.upper()], None, query.currency
    return AccountKind.CREATOR_PENDING, change.creator_id, query.currency


def _record(result: ShadowResult, changes: Sequence[ShadowChange], corrected: Corrected) -> None:
    """Write the adjustments; what the platform bore is told of the decreases it was borne for."""
    left = Counter(corrected.borne)
    rows = []
    for change in changes:
        account = _account(result.query, change)
        borne = min(left[account], max(-change.micros, 0))
        left[account] -= borne
        rows.append(
            Adjustment(
                result=result,
                query=result.query,
                work_id=change.work_id,
                creator_id=change.creator_id,
                micros=change.micros,
                borne_micros=borne,
            )
        )
    assert not any(left.values()), "what was borne is of these decreases"
    Adjustment.objects.bulk_create(rows)
    result.state, result.entry_key = Found.POSTED, key_for(_reference(result))
    result.save(update_fields=["state", "entry_key"])

"""Forget a creator, and then a person: what goes from the registry, and what stays without a name.

Each deed here is one transaction, and said again changes nothing. Statements, contributions, leaves
of the log and receipts stay as they are: they name nobody but by ids. Before a creator is forgotten
its permissions are taken back, in statements of its own, since it can say nothing afterwards.
"""

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, Func, OuterRef, Q, QuerySet

from registry import collections, consent, decision_index, log, masks, signers
from registry.models import (
    ApiKey,
    Collection,
    Creator,
    DataExport,
    Erasure,
    IdempotentRequest,
    Identifier,
    Import,
    ImportRow,
    RightsShare,
    Signer,
    Statement,
    Terms,
    Upload,
    User,
    WebhookDelivery,
    WebhookEndpoint,
    Work,
    WorkFeatures,
    WorkReference,
)
from tribute.vocabulary import Decision, Purpose

NAMELESS = "erased"
"""What stands where a title or a name was."""
_USES = {Decision.ALLOW.value, Decision.LICENSE.value}


def disown(creator: Creator, *, at: datetime) -> None:
    """End every way to act for the creator, and what is on its way in."""
    with transaction.atomic():
        ApiKey.objects.filter(creator=creator).delete()
        # An archive of a member's holds what the creator has, too.
        theirs = Q(creator=creator) | Q(user__in=creator.members.all())
        DataExport.objects.filter(theirs).delete()
        ImportRow.objects.filter(works_import__creator=creator).delete()
        Import.objects.filter(creator=creator).delete()
        Upload.objects.filter(creator=creator).delete()
        pending = WebhookDelivery.objects.filter(endpoint__creator=creator, status="pending")
        pending.update(status=WebhookDelivery.Status.FAILED)
        WebhookEndpoint.objects.filter(creator=creator, disabled_at=None).update(
            disabled_at=at, disabled_reason=WebhookEndpoint.Reason.BY_OWNER
        )


def take_back(
    creator: Creator, *, refusals: str, clock: Callable[[], datetime], until: datetime
) -> bool:
    """Take the creator's permissions back, each at once; says whether none is left.

    What was announced as a denial for later is denied now. With refusals ``withdraw``, denials are
    taken back too. Grants that operators hold run on until they end.
    """
    with closing(_standing(creator, refusals, clock())) as todo:
        for last, decision in todo:
            if clock() >= until:
                return False
            subject = last.work or last.collection or last.creator
            assert subject is not None, "statement_has_exactly_one_subject"
            purpose = Purpose(last.purpose)
            consent.state(creator, subject, purpose=purpose, decision=decision, at=clock())
    return True


def end_proofs(creator: Creator, *, at: datetime) -> None:
    """End every proof of control: nobody looks again at places whose names are forgotten."""
    for signer in Signer.objects.filter(creator=creator, control_proven_at__isnull=False):
        signers.end(signer, at=at)
    for place in Collection.objects.filter(creator=creator, control_proven_at__isnull=False):
        collections.end(place, at=at)


@transaction.atomic
def forget_creator(creator: Creator, erasure: Erasure, *, at: datetime) -> None:
    """Shred the creator's key, and take out every name, title and address; the log says so.

    The row of the creator is locked as nothing else locks it: whoever writes about it meanwhile is
    waited for, and whoever comes after is refused by the database.
    """
    decision_index.lock_creator(creator.pk)
    locked = Creator.objects.select_for_update().get(pk=creator.pk)
    if locked.erased_at is not None:
        return
    kept = erasure.refusals == Erasure.Refusals.KEEP
    _unname(locked)
    if not kept:
        _unrecognise(locked, at)
    masks.mask_addresses(locked)
    locked.members.clear()
    log.append(
        {
            "t": "creator.erased",
            "creator": locked.pk,
            "erasure": erasure.pk,
            "refusals": "kept" if kept else "withdrawn",
        },
        at=at,
    )
    locked.handle = locked.display_name = f"{NAMELESS}-{locked.pk.partition('_')[2]}"
    locked.commitment_key, locked.erased_at = None, at
    locked.save()


@transaction.atomic
def disable_person(user: User) -> None:
    """Log a person out for good: no key of theirs works, and no password, from now on."""
    ApiKey.objects.filter(user=user).delete()
    DataExport.objects.filter(user=user).delete()
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])


def forget_person(user: User, erasure: Erasure, *, at: datetime) -> None:
    """Leave a row that says nothing but that somebody was here; call it in a transaction.

    What they did as an admin or reviewer stays on record under the row's id.
    """
    assert connection.in_atomic_block, "a person is forgotten in all tables at once"
    IdempotentRequest.objects.filter(caller=user.pk).delete()
    user.creators.clear()
    user.operators.clear()
    user.groups.clear()
    user.user_permissions.clear()
    log.append({"t": "person.erased", "erasure": erasure.pk}, at=at)
    user.name, user.language, user.last_login = "", "", None
    user.email = f"{user.pk.partition('_')[2]}@erased.invalid"
    user.is_active = user.is_staff = user.is_superuser = user.is_payout_admin = False
    user.set_unusable_password()
    user.erased_at = at
    user.save()


def works_of(creator: Creator) -> QuerySet[Work]:
    """Return the works that go with the creator: nobody else who is here has a confirmed part."""
    shares = RightsShare.objects.filter(work=OuterRef("pk"))
    others = shares.exclude(creator=creator).exclude(confirmed_at=None)
    return Work.objects.filter(
        Exists(shares.filter(creator=creator)), ~Exists(others.filter(creator__erased_at=None))
    )


def _standing(
    creator: Creator, refusals: str, at: datetime
) -> Generator[tuple[Statement, Decision], None, None]:
    """Yield the newest statement on each subject and purpose that has to change, and into what."""
    said = Statement.objects.filter(claimant=creator).order_by(
        "work", "collection", "creator", "purpose", "sequence"
    )
    with closing(_streamed(said.select_related("work", "collection", "creator"))) as rows:
        for _, each in itertools.groupby(rows, lambda row: (row.subject_id, row.purpose)):
            history = list(each)
            decision = _instead([row.decision for row in _live(history, at)], refusals)
            if decision is not None:
                yield history[-1], decision


def _streamed(said: QuerySet[Statement]) -> Generator[Statement, None, None]:
    yield from said.iterator(chunk_size=1_000)


def _live(said: Sequence[Statement], at: datetime) -> list[Statement]:
    """Return what is in effect now, or is going to be, of one claimant's words on one matter."""
    begun = [row for row in said if row.effective_from <= at]
    current = begun[-1:]
    last = current[0].sequence if current else 0
    return current + [row for row in said if row.effective_from > at and row.sequence > last]


def _instead(live: Sequence[str], refusals: str) -> Decision | None:
    if refusals == Erasure.Refusals.WITHDRAW:
        return Decision.UNKNOWN if set(live) - {Decision.UNKNOWN.value} else None
    if not _USES & set(live):
        return None
    return Decision.DENY if Decision.DENY.value in live else Decision.UNKNOWN


def _unname(creator: Creator) -> None:
    mine = works_of(creator).values("pk")
    WorkFeatures.objects.filter(work__in=mine).delete()
    WorkReference.objects.filter(Q(creator=creator) | Q(work__in=mine)).delete()
    ImportRow.objects.filter(work__in=mine).update(body=None, reason="")
    IdempotentRequest.objects.filter(caller=creator.pk).delete()
    Terms.objects.filter(creator=creator).update(uri="")
    signed = Signer.objects.filter(creator=creator).exclude(certificate_sha256=None)
    signed.update(subject=NAMELESS, issuer=NAMELESS, serial="0")
    WebhookEndpoint.objects.filter(creator=creator).update(url="https://erased.invalid/")
    works_of(creator).update(title=NAMELESS, status=Work.Status.WITHDRAWN)


def _unrecognise(creator: Creator, at: datetime) -> None:
    """Let nothing lead to the creator's works and places any more."""
    keys = decision_index.keys_of_creator(creator.pk)
    mine = works_of(creator)
    Identifier.objects.filter(work__in=mine.values("pk")).delete()
    mine.update(sha256=None, iscc=None, iscc_type=None, iscc_bits=None)
    places = Collection.objects.filter(creator=creator)
    places.update(key=Func(function="registry_random_key"))
    # What was said of the places is on record, under keys to which no address leads.
    decision_index.refresh(keys | {bytes(k) for k in places.values_list("key", flat=True)}, at=at)

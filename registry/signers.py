"""Signing certificates of creators: show control of one, again and again, and what that proves.

A creator signs a file with the certificate's key that carries our challenge in an assertion of its
own, which signing services for everybody do not write for a stranger; a title they would. A work
registered from a file that the certificate signed is then the creator's by proof, for as long as
control is: until the certificate ends or 60 days went by without its being shown anew.

To sign a file is not to have made what it shows: whoever claims the same content first is heard.
"""

import hmac
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from registry import creators, decision_index, letters, log, signed_files
from registry.collections import RECHECK_AFTER
from registry.errors import SignerNotShown, SignerRegistered, SignerShared
from registry.models import Creator, PastControl, Signer, WorkSignature
from registry.signed_files import Certificate, SignedFile

METHOD: Final = "c2pa"
REMIND_BEFORE: Final = timedelta(days=14)
"""How long before a proof ends its creator is told, once by mail, and on the pages until then."""
log_of_trouble = logging.getLogger(__name__)


@transaction.atomic
def begin(creator: Creator, *, at: datetime) -> Signer:
    """Begin to register a certificate; return the signer that waits for a file already, if one does."""
    decision_index.lock_creator(creator.pk)
    waiting = Signer.objects.filter(creator=creator, certificate_sha256=None).first()
    return waiting or Signer.objects.create(
        creator=creator, challenge_token=_new_token(), begun_at=at
    )


def challenge(signer: Signer) -> str:
    """Return what the assertion must say: bound to the creator's account, and good for one proof."""
    return f"{signer.challenge_token}.{creators.thumbprint(signer.creator)}"


def verify(signer: Signer, body: bytes, *, at: datetime) -> Signer:
    """Look at a file signed for the challenge; record the proof, log it, let what was allowed count.

    The bytes are not kept. Raises NotSigned; SignerNotShown for another challenge; SignerRegistered
    for another certificate than before, or one of another signer of this creator; SignerShared when
    another creator showed control of it, whose proof ends with that.
    """
    found = signed_files.read(body, at=at)
    rivals = _record(signer, found, at)
    signer.refresh_from_db()
    if rivals:
        raise SignerShared("another creator can sign with this certificate as well; use one alone")
    return signer


@transaction.atomic
def end(signer: Signer, *, at: datetime) -> Signer:
    """End a proof because the creator says so: a key was lost, or is used no more."""
    decision_index.lock_creator(signer.creator_id)
    locked = Signer.objects.select_for_update(no_key=True).get(pk=signer.pk)
    if locked.control_proven_at is not None:
        _end(locked, at)
    signer.refresh_from_db()
    return signer


def end_due(*, at: datetime, limit: int) -> int:
    """End up to ``limit`` proofs that were not shown anew in time; return how many."""
    due = Signer.objects.filter(recheck_at__lte=at).order_by("recheck_at", "pk")
    ended = 0
    for signer in due[:limit]:
        with transaction.atomic():
            decision_index.lock_creator(signer.creator_id)
            still = Signer.objects.filter(pk=signer.pk, recheck_at__lte=at)
            locked = still.select_for_update(no_key=True).first()
            if locked is not None:
                _end(locked, at)
                ended += 1
    return ended


def lapsing(creator: Creator, *, at: datetime) -> QuerySet[Signer]:
    """Return a creator's signers whose proof ends soon, the first first."""
    soon = Signer.objects.filter(creator=creator, recheck_at__lte=at + REMIND_BEFORE)
    return soon.order_by("recheck_at", "pk")


def remind_due(*, send: Callable[[str, str, list[str]], None], at: datetime, limit: int) -> int:
    """Tell up to ``limit`` creators that a proof is going to end, once each; return how many.

    send: takes a subject, a text and the addresses. Whom a mail does not reach is told again later.
    """
    soon = Signer.objects.filter(recheck_at__gt=at, recheck_at__lte=at + REMIND_BEFORE)
    due = soon.filter(reminded_at=None).order_by("recheck_at", "pk").select_related("creator")
    return sum(_remind(signer, send, at) for signer in due[:limit])


def mail(subject: str, text: str, people: list[str]) -> None:
    """Send a mail by the means that the settings name."""
    send_mail(subject, text, None, people)


def _remind(signer: Signer, send: Callable[[str, str, list[str]], None], at: datetime) -> bool:
    """Take the reminder, then send it; a worker that dies between leaves the notice on the pages."""
    assert signer.recheck_at is not None, "only a proof is reminded of"
    same = Signer.objects.filter(pk=signer.pk, recheck_at=signer.recheck_at)
    if not same.filter(reminded_at=None).update(reminded_at=at):
        return False
    people = signer.creator.members.order_by("pk")
    try:
        for letter in letters.for_each_language(people, partial(_reminder, signer)):
            send(*letter)
    except (OSError, SMTPException) as error:
        log_of_trouble.warning("the reminder of %s was not sent: %s", signer.pk, error)
        same.filter(reminded_at=at).update(reminded_at=None)
        return False
    return True


def _reminder(signer: Signer) -> tuple[str, str]:
    """Subject and text, in the language in force."""
    ends = signer.recheck_at == signer.valid_until
    url = f"{settings.PUBLIC_URL}/signers/" + ("" if ends else f"{signer.pk}/")
    until = _(
        "What you signed with the certificate “%(signer)s” counts as yours until %(day)s UTC."
    ) % {
        "signer": str(signer),
        "day": f"{signer.recheck_at:%Y-%m-%d %H:%M}",
    }
    after = _(
        "After that, what you allow for the works it signed counts no longer; what you deny still does."
    )
    what = (
        _(
            "The certificate itself ends then: register the next one beside it, and sign your files "
            "with that:"
        )
        if ends
        else _("Show the certificate again before: sign another file with the new challenge:")
    )
    subject = f"[Tribute] {_('A signing certificate is to be shown again')}"
    return subject, f"{until}\n{after}\n\n{what}\n{url}\n"


@transaction.atomic
def _record(signer: Signer, found: SignedFile, at: datetime) -> list[Signer]:
    """Record the proof, or end those of others who have shown control of the same certificate."""
    decision_index.lock_certificate(found.certificate.sha256)
    others = Signer.objects.filter(certificate_sha256=found.certificate.sha256)
    involved = {signer.creator_id, *others.values_list("creator", flat=True)}
    # Works being registered meanwhile wait or are waited for.
    for creator in sorted(involved):
        decision_index.lock_creator(creator)
    locked = Signer.objects.select_for_update(no_key=True).get(pk=signer.pk)
    _require_shown(locked, found)
    rivals = list(
        others.exclude(creator=locked.creator_id).select_for_update(no_key=True).order_by("pk")
    )
    for rival in rivals:
        if rival.control_proven_at is not None:
            _end(rival, at)
    locked.challenge_token = _new_token()
    if rivals:
        locked.save(update_fields=["challenge_token"])
    else:
        _prove(locked, found, at)
    return rivals


def _require_shown(locked: Signer, found: SignedFile) -> None:
    """Raise SignerNotShown or SignerRegistered unless a file shows control of this signer."""
    wanted = challenge(locked).encode()
    if not any(hmac.compare_digest(text.encode(), wanted) for text in found.challenges):
        instead = "another challenge" if found.challenges else "none"
        raise SignerNotShown(f"the file's manifest carries {instead}")
    known = locked.certificate_sha256
    if known is not None and bytes(known) != found.certificate.sha256:
        raise SignerRegistered("the file is signed with another certificate than this signer's")
    same = Signer.objects.filter(
        creator=locked.creator_id, certificate_sha256=found.certificate.sha256
    ).exclude(pk=locked.pk)
    if (other := same.first()) is not None:
        raise SignerRegistered(f"this certificate is that of {other.pk}")


def _prove(locked: Signer, found: SignedFile, at: datetime) -> None:
    _describe(locked, found.certificate)
    locked.control_proven_at = locked.control_proven_at or at
    locked.evidence_sha256 = found.evidence
    locked.recheck_at = min(at + RECHECK_AFTER, found.certificate.valid_until)
    locked.reminded_at = None
    locked.save()
    log.append(
        {
            "t": "control.proven",
            "signer": locked.pk,
            "method": METHOD,
            "evidence": found.evidence.hex(),
            "subj": creators.commitment(locked.creator),
        },
        at=at,
    )
    decision_index.refresh(_keys(locked), at=at)


def _describe(locked: Signer, certificate: Certificate) -> None:
    locked.certificate_sha256 = certificate.sha256
    locked.subject, locked.issuer = certificate.subject, certificate.issuer
    locked.serial, locked.valid_until = certificate.serial, certificate.valid_until


def _end(locked: Signer, at: datetime) -> None:
    """End a proof: what was allowed counts no more from ``at`` on, and did until then."""
    assert locked.control_proven_at is not None, "only a proof can end"
    assert locked.evidence_sha256 is not None, "signer_proof_is_whole"
    # Two web servers' clocks differ, and who asked first may be heard last.
    at = max(at, locked.control_proven_at + datetime.resolution)
    PastControl.objects.create(
        signer=locked,
        method=METHOD,
        evidence_sha256=locked.evidence_sha256,
        proven_at=locked.control_proven_at,
        ended_at=at,
    )
    log.append({"t": "control.ended", "signer": locked.pk, "method": METHOD}, at=at)
    locked.control_proven_at = locked.evidence_sha256 = locked.recheck_at = None
    locked.reminded_at = None
    locked.save()
    decision_index.refresh(_keys(locked), at=at)


def _keys(locked: Signer) -> set[bytes]:
    """Return every key of the creator's works whose file this certificate signed."""
    signed = WorkSignature.objects.filter(
        certificate_sha256=locked.certificate_sha256, work__shares__creator=locked.creator_id
    )
    return decision_index.keys_of_claims(signed.values_list("work_id", flat=True))


def _new_token() -> str:
    return secrets.token_urlsafe(32)

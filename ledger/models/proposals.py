"""What one admin proposes about money, and whether a second one confirmed it."""

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ledger.vocabulary import ProposalStatus, Proposed
from registry.ids import TypedIdField

_OPEN, _CONFIRMED = ProposalStatus.OPEN.value, ProposalStatus.CONFIRMED.value


class Proposal(models.Model):
    """A deed about money that one admin proposes and another confirms, exactly as it stands.

    ``lines`` says in JSON what will be moved, ``lines_digest`` is its SHA-256 (a CHECK of the
    database's, too). Nothing of it changes but once what was decided. Guarded by trigger.
    """

    id = TypedIdField(prefix="prp", primary_key=True)
    deed = models.CharField(max_length=20, choices=[(word.value, word.value) for word in Proposed])
    subject = models.CharField(max_length=80)
    reason = models.CharField(max_length=500)
    lines = models.TextField()
    lines_digest = models.BinaryField(max_length=32)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    status = models.CharField(
        max_length=10,
        choices=[(word.value, word.value) for word in ProposalStatus],
        default=_OPEN,
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    factor = models.CharField(max_length=20, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="proposal_one_open_per_subject",
                fields=["subject"],
                condition=Q(status=_OPEN),
            ),
            CheckConstraint(
                name="proposal_proposer_does_not_confirm",
                condition=~Q(status=_CONFIRMED) | ~Q(decided_by=F("proposed_by")),
            ),
            CheckConstraint(
                name="proposal_is_confirmed_with_a_factor",
                condition=~Q(status=_CONFIRMED) | ~Q(factor=""),
            ),
            CheckConstraint(
                name="proposal_decided_says_by_whom_and_when",
                condition=Q(status=_OPEN, decided_by=None, decided_at=None)
                | (~Q(status=_OPEN) & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
            CheckConstraint(name="proposal_says_why", condition=~Q(reason="")),
        ]
        indexes = [models.Index(name="proposal_of_subject", fields=["subject", "-proposed_at"])]

    def __str__(self) -> str:
        return f"{self.deed} {self.subject} {self.status}"

    @property
    def digest(self) -> str:
        """The digest of the lines, for people to compare."""
        return bytes(self.lines_digest).hex()

    @property
    def told(self) -> dict[str, Any]:
        """The lines, read."""
        read: dict[str, Any] = json.loads(self.lines)
        return read

    @property
    def is_open(self) -> bool:
        """Whether it waits for a second admin."""
        return self.status == _OPEN

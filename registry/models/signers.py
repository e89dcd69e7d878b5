"""Certificates that creators sign their files with, and which files were."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator
from registry.models.works import Work


class Signer(models.Model):
    """A signing certificate of a creator; without one yet while the first signed file is awaited."""

    id = TypedIdField(prefix="sgn", primary_key=True)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="signers")
    # New after each proof, so that no signed file shows anything twice.
    challenge_token = models.CharField(max_length=43, unique=True)
    begun_at = models.DateTimeField(editable=False)
    certificate_sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    # As the certificate says; nobody has checked the names.
    subject = models.CharField(max_length=200, blank=True)
    issuer = models.CharField(max_length=200, blank=True)
    serial = models.CharField(max_length=40, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    control_proven_at = models.DateTimeField(null=True, blank=True)
    evidence_sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    # Until when the proof holds, unless it is shown anew.
    recheck_at = models.DateTimeField(null=True, blank=True)
    # When the creator was told that this proof is going to end.
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="signer_once_per_creator", fields=["creator", "certificate_sha256"]
            ),
            UniqueConstraint(
                name="one_signer_of_a_creator_waits",
                fields=["creator"],
                condition=Q(certificate_sha256=None),
            ),
            UniqueConstraint(
                name="certificate_is_proven_by_one_creator",
                fields=["certificate_sha256"],
                condition=Q(control_proven_at__isnull=False),
            ),
            CheckConstraint(
                name="signer_certificate_is_whole",
                condition=Q(certificate_sha256=None, valid_until=None, serial="")
                | Q(certificate_sha256__isnull=False, valid_until__isnull=False) & ~Q(serial=""),
            ),
            CheckConstraint(
                name="signer_proof_is_whole",
                condition=Q(control_proven_at=None, evidence_sha256=None, recheck_at=None)
                | Q(
                    control_proven_at__isnull=False,
                    evidence_sha256__isnull=False,
                    recheck_at__isnull=False,
                    certificate_sha256__isnull=False,
                ),
            ),
            CheckConstraint(
                name="signer_reminder_is_of_a_proof",
                condition=Q(reminded_at=None) | Q(control_proven_at__isnull=False),
            ),
            CheckConstraint(
                name="signer_proof_ends_with_its_certificate",
                condition=Q(recheck_at=None) | Q(recheck_at__lte=F("valid_until")),
            ),
        ]
        indexes = [
            models.Index(fields=["certificate_sha256"], name="signer_certificate"),
            models.Index(fields=["recheck_at"], name="signer_recheck_at"),
        ]

    def __str__(self) -> str:
        return self.subject or self.pk


class WorkSignature(models.Model):
    """A work was registered from a file that this certificate signed. Append-only."""

    work = models.OneToOneField(Work, models.PROTECT, primary_key=True, related_name="signature")
    certificate_sha256 = models.BinaryField(max_length=32)
    # Of the signature in the file, which names the bytes it is over.
    evidence_sha256 = models.BinaryField(max_length=32)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["certificate_sha256"], name="work_signature_certificate"),
        ]

    def __str__(self) -> str:
        return f"{self.work_id} signed by {bytes(self.certificate_sha256).hex()[:16]}"

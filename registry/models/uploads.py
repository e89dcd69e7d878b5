"""Files on their way in, piece by piece, so that an interrupted upload goes on where it stopped."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, Operator


class Upload(models.Model):
    """A file that a creator or an operator sends; its bytes are removed once they were read."""

    id = TypedIdField(prefix="upl", primary_key=True)
    creator = models.ForeignKey(Creator, models.CASCADE, null=True, related_name="uploads")
    operator = models.ForeignKey(Operator, models.CASCADE, null=True, related_name="uploads")
    # Bytes in all; not known yet: NULL.
    size = models.BigIntegerField(null=True)
    received = models.BigIntegerField(default=0)
    # What the sender says the whole hashes to.
    sha256 = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField()
    # When the last byte came, or for a file of no bytes the file itself.
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="upload_has_exactly_one_owner",
                condition=Q(creator__isnull=False, operator=None)
                | Q(creator=None, operator__isnull=False),
            ),
            CheckConstraint(
                name="upload_receives_no_more_than_its_size",
                condition=Q(received__gte=0) & (Q(size=None) | Q(received__lte=F("size"))),
            ),
            CheckConstraint(
                name="upload_is_complete_when_all_was_received",
                condition=Q(completed_at=None) | Q(size=F("received")),
            ),
        ]

    def __str__(self) -> str:
        return self.id


class UploadPart(models.Model):
    """Consecutive bytes of an upload."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts", db_index=False)
    start = models.BigIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            UniqueConstraint(name="upload_part_starts_once", fields=["upload", "start"]),
        ]

    def __str__(self) -> str:
        return f"from {self.start}"

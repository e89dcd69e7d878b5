"""Published snapshots, and which keys changed since: the database's side of the offline copy."""

from django.db import models
from django.db.models import CheckConstraint, Q


class SnapshotRelease(models.Model):
    """One published snapshot: its signed manifest, byte for byte."""

    seq = models.BigIntegerField(primary_key=True)
    # base: everything; delta: what changed since the release before.
    kind = models.CharField(max_length=5, choices=[("base", "base"), ("delta", "delta")])
    manifest = models.BinaryField()
    sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # It lists every key that leads somewhere. Earlier ones left out works about which nothing is
    # said, and web processes do not answer from those.
    complete = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            CheckConstraint(
                name="snapshot_release_kind_is_known", condition=Q(kind__in=["base", "delta"])
            ),
            CheckConstraint(
                name="snapshot_release_expires_after_it_is_made",
                condition=Q(expires_at__gt=models.F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.seq}"


class SnapshotChange(models.Model):
    """A key whose decisions changed. Written by a trigger, in the transaction of the change."""

    id = models.BigAutoField(primary_key=True)
    key = models.BinaryField(max_length=32)
    # The first release that takes the change into account; none yet: NULL.
    seq = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["seq"], name="snapshot_change_seq")]

    def __str__(self) -> str:
        return bytes(self.key).hex()

"""The way into the transparency log: leaves waiting, and the places they were given."""

from django.db import models
from django.db.models import CheckConstraint, Q


class LogOutbox(models.Model):
    """A leaf, written in the transaction of what it records. Append-only."""

    id = models.BigAutoField(primary_key=True)
    leaf = models.BinaryField(max_length=4096)
    leaf_hash = models.BinaryField(max_length=32, unique=True)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "log outbox"

    def __str__(self) -> str:
        return bytes(self.leaf_hash).hex()


class LogEntry(models.Model):
    """The place of a leaf in the tree: 0, 1, 2 … without a gap. Append-only."""

    index = models.BigIntegerField(primary_key=True)
    leaf = models.OneToOneField(LogOutbox, models.PROTECT, related_name="entry")

    class Meta:
        verbose_name_plural = "log entries"
        constraints = [
            CheckConstraint(name="log_index_begins_at_zero", condition=Q(index__gte=0)),
        ]

    def __str__(self) -> str:
        return str(self.index)

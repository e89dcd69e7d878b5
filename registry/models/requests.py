"""Requests that must not happen twice."""

from django.db import models
from django.db.models import UniqueConstraint


class IdempotentRequest(models.Model):
    """One request under an Idempotency-Key, and its answer once there is one."""

    caller = models.CharField(max_length=40)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    opened_at = models.DateTimeField()
    status = models.SmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="idempotent_request_once_per_caller_route_and_key",
                fields=["caller", "route", "key"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"

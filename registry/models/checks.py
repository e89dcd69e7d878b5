"""Consent questions that were asked, kept so that their receipts outlive the answer."""

from functools import cached_property
from typing import Any

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q

from registry import kept_answers
from registry.ids import TypedIdField
from registry.kept_answers import Answered
from registry.models.people import Operator


class Check(models.Model):
    """One consent question about up to 10,000 items, with its answers."""

    id = TypedIdField(prefix="chk", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="checks")
    purposes = ArrayField(models.CharField(max_length=12))
    asked_at = models.DateTimeField()
    # The instant asked about; the same as asked_at unless the past was asked.
    as_of = models.DateTimeField()
    items_count = models.IntegerField()
    request_digest = models.BinaryField(max_length=32)
    answers_root = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=32)
    # As ``registry.kept_answers`` writes them: the items as they were sent, and their answers.
    answers = models.BinaryField()
    # How many leaves the log had when the question was answered.
    log_size = models.BigIntegerField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            CheckConstraint(
                name="check_has_1_to_10000_items",
                condition=Q(items_count__gte=1, items_count__lte=10_000),
            ),
            CheckConstraint(
                name="check_is_not_about_the_future", condition=Q(as_of__lte=models.F("asked_at"))
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @cached_property
    def answered(self) -> Answered:
        """The items and their answers, by the column."""
        return kept_answers.unpack(bytes(self.answers))

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """``{"item": as it was sent, "answer": …}`` for each item, in order."""
        return [orjson.loads(line) for line in self.answered.lines.to_pylist()]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The answers alone, in order: ``id``, ``decisions`` by purpose, perhaps ``error``."""
        return [row["answer"] for row in self.rows]

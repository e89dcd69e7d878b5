"""The books as PostgreSQL keeps them; six tables made by ``migrations/0001_initial.sql``.

Django only mirrors them. The application may read all six and INSERT accounts, entries and refusals. Everything
else follows by trigger, and nothing is ever changed or removed.
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce

from ledger.fields import CurrencyField
from ledger.money import Money
from ledger.vocabulary import AccountKind, EntryKind, RefusalReason

POSITION_BITS = 20
"""An entry's id is its batch's id shifted by this, plus its position in the batch."""


class Account(models.Model):
    """A named place for money of one currency. Its limits never change."""

    id = models.IntegerField(primary_key=True)
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name) for kind in AccountKind])
    operator = models.ForeignKey("registry.Operator", models.PROTECT, null=True, related_name="+")
    creator = models.ForeignKey("registry.Creator", models.PROTECT, null=True, related_name="+")
    owner = models.GeneratedField(
        expression=Coalesce("operator_id", "creator_id", models.Value(UUID(int=0))),
        output_field=models.UUIDField(),
        db_persist=True,
    )
    currency = CurrencyField()
    min_balance_micros = models.BigIntegerField(null=True)
    max_balance_micros = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_account"

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The account's name: ``creator:cre_…:pending:EUR``, ``platform:fee:EUR``."""
        kind = AccountKind(self.kind)
        owner = self.operator_id or self.creator_id
        parts = [kind.holder, owner, kind.word, self.currency]
        return ":".join(part for part in parts if part)


class Balance(models.Model):
    """What an account holds now: the sum of all its legs, kept by trigger."""

    account = models.OneToOneField(
        Account, models.PROTECT, primary_key=True, related_name="balance"
    )
    currency = CurrencyField()
    balance_micros = models.BigIntegerField()
    legs_count = models.BigIntegerField()
    last_batch = models.BigIntegerField()
    min_balance_micros = models.BigIntegerField(null=True)
    max_balance_micros = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_balance"

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        """The balance with its currency."""
        return Money(self.balance_micros, self.currency)


class Entry(models.Model):
    """A complete double entry in one immutable row.

    ``accounts[i]`` is credited ``amounts[i]`` micros (debited when negative); they add up to
    zero. ``effective_at`` is when it happened, the batch's ``posted_at`` when it was recorded.
    """

    id = models.BigIntegerField(primary_key=True)
    key = models.UUIDField(unique=True)
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name) for kind in EntryKind])
    currency = CurrencyField()
    accounts = ArrayField(models.IntegerField())
    amounts = ArrayField(models.BigIntegerField())
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, db_column="reverses", related_name="reversed_by"
    )
    effective_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_entry"

    def __str__(self) -> str:
        return f"{EntryKind(self.kind).name.lower()} {self.key}"

    @property
    def batch_id(self) -> int:
        """The ``batch_id`` of the batch it was posted in."""
        return self.id >> POSITION_BITS


class Refusal(models.Model):
    """A key that was not funded and never will be: a retry hears the same answer."""

    key = models.UUIDField(primary_key=True)
    draft_digest = models.BinaryField(max_length=32)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    reason = models.SmallIntegerField(choices=[(r.value, r.name) for r in RefusalReason])
    refused_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_refusal"

    def __str__(self) -> str:
        return f"{self.key} {RefusalReason(self.reason).name.lower()}"


class Batch(models.Model):
    """What one statement posted, sealed and chained to the batch before."""

    seq = models.BigIntegerField(primary_key=True)
    batch_id = models.BigIntegerField(unique=True)
    entries_count = models.IntegerField()
    legs_count = models.IntegerField()
    volume_micros = models.DecimalField(max_digits=40, decimal_places=0)
    content_hash = models.BinaryField(max_length=32)
    accounts_hash = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    posted_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_batch"

    def __str__(self) -> str:
        return f"batch {self.seq}"


class Line(models.Model):
    """What one batch did to one account, with the balance after it."""

    pk = models.CompositePrimaryKey("account_id", "batch_id")
    account = models.ForeignKey(Account, models.PROTECT, related_name="lines")
    batch = models.ForeignKey(Batch, models.PROTECT, db_column="batch", related_name="lines")
    legs_count = models.IntegerField()
    currency = CurrencyField()
    debit_micros = models.BigIntegerField()
    credit_micros = models.BigIntegerField()
    balance_micros = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "ledger_line"

    def __str__(self) -> str:
        net = Money(self.credit_micros - self.debit_micros, self.currency)
        return f"{self.account_id}@{self.batch_id} {net}"


class PublishedHead(models.Model):
    """A batch whose hash stands in the public transparency log; append-only, by trigger."""

    seq = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    leaf_hash = models.BinaryField(max_length=32)
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = "published head"

    def __str__(self) -> str:
        return f"batch {self.seq} {bytes(self.hash).hex()[:16]}"


class AuditMark(models.Model):
    """Up to this batch, with this hash, a whole audit found the books sound; append-only."""

    seq = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    audited_at = models.DateTimeField()

    class Meta:
        verbose_name = "audit mark"

    def __str__(self) -> str:
        return f"sound up to batch {self.seq}"

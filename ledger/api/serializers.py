"""The form of what the ledger's API reads and prints. What is allowed is the domain's to say."""

from typing import Any

from rest_framework import serializers

from ledger import currencies
from ledger.missed_events import Report
from ledger.models import Payout, PayoutBatch, Proposal, Reconciliation, TopUp
from ledger.money import MAX_MICROS, Money
from ledger.proposed_deeds import Asked
from ledger.vocabulary import AccountKind, BatchStatus, PayoutStatus, ProposalStatus, Proposed
from registry.api.fields import FlagField, TextField, WholeNumberField
from registry.api.serializers import StrictSerializer

CURRENCIES = [(code, code) for code in currencies.CODES]
BATCH_STATUSES = [(word.value, word.value) for word in BatchStatus]


class MoneySerializer(serializers.Serializer[Money]):
    """An amount: whole micros, 10^-6 of the currency's major unit."""

    amount_micros = serializers.IntegerField(source="micros")
    currency = serializers.ChoiceField(choices=CURRENCIES)


# Operators --------------------------------------------------------------------------------------


class NewAmountSerializer(StrictSerializer):
    """An amount above zero."""

    amount_micros = WholeNumberField(min_value=1, max_value=MAX_MICROS)
    currency = serializers.ChoiceField(choices=CURRENCIES)


class NewTopUpSerializer(StrictSerializer):
    """A payment to begin."""

    amount = NewAmountSerializer()
    return_url = serializers.URLField(
        max_length=1_000,
        required=False,
        help_text="Where the provider sends the browser afterwards.",
    )


class BalanceSerializer(serializers.Serializer[Any]):
    """What is left of what was paid in, one row a currency."""

    balances = MoneySerializer(many=True, help_text="What new queries can spend.")
    reserved = MoneySerializer(
        many=True, help_text="What is kept aside for queries that are not settled yet."
    )


class TopUpSerializer(serializers.ModelSerializer[TopUp]):
    """A payment, and where to make it while it is open."""

    id = serializers.CharField()
    amount = MoneySerializer()
    settled = serializers.SerializerMethodField(help_text="What really came, once it is paid.")

    class Meta:
        model = TopUp
        fields = ["id", "amount", "status", "url", "settled", "created_at", "paid_at"]

    def get_settled(self, topup: TopUp) -> dict[str, int | str] | None:
        """Print the amount, if it is known."""
        if topup.settled_micros is None:
            return None
        return {"amount_micros": topup.settled_micros, "currency": topup.currency}


# Creators ---------------------------------------------------------------------------------------


class EarningsSerializer(serializers.Serializer[Any]):
    """Earnings in one currency, by where they are; `earned` is the sum of the rest."""

    earned = MoneySerializer()
    pending = MoneySerializer(help_text="Inside the holding period.")
    available = MoneySerializer(help_text="Goes into the next payout, once it is enough.")
    disputed = MoneySerializer(help_text="Set aside while a claim is contested.")
    reserved = MoneySerializer(help_text="Held until something is settled.")
    in_payout = MoneySerializer(help_text="In an approved payout, not sent yet.")
    debt = MoneySerializer(
        help_text="Zero or less: what payers took back after it had become available. Future "
        "earnings pay it first."
    )
    paid = MoneySerializer()


class AllEarningsSerializer(serializers.Serializer[Any]):
    """Earnings, one row a currency."""

    earnings = EarningsSerializer(many=True)


class PayeeSerializer(serializers.Serializer[Any]):
    """Whether the creator can be paid, and what the provider still asks for."""

    gateway = serializers.CharField()
    can_receive = serializers.BooleanField()
    requirements = serializers.ListField(child=serializers.CharField())
    refreshed_at = serializers.DateTimeField()


# Payout admins ----------------------------------------------------------------------------------


class NewPayoutBatchSerializer(StrictSerializer):
    """The currency to draw a batch up in."""

    currency = TextField(min_length=3, max_length=3)


class ReasonSerializer(StrictSerializer):
    """Why somebody decides by hand."""

    reason = TextField(min_length=1, max_length=120)


class DifferenceSerializer(ReasonSerializer):
    """How a difference is settled."""

    send_again = serializers.BooleanField(
        help_text="Send the payout anew, or else call it off and give its money back."
    )


class StuckSerializer(serializers.Serializer[Any]):
    """Something that has waited too long."""

    kind = serializers.ChoiceField(
        choices=[(word, word) for word in ("payout", "batch", "event", "topup")]
    )
    id = serializers.CharField()
    state = serializers.CharField()
    trouble = serializers.CharField()
    since = serializers.DateTimeField()
    action = serializers.CharField(help_text="What resolves it, for a person.")


class AllStuckSerializer(serializers.Serializer[Any]):
    """Everything that has waited too long, the oldest first."""

    items = StuckSerializer(many=True)


class StuckSinceSerializer(StrictSerializer):
    """For how long."""

    hours = serializers.IntegerField(min_value=0, max_value=8_760, default=24)


class PaymentFileNumberSerializer(serializers.Serializer[object]):
    """Which of a batch's payment files."""

    number = serializers.IntegerField(min_value=1, max_value=32_767, required=False)


class PayoutSerializer(serializers.ModelSerializer[Payout]):
    """What one creator is paid."""

    id = serializers.CharField()
    creator = serializers.CharField(source="creator_id")
    amount = MoneySerializer()
    status = serializers.ChoiceField(choices=[(word.value, word.value) for word in PayoutStatus])

    class Meta:
        model = Payout
        fields = ["id", "creator", "amount", "status", "trouble"]


class PayoutBatchSerializer(serializers.ModelSerializer[PayoutBatch]):
    """A batch, and who did what to it."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=BATCH_STATUSES)
    prepared_by = serializers.CharField(source="prepared_by_id")
    submitted_by = serializers.CharField(source="submitted_by_id", allow_null=True)
    approved_by = serializers.CharField(source="approved_by_id", allow_null=True)
    canceled_by = serializers.CharField(source="canceled_by_id", allow_null=True)
    currency = serializers.CharField()
    lines_digest = serializers.SerializerMethodField(
        help_text="SHA-256 of the lines that an approval is for."
    )
    waits_for = serializers.CharField(help_text="`funds`, `lines_changed`, or nothing.")

    class Meta:
        model = PayoutBatch
        fields = [
            "id",
            "currency",
            "status",
            "waits_for",
            "prepared_by",
            "prepared_at",
            "submitted_by",
            "submitted_at",
            "lines_digest",
            "approved_by",
            "approved_at",
            "canceled_by",
            "closed_at",
        ]

    def get_lines_digest(self, batch: PayoutBatch) -> str | None:
        """Print the digest, once the batch is submitted."""
        return None if batch.lines_digest is None else bytes(batch.lines_digest).hex()


class PayoutBatchWithLinesSerializer(PayoutBatchSerializer):
    """A batch with every payout in it."""

    payouts = PayoutSerializer(many=True)

    class Meta(PayoutBatchSerializer.Meta):
        fields = [*PayoutBatchSerializer.Meta.fields, "payouts"]


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    """One comparison of the books with the provider, in micros."""

    currency = serializers.CharField()
    agrees = serializers.BooleanField()

    class Meta:
        model = Reconciliation
        fields = [
            "gateway",
            "currency",
            "ledger_micros",
            "provider_micros",
            "balance_micros",
            "agrees",
            "compared_at",
        ]


class MissedEventsSerializer(serializers.Serializer[Report]):
    """Events that were found in the provider's list since no webhook told them."""

    total = serializers.IntegerField()
    by_type = serializers.SerializerMethodField(help_text="How many of each type.")
    listed_until = serializers.DateTimeField(
        allow_null=True, help_text="How far the platform's own list was read."
    )
    accounts = serializers.IntegerField(help_text="Of how many payees the lists are read.")
    late = serializers.IntegerField(help_text="How many of them were not read for a week.")
    troubled = serializers.IntegerField(help_text="How many the provider would not show.")

    def get_by_type(self, report: Report) -> dict[str, int]:
        """Print the counts by type."""
        return dict(report.fetched)


# What takes two --------------------------------------------------------------------------------

PROPOSED_HERE = (
    Proposed.ADJUST,
    Proposed.TAKE_BACK,
    Proposed.RELEASE_ASIDE,
    Proposed.REASSIGN_ASIDE,
)
ASIDE_KINDS = {
    "disputed": AccountKind.CREATOR_DISPUTED,
    "unclaimed": AccountKind.UNCLAIMED,
}


class NewProposalSerializer(StrictSerializer):
    """What shall be proposed."""

    deed = serializers.ChoiceField(choices=[(word.value, word.value) for word in PROPOSED_HERE])
    subject = TextField(
        max_length=80,
        help_text="A comparison's number, a payout's id, or the id of what money waits for.",
    )
    reason = TextField(min_length=1, max_length=500)
    kind = serializers.ChoiceField(
        choices=[(word, word) for word in ASIDE_KINDS],
        default="disputed",
        help_text="Of money set aside: where it waits.",
    )
    to = TextField(
        required=False,
        max_length=40,
        help_text="Of money set aside: the creator who shall get it all.",
    )
    dry_run = FlagField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for a receiver just where there is one."""
        if (attrs["deed"] == Proposed.REASSIGN_ASIDE) != bool(attrs.get("to")):
            raise serializers.ValidationError({"to": ["For reassign_aside, and for that alone."]})
        return attrs

    def asked(self) -> Asked:
        """What was asked for, once it is valid."""
        read = self.validated_data
        return Asked(
            deed=Proposed(read["deed"]),
            subject=read["subject"],
            kind=ASIDE_KINDS[read["kind"]],
            to=read.get("to", ""),
        )


class ProposalsAskedSerializer(serializers.Serializer[Any]):
    """Which proposals to list."""

    status = serializers.ChoiceField(
        choices=[(word.value, word.value) for word in ProposalStatus], required=False
    )


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    """What one admin proposed about money, and what a second one did with it."""

    id = serializers.CharField(allow_null=True)
    lines = serializers.JSONField(source="told", help_text="What is to be done, exactly.")
    digest = serializers.CharField(help_text="SHA-256 of the lines as they are kept.")
    proposed_by = serializers.CharField(source="proposed_by_id")
    decided_by = serializers.CharField(source="decided_by_id", allow_null=True)

    class Meta:
        model = Proposal
        fields = [
            "id",
            "deed",
            "subject",
            "reason",
            "lines",
            "digest",
            "status",
            "proposed_by",
            "proposed_at",
            "decided_by",
            "decided_at",
            "factor",
            "answer",
        ]

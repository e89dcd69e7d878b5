"""The form of what operators send and read: the licences they accept, the revocations."""

from rest_framework import serializers

from registry.api.fields import InstantField, TextField
from registry.api.serializers import PURPOSE_CHOICES, StrictSerializer
from registry.models import Grant, RevocationNotice


class NewGrantSerializer(StrictSerializer):
    """Terms to accept, for one subject and purpose."""

    terms = TextField(max_length=40, help_text="As a check answers them with `license`.")
    subject = TextField(max_length=40, help_text="The work, collection or creator they are for.")
    purpose = serializers.ChoiceField(choices=PURPOSE_CHOICES)
    effective_until = InstantField(required=False, help_text="Without end unless given.")


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """Accepted terms, and while they hold."""

    id = serializers.CharField()
    terms = serializers.CharField(source="terms_id")
    subject = serializers.CharField(source="subject_id")

    class Meta:
        model = Grant
        fields = [
            "id",
            "terms",
            "subject",
            "purpose",
            "effective_from",
            "effective_until",
            "recorded_at",
        ]


class RevocationSerializer(serializers.ModelSerializer[RevocationNotice]):
    """A work that may no longer be used, and by when to take note of it."""

    id = serializers.CharField()
    work = serializers.CharField(source="work_id")
    manifest = serializers.CharField(source="manifest_id")
    statement = serializers.CharField(source="statement_id", allow_null=True)
    acknowledged_at = serializers.DateTimeField(
        source="acknowledgement.acknowledged_at", default=None, allow_null=True
    )
    operator = serializers.CharField(source="operator_id")
    overdue_at = serializers.DateTimeField(
        source="lapse.recorded_at",
        default=None,
        allow_null=True,
        help_text="When it was recorded that the deadline had passed without acknowledgement.",
    )

    class Meta:
        model = RevocationNotice
        fields = [
            "id",
            "operator",
            "work",
            "manifest",
            "purpose",
            "decision",
            "statement",
            "noticed_at",
            "acknowledge_by",
            "overdue_at",
            "acknowledged_at",
        ]

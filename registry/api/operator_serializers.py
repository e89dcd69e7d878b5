"""The form of what operators send and read: the licences they accept."""

from rest_framework import serializers

from registry.api.fields import InstantField, TextField
from registry.api.serializers import PURPOSE_CHOICES, StrictSerializer
from registry.models import Grant


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

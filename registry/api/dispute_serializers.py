"""The form of claim conflicts, of what their parties say, and of how they are decided."""

from typing import Any

from rest_framework import serializers

from registry.api.serializers import StrictSerializer, chosen
from registry.models import ClaimConflict, DisputeEvent

REASON_CHOICES = chosen(DisputeEvent.Reason)
OUTCOME_CHOICES = chosen(ClaimConflict.Outcome)


class NewAnswerSerializer(StrictSerializer):
    """What a party says for its side."""

    reason = serializers.ChoiceField(choices=REASON_CHOICES)


class NewDecisionSerializer(StrictSerializer):
    """What was found."""

    outcome = serializers.ChoiceField(
        choices=OUTCOME_CHOICES,
        help_text="`work_upheld`: the work's claim stands and the other's ends; `other_upheld`: "
        "the reverse; `distinct`: both stand.",
    )


class SideSerializer(serializers.Serializer[Any]):
    """One of the two works."""

    id = serializers.CharField()
    title = serializers.CharField()
    registered_by = serializers.CharField(source="registered_by_id")
    registered_at = serializers.DateTimeField()


class DisputeEventSerializer(serializers.Serializer[Any]):
    """One step."""

    event = serializers.ChoiceField(source="kind", choices=chosen(DisputeEvent.Kind))
    creator = serializers.CharField(source="creator_id", allow_null=True)
    work = serializers.CharField(source="work_id", allow_null=True)
    reason = serializers.ChoiceField(choices=REASON_CHOICES, allow_blank=True)
    outcome = serializers.ChoiceField(choices=OUTCOME_CHOICES, allow_blank=True)
    recorded_at = serializers.DateTimeField()


class DisputeSerializer(serializers.ModelSerializer[ClaimConflict]):
    """Two claims on one thing, and what happened since."""

    id = serializers.CharField()
    work = SideSerializer(help_text="The later registration.")
    other = SideSerializer(help_text="The earlier one.")
    outcome = serializers.ChoiceField(choices=OUTCOME_CHOICES, allow_blank=True)
    timeline = DisputeEventSerializer(many=True, source="events")

    class Meta:
        model = ClaimConflict
        fields = [
            "id",
            "kind",
            "distance_ppm",
            "work",
            "other",
            "opened_at",
            "resolved_at",
            "outcome",
            "timeline",
        ]

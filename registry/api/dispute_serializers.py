"""The form of claim conflicts, clusters and matches: what is said of them, and what is found."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry.api.fields import TextField
from registry.api.serializers import StrictSerializer, chosen
from registry.clusters import MERGE_REASONS, MOST_WORKS, SEPARATE_REASONS
from registry.models import (
    ClaimConflict,
    Cluster,
    ClusterEvent,
    ClusterMember,
    DisputeEvent,
    MatchAppeal,
)

REASON_CHOICES = chosen(DisputeEvent.Reason)
GROUND_CHOICES = chosen(DisputeEvent.Ground)
OUTCOME_CHOICES = chosen(ClaimConflict.Outcome)
MATCH_REASON_CHOICES = chosen(MatchAppeal.Reason)


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


class NewAppealSerializer(StrictSerializer):
    """Why a party wants another person to look."""

    reason = serializers.ChoiceField(choices=GROUND_CHOICES)


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
    reason = serializers.ChoiceField(choices=REASON_CHOICES + GROUND_CHOICES, allow_blank=True)
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
            "claimed_at",
            "admitted_at",
            "resolved_at",
            "outcome",
            "appealed_at",
            "reviewed_at",
            "timeline",
        ]


class ClusterMemberSerializer(serializers.Serializer[Any]):
    """A work in a cluster."""

    work = SideSerializer()
    state = serializers.ChoiceField(choices=chosen(ClusterMember.State))
    near_to = serializers.CharField(source="near_to_id", allow_null=True)
    distance_ppm = serializers.IntegerField()
    added_at = serializers.DateTimeField()


class ClusterEventSerializer(serializers.Serializer[Any]):
    """One step."""

    event = serializers.ChoiceField(source="kind", choices=chosen(ClusterEvent.Kind))
    work = serializers.CharField(source="work_id", allow_null=True)
    into = serializers.CharField(source="into_id", allow_null=True)
    reason = serializers.ChoiceField(choices=chosen(ClusterEvent.Reason), allow_blank=True)
    recorded_at = serializers.DateTimeField()


class ClusterSerializer(serializers.ModelSerializer[Cluster]):
    """Works that count as one where money is divided, and what happened to them."""

    id = serializers.CharField()
    members = ClusterMemberSerializer(many=True)
    timeline = ClusterEventSerializer(many=True, source="events")

    class Meta:
        model = Cluster
        fields = ["id", "opened_at", "members", "timeline"]


class NewMergerSerializer(StrictSerializer):
    """Works that are one, with all that is in their clusters."""

    works = serializers.ListField(
        child=TextField(max_length=40), min_length=2, max_length=MOST_WORKS
    )
    reason = serializers.ChoiceField(choices=chosen(MERGE_REASONS))


class NewSeparationSerializer(StrictSerializer):
    """A work that is not like the rest of its cluster."""

    work = TextField(max_length=40)
    reason = serializers.ChoiceField(choices=chosen(SEPARATE_REASONS))


class NewMatchAppealSerializer(StrictSerializer):
    """An ISCC that counts as a near-copy of a work, and why it is none."""

    iscc = TextField(max_length=200)
    work = TextField(max_length=40)
    reason = serializers.ChoiceField(choices=MATCH_REASON_CHOICES)


class NewMatchFindingSerializer(StrictSerializer):
    """What was found."""

    lifted = serializers.BooleanField(help_text="Whether the work says nothing about the ISCC.")


class MatchFindingSerializer(serializers.Serializer[Any]):
    """What a person found."""

    lifted = serializers.BooleanField()
    decided_at = serializers.DateTimeField()


class MatchAppealSerializer(serializers.ModelSerializer[MatchAppeal]):
    """An appeal against a match by likeness."""

    id = serializers.CharField()
    work = serializers.CharField(source="work_id")
    finding = serializers.SerializerMethodField()

    class Meta:
        model = MatchAppeal
        fields = ["id", "iscc", "work", "distance_ppm", "reason", "made_at", "finding"]

    @extend_schema_field(MatchFindingSerializer(allow_null=True))
    def get_finding(self, appeal: MatchAppeal) -> dict[str, Any] | None:
        """Print what was found; null while nobody has looked."""
        found = getattr(appeal, "finding", None)
        return None if found is None else MatchFindingSerializer(found).data

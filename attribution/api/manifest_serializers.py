"""The form of manifests over HTTP: what is declared, how far it is, what it shows."""

from typing import Any

from rest_framework import serializers

from attribution.models import GenerativeModel
from registry.api.fields import InstantField, TextField
from registry.api.intake_serializers import AnnouncedFileSerializer, UploadSerializer
from registry.api.serializers import StrictSerializer
from registry.models import Manifest

FORMATS = [(f.value, f.value) for f in Manifest.Format]


class NewManifestRowSerializer(StrictSerializer):
    """One thing ingested, by at least one identifier."""

    url = TextField(required=False)
    sha256 = TextField(required=False)
    iscc = TextField(required=False)
    ingested_at = InstantField()


class NewManifestSerializer(StrictSerializer):
    """What a model learned from; large ones come as JSON Lines, one row a line, or Parquet."""

    rows = serializers.ListField(child=NewManifestRowSerializer(), min_length=1)


class AnnouncedManifestSerializer(AnnouncedFileSerializer):
    """A manifest to come in pieces."""

    format = serializers.ChoiceField(choices=FORMATS)


class ManifestStateSerializer(serializers.Serializer[Manifest]):
    """How far a manifest has come: rows matched so far, and of a refused one the reason."""

    id = serializers.CharField()
    status = serializers.CharField()
    failure = serializers.CharField()
    rows_count = serializers.IntegerField()
    matched_count = serializers.IntegerField()
    violations_count = serializers.IntegerField()
    rows_per_second = serializers.SerializerMethodField()
    received_at = serializers.DateTimeField()
    progressed_at = serializers.DateTimeField(allow_null=True)

    def get_rows_per_second(self, manifest: Manifest) -> float | None:
        """Return the mean pace so far."""
        if manifest.started_at is None or manifest.progressed_at is None:
            return None
        seconds = (manifest.progressed_at - manifest.started_at).total_seconds()
        return round(manifest.rows_count / seconds, 1) if seconds > 0 else None


class ExpectedManifestSerializer(ManifestStateSerializer):
    """How far a manifest, and its upload, have come."""

    upload = UploadSerializer(allow_null=True)


class DeclaredManifestsSerializer(serializers.Serializer[GenerativeModel]):
    """The manifest in force, and the one that is to take its place."""

    current = ManifestStateSerializer(source="manifest", allow_null=True)
    next = ExpectedManifestSerializer(source="next_manifest", allow_null=True)


class ViolationSerializer(serializers.Serializer[Any]):
    """A row that was not allowed when it was ingested, and the statement that says so."""

    row = serializers.IntegerField(source="row_number")
    kind = serializers.CharField()
    value = serializers.CharField(source="canonical")
    ingested_at = serializers.DateTimeField()
    decision = serializers.CharField()
    work = serializers.CharField(source="work_id", allow_null=True)
    statement = serializers.CharField(source="statement_id", allow_null=True)


class RepeatedSerializer(serializers.Serializer[Any]):
    """An identifier that several rows have."""

    kind = serializers.CharField()
    value = serializers.CharField()
    rows = serializers.IntegerField()
    first_row = serializers.IntegerField()


class NearRowSerializer(serializers.Serializer[Any]):
    """A row whose content is like an earlier one's; the share of bits that differ, in ppm."""

    row = serializers.IntegerField()
    earlier_row = serializers.IntegerField()
    distance_ppm = serializers.IntegerField()


class ManifestReportSerializer(serializers.Serializer[Any]):
    """What a manifest shows: rows by their decision at ingestion, violations, duplicates.

    Of violations, repeated identifiers and near rows the first hundred are named. `duplicated`
    counts rows whose identifier an earlier row has; `near_duplicated` rows whose content code is
    within 0.30 of an earlier row's.
    """

    rows = serializers.IntegerField()
    matched = serializers.IntegerField()
    coverage_ppm = serializers.IntegerField(help_text="Matched rows, of all.")
    works = serializers.IntegerField()
    allowed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    denied = serializers.IntegerField()
    duplicated = serializers.IntegerField()
    with_codes = serializers.IntegerField(help_text="Rows with a content code.")
    near_duplicated = serializers.IntegerField()
    near_compared = serializers.IntegerField(help_text="Codes compared with one another.")
    repeated = RepeatedSerializer(many=True)
    near = NearRowSerializer(many=True)
    violations = ViolationSerializer(many=True)

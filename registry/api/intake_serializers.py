"""The form of what bulk intake reads and prints: files announced, imports and how far they are."""

from rest_framework import serializers

from registry import imports
from registry.api.fields import WholeNumberField
from registry.api.serializers import StrictSerializer
from registry.models import Import, Upload

IMPORT_FORMATS = [(f.value, f.value) for f in Import.Format]


class AnnouncedFileSerializer(StrictSerializer):
    """A file to come: its size, and what it hashes to if that is to be checked."""

    size = WholeNumberField(min_value=0, help_text="In bytes.")
    sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}\Z", required=False, help_text="Of the whole file; checked before reading."
    )


class NewImportSerializer(AnnouncedFileSerializer):
    """A file of works to come."""

    format = serializers.ChoiceField(choices=IMPORT_FORMATS)


class UploadSerializer(serializers.Serializer[Upload]):
    """How far an upload has come."""

    url = serializers.SerializerMethodField(help_text="HEAD and PATCH it, as tus 1.0.0 says.")
    size = serializers.IntegerField(allow_null=True)
    received = serializers.IntegerField()

    def get_url(self, upload: Upload) -> str:
        """Return where the bytes are sent."""
        address: str = self.context["request"].build_absolute_uri(f"/v1/uploads/{upload.pk}")
        return address


class ImportSerializer(serializers.Serializer[Import]):
    """How far an import has come: rows read, processed, and what became of them."""

    id = serializers.CharField()
    format = serializers.CharField()
    dry_run = serializers.BooleanField()
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Import.Status])
    failure = serializers.CharField()
    upload = UploadSerializer()
    rows = serializers.IntegerField(source="rows_count")
    processed = serializers.IntegerField(source="processed_count")
    registered = serializers.IntegerField(source="registered_count")
    duplicates = serializers.IntegerField(source="duplicate_count")
    failed = serializers.IntegerField(source="error_count")
    rows_per_second = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    progressed_at = serializers.DateTimeField(allow_null=True)

    def get_rows_per_second(self, works_import: Import) -> float | None:
        """Return the mean pace so far."""
        pace = imports.rows_per_second(works_import)
        return None if pace is None else round(pace, 1)

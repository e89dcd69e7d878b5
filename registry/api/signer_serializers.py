"""What signers of files look like in JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry import signed_files, signers
from registry.api.serializers import StrictSerializer
from registry.models import Signer


class SignedFileSerializer(StrictSerializer):
    """A file whose manifest carries the challenge; the bytes are read once and not kept."""

    file = serializers.FileField(allow_empty_file=True)


class SignerChallengeSerializer(serializers.Serializer[Any]):
    """What the file's manifest has to say, in an assertion of its own."""

    assertion = serializers.CharField(help_text="Its label.")
    challenge = serializers.CharField(
        help_text='The assertion\'s data is `{"challenge": "…"}`; good for one proof.'
    )


class SignerSerializer(serializers.ModelSerializer[Signer]):
    """A signing certificate, and whether control of it was shown."""

    id = serializers.CharField()
    certificate_sha256 = serializers.SerializerMethodField(
        help_text="Of its DER form; null until the first signed file."
    )
    subject = serializers.CharField(help_text="As the certificate says; nobody checked the name.")
    issuer = serializers.CharField()
    serial = serializers.CharField(help_text="Hexadecimal.")
    challenge = serializers.SerializerMethodField()

    class Meta:
        model = Signer
        fields = [
            "id",
            "begun_at",
            "certificate_sha256",
            "subject",
            "issuer",
            "serial",
            "valid_until",
            "control_proven_at",
            "recheck_at",
            "challenge",
        ]

    def get_certificate_sha256(self, signer: Signer) -> str | None:
        """Print the hash."""
        sha256 = signer.certificate_sha256
        return None if sha256 is None else bytes(sha256).hex()

    @extend_schema_field(SignerChallengeSerializer)
    def get_challenge(self, signer: Signer) -> dict[str, str]:
        """Print what is asked for next."""
        return {"assertion": signed_files.CHALLENGE_LABEL, "challenge": signers.challenge(signer)}

"""The transparency log for anybody: its files below /log/, and proofs ready made below /v1/log/.

The files are what counts: they can be mirrored and read without us. The rest is convenience.
"""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import log_files, log_proofs, log_signing
from registry.log_proofs import Inclusion, Logged
from tribute.log.proofs import MEDIA_TYPE

FOR_EVER = "public, max-age=31536000, immutable"
SHORTLY = "public, max-age=5"
MOST_ENTRIES = 256
OCTETS = "application/octet-stream"

_HASH = r"^[0-9a-f]{64}$"


@csrf_exempt
@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """Send the newest checkpoint as it was signed."""
    note = log_files.checkpoint()
    if note is None:
        raise Http404
    return HttpResponse(note, content_type=MEDIA_TYPE, headers={"Cache-Control": SHORTLY})


@csrf_exempt
@require_safe
@gzip_page
def tile(_request: HttpRequest, path: str) -> HttpResponse:
    """Send a tile. What stands at its address never changes."""
    found = log_files.folder() / path
    if not found.is_file():
        raise Http404
    headers = {"Cache-Control": FOR_EVER}
    return HttpResponse(found.read_bytes(), content_type=OCTETS, headers=headers)


class CheckpointSerializer(serializers.Serializer[Any]):
    """A signed tree head; `note` is the checkpoint as signed, `verifier_key` what verifies it."""

    origin = serializers.CharField()
    size = serializers.IntegerField()
    root_hash = serializers.CharField(help_text="Hexadecimal.")
    note = serializers.CharField()
    verifier_key = serializers.CharField()


class LogEntrySerializer(serializers.Serializer[Any]):
    """An entry; `leaf` is the exact text that was hashed, `content` the same as JSON."""

    index = serializers.IntegerField()
    leaf_hash = serializers.CharField()
    leaf = serializers.CharField()
    content = serializers.DictField()


class InclusionSerializer(LogEntrySerializer):
    """An entry and its path to the root, from the leaf's sibling upwards."""

    path = serializers.ListField(child=serializers.CharField())
    checkpoint = CheckpointSerializer()
    proof = serializers.CharField(help_text="The same as a `.tlog-proof` file.")


class ConsistencySerializer(serializers.Serializer[Any]):
    """Two trees, and the path that leads from the one to the other (RFC 6962, section 2.1.2)."""

    old_size = serializers.IntegerField()
    old_root = serializers.CharField()
    new_size = serializers.IntegerField()
    new_root = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())


class LogEntriesSerializer(serializers.Serializer[Any]):
    """Consecutive entries; `next` is where to go on, null at the end."""

    size = serializers.IntegerField()
    entries = LogEntrySerializer(many=True)
    next = serializers.IntegerField(allow_null=True)


class ProofQuestion(serializers.Serializer[Any]):
    """Which leaf a proof is about."""

    leaf = serializers.RegexField(_HASH, help_text="The leaf's hash, 64 hexadecimal digits.")


class EntriesQuestion(serializers.Serializer[Any]):
    """Which entries."""

    start = serializers.IntegerField(min_value=0, max_value=2**62, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ENTRIES, default=100)


class Newest(APIView):
    """The newest checkpoint."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getLogCheckpoint",
        summary="Read the transparency log's newest signed checkpoint",
        responses=CheckpointSerializer,
    )
    def get(self, _request: Request) -> Response:
        """Print it, taken apart and as signed."""
        return Response(_checkpoint(log_proofs.published()))


class Proof(APIView):
    """The proof of one leaf."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getLogProof",
        summary="Prove that a leaf stands in the log",
        parameters=[ProofQuestion],
        responses=InclusionSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print the entry, its path and the checkpoint they lead to."""
        asked = _asked(ProofQuestion, request)
        return Response(_inclusion(log_proofs.inclusion(bytes.fromhex(asked["leaf"]))))


class ProofFile(APIView):
    """The proof of one leaf, as a file."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getLogProofFile",
        summary="Download the `.tlog-proof` of a leaf: verifiable offline, the leaf inside",
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, _request: Request, leaf: str) -> HttpResponse:
        """Send the file."""
        proof = log_proofs.inclusion(bytes.fromhex(leaf)).proof
        name = f'attachment; filename="{leaf[:16]}.tlog-proof"'
        return HttpResponse(
            bytes(proof), content_type=MEDIA_TYPE, headers={"Content-Disposition": name}
        )


class Consistency(APIView):
    """The proof that the log only grew."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getLogConsistency",
        summary="Prove that a larger tree begins with a smaller one",
        parameters=[
            OpenApiParameter("from", int, required=True, description="The smaller size."),
            OpenApiParameter("to", int, description="The larger; without it, the signed size."),
        ],
        responses=ConsistencySerializer,
    )
    def get(self, request: Request) -> Response:
        """Print both roots and the path."""
        old, new = _size(request, "from"), _size(request, "to", needed=False)
        found = log_proofs.consistency(old or 0, new)
        return Response(
            {
                "old_size": found.old,
                "old_root": found.old_root.hex(),
                "new_size": found.new,
                "new_root": found.new_root.hex(),
                "path": [step.hex() for step in found.path],
            }
        )


class Entries(APIView):
    """What the log holds."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="listLogEntries",
        summary="Read entries of the log in order",
        parameters=[EntriesQuestion],
        responses=LogEntriesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print up to 256 entries."""
        asked = _asked(EntriesQuestion, request)
        newest = log_proofs.published()
        size = newest.checkpoint.size
        end = asked["start"] + asked["limit"]
        found = log_proofs.entries(asked["start"], asked["limit"], newest)
        return Response(
            {
                "size": size,
                "entries": [_entry(entry) for entry in found],
                "next": end if end < size else None,
            }
        )


def _asked(question: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = question(data=request.query_params)
    asked.is_valid(raise_exception=True)
    given: dict[str, Any] = asked.validated_data
    return given


def _size(request: Request, name: str, *, needed: bool = True) -> int | None:
    field = serializers.IntegerField(min_value=0, max_value=2**62, required=needed)
    given = request.query_params.get(name)
    if given is None and not needed:
        return None
    try:
        size: int = field.run_validation(serializers.empty if given is None else given)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({name: error.detail}) from error
    return size


def _checkpoint(published: log_proofs.Published) -> dict[str, Any]:
    return {
        "origin": published.checkpoint.origin,
        "size": published.checkpoint.size,
        "root_hash": published.checkpoint.root.hex(),
        "note": published.note.decode(),
        "verifier_key": str(log_signing.verifier()),
    }


def _entry(entry: Logged) -> dict[str, Any]:
    return {
        "index": entry.index,
        "leaf_hash": entry.leaf_hash.hex(),
        "leaf": entry.leaf.decode(),
        "content": json.loads(entry.leaf),
    }


def _inclusion(found: Inclusion) -> dict[str, Any]:
    return {
        **_entry(found.entry),
        "path": [step.hex() for step in found.path],
        "checkpoint": _checkpoint(found.published),
        "proof": bytes(found.proof).decode(),
    }

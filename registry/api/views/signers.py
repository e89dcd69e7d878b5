"""Endpoints for signers: register a signing certificate, show that one controls it."""

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import signers
from registry.api.callers import creator_of
from registry.api.permissions import HasScope, HasScopeTo
from registry.api.signer_serializers import SignedFileSerializer, SignerSerializer
from registry.api.uploads import Upload
from registry.errors import FileTooLarge
from registry.ids import find
from registry.models import Creator, Signer


def signers_of(creator: Creator) -> QuerySet[Signer]:
    """Return the creator's own signers, with what their challenges are made of."""
    return Signer.objects.filter(creator=creator).select_related("creator")


class Signers(generics.GenericAPIView[Signer]):
    """The creator's signing certificates."""

    permission_classes = [HasScopeTo("works:read", "works:write")]
    serializer_class = SignerSerializer

    def get_queryset(self) -> QuerySet[Signer]:
        """Choose the caller's own."""
        return signers_of(creator_of(self.request))

    @extend_schema(
        operation_id="listSigners",
        summary="List your signing certificates",
        responses=SignerSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of signers, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="beginSigner",
        summary="Begin to register a certificate",
        description="Answers with the challenge that a signed file must carry. One signer waits "
        "at a time: asked again, the same one is printed.",
        request=None,
        responses={201: SignerSerializer},
    )
    def post(self, request: Request) -> Response:
        """Begin, and print the challenge."""
        begun = signers.begin(creator_of(request), at=timezone.now())
        return Response(SignerSerializer(begun).data, status.HTTP_201_CREATED)


class OneSigner(generics.GenericAPIView[Signer]):
    """One of the creator's signing certificates."""

    permission_classes = [HasScope("works:read")]

    @extend_schema(
        operation_id="getSigner",
        summary="Read a signer and its next challenge",
        responses=SignerSerializer,
    )
    def get(self, request: Request, signer_id: str) -> Response:
        """Print the signer."""
        return Response(SignerSerializer(find(signers_of(creator_of(request)), signer_id)).data)


class SignerVerification(generics.GenericAPIView[Signer]):
    """The proof of control of a certificate."""

    permission_classes = [HasScope("works:write")]
    parser_classes = [Upload]

    @extend_schema(
        operation_id="verifySigner",
        summary="Show a file signed for the challenge",
        description="A picture, recording, film or PDF whose embedded C2PA manifest carries the "
        "challenge in an assertion labelled `tribute.challenge`. Works registered from files "
        "that this certificate signed are then yours by proof, until the certificate ends or "
        "for 60 days; show another file, with the next challenge, before that. The bytes are "
        "read once and not kept.",
        request={"multipart/form-data": SignedFileSerializer},
        responses=SignerSerializer,
    )
    def post(self, request: Request, signer_id: str) -> Response:
        """Read the file, record the proof, print the signer."""
        found = find(signers_of(creator_of(request)), signer_id)
        asked = SignedFileSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        file = asked.validated_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise FileTooLarge(f"a file has at most {settings.UPLOAD_MAX_BYTES:,} bytes")
        shown = signers.verify(found, file.read(), at=timezone.now())
        return Response(SignerSerializer(shown).data)


class SignerEnd(generics.GenericAPIView[Signer]):
    """The end of a proof."""

    permission_classes = [HasScope("works:write")]

    @extend_schema(
        operation_id="endSigner",
        summary="Say that a certificate is yours no more",
        description="A key was lost, or is used no more: what it signed proves nothing from now on.",
        request=None,
        responses=SignerSerializer,
    )
    def post(self, request: Request, signer_id: str) -> Response:
        """End the proof, print the signer."""
        found = find(signers_of(creator_of(request)), signer_id)
        return Response(SignerSerializer(signers.end(found, at=timezone.now())).data)

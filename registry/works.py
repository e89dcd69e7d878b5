"""Works: register one, confirm a share in it, find it by key or by likeness."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from registry import decision_index, disputes, near_copies
from registry.errors import (
    AlreadyRegistered,
    DuplicateIdentifier,
    InvalidIdentifier,
    InvalidShares,
    NoSuchShare,
    NothingToRecognise,
)
from registry.models import (
    WHOLE_PPM,
    WORK_KINDS,
    Creator,
    Identifier,
    RightsShare,
    Work,
    WorkFeatures,
    WorkSignature,
)
from registry.signed_files import SignedFile
from tribute import identifiers as canonical
from tribute.features import Features
from tribute.fingerprints import Fingerprint
from tribute.identifiers import Key
from tribute.vocabulary import IdentifierKind, Medium


@transaction.atomic
def register(  # noqa: PLR0913 - a work is described in full, each part by name
    creator: Creator,
    *,
    title: str,
    medium: Medium,
    identifiers: Sequence[tuple[IdentifierKind, str]],
    shares: Mapping[str, int] | None = None,
    fingerprint: Fingerprint | None = None,
    features: Features | None = None,
    signature: SignedFile | None = None,
    at: datetime,
) -> Work:
    """Record a work, how to recognise it, and who owns which part of it.

    shares: ppm by creator id, the registering creator's among them, 1,000,000 in all; None: all
        of it is the registering creator's. Other creators confirm theirs.
    signature: of the file that the fingerprint was taken of; what it proves, registry.signers says.
    Opens a claim conflict with every other creator's work that has the same bytes, address or
    content. Raises InvalidIdentifier, DuplicateIdentifier, NothingToRecognise, InvalidShares,
    AlreadyRegistered.
    """
    parts = {creator.pk: WHOLE_PPM} if shares is None else dict(shares)
    _require_whole(parts, creator)
    keys = _keys(identifiers, fingerprint)
    decision_index.hold_creator(creator.pk)
    _require_new(creator, keys)
    work = Work.objects.create(
        title=title, medium=medium, registered_by=creator, registered_at=at, **_codes(keys)
    )
    Identifier.objects.bulk_create(_identifier(work, key, at) for key in keys)
    RightsShare.objects.bulk_create(
        RightsShare(
            work=work, creator_id=owner, ppm=ppm, confirmed_at=at if owner == creator.pk else None
        )
        for owner, ppm in parts.items()
    )
    if features is not None:
        WorkFeatures.objects.create(
            work=work, features=features.to_bytes(), ngrams=len(features.hashes)
        )
    if signature is not None and _is_all_of(fingerprint, keys):
        _keep(signature, work, at)
    conflicts = disputes.open_conflicts(work, at=at)
    touched = [work.pk, *(conflict.other_id for conflict in conflicts)]
    decision_index.refresh(decision_index.keys_of_claims(touched), at=at)
    return work


@transaction.atomic
def confirm_share(work: Work, creator: Creator, *, at: datetime) -> RightsShare:
    """Accept one's part of a work, and with it a say in it. Confirming again changes nothing.

    Raises NoSuchShare for a creator who was not named.
    """
    share = RightsShare.objects.filter(work=work, creator=creator).first()
    if share is None:
        raise NoSuchShare(f"creator {creator.pk} was not named as an owner of work {work.pk}")
    unconfirmed = RightsShare.objects.filter(pk=share.pk, confirmed_at=None)
    if unconfirmed.update(confirmed_at=at):
        decision_index.refresh(decision_index.keys_of_works([work.pk]), at=at)
    share.refresh_from_db()
    return share


def matching(keys: Iterable[bytes]) -> dict[bytes, list[str]]:
    """Return the ids of the works that carry each of ``keys``, the oldest first."""
    found: dict[bytes, list[str]] = defaultdict(list)
    rows = Identifier.objects.filter(key__in=set(keys)).order_by("work_id")
    for key, work in rows.values_list("key", "work_id"):
        found[bytes(key)].append(work)
    return found


def near_duplicates(iscc: str) -> list[tuple[Work, float]]:
    """Return works whose content is like that of ``iscc``, and the share of bits that differ.

    Nearest first; raises InvalidIdentifier for what is not an ISCC.
    """
    code = near_copies.content_code(iscc)
    distances = dict(near_copies.find(code)) if code else {}
    works = Work.objects.in_bulk(list(distances))
    return [(works[work], distance) for work, distance in distances.items()]


def _require_whole(parts: Mapping[str, int], creator: Creator) -> None:
    if any(ppm <= 0 for ppm in parts.values()) or sum(parts.values()) != WHOLE_PPM:
        raise InvalidShares(f"the shares sum to {sum(parts.values())} ppm, not {WHOLE_PPM}")
    if creator.pk not in parts:
        raise InvalidShares("the registering creator has no share")
    known = Creator.objects.filter(pk__in=parts, erased_at=None).count()
    if known != len(parts):
        raise InvalidShares("a share names a creator who does not exist")


def _keys(
    given: Sequence[tuple[IdentifierKind, str]], fingerprint: Fingerprint | None
) -> list[Key]:
    keys: dict[bytes, Key] = {}
    for kind, raw in given:
        key = _key(kind, raw)
        if key.digest in keys:
            raise DuplicateIdentifier(f"{kind} {raw[:80]!r} is given twice")
        keys[key.digest] = key
    if fingerprint is not None:
        for kind, value in (
            (IdentifierKind.SHA256, fingerprint.sha256),
            (IdentifierKind.ISCC, fingerprint.iscc),
        ):
            if value is not None:
                key = _key(kind, value)
                keys[key.digest] = key
    if not keys:
        raise NothingToRecognise("no identifier is given, and no file")
    return list(keys.values())


def _keep(signature: SignedFile, work: Work, at: datetime) -> None:
    WorkSignature.objects.create(
        work=work,
        certificate_sha256=signature.certificate.sha256,
        evidence_sha256=signature.evidence,
        recorded_at=at,
    )


def _is_all_of(fingerprint: Fingerprint | None, keys: Sequence[Key]) -> bool:
    """Tell whether a work names no other content than the file's: a signature speaks for no other."""
    named = {key.digest for key in keys if key.kind != IdentifierKind.URL}
    return named == {key.digest for key in _keys([], fingerprint)} if fingerprint else False


def _key(kind: IdentifierKind, raw: str) -> Key:
    if kind not in WORK_KINDS:
        raise InvalidIdentifier(f"a work is recognised by url, sha256 or iscc, not by {kind}")
    try:
        return canonical.key_of(kind, raw)
    except canonical.InvalidIdentifier as error:
        raise InvalidIdentifier(str(error)) from error


def _require_new(creator: Creator, keys: Sequence[Key]) -> None:
    same = (
        Identifier.objects.filter(key__in=[key.digest for key in keys], work__registered_by=creator)
        .exclude(kind=IdentifierKind.ISCC)
        .first()
    )
    if same is not None:
        raise AlreadyRegistered(f"{same.kind} {same.canonical[:80]} is that of {same.work_id}")


def _codes(keys: Sequence[Key]) -> dict[str, bytes | str | None]:
    """Return the hash and content code among ``keys``, the first of each, as columns of a work."""
    values = {key.kind: key.canonical for key in reversed(keys)}
    sha256, iscc = values.get(IdentifierKind.SHA256), values.get(IdentifierKind.ISCC)
    code = near_copies.content_code(iscc) if iscc else None
    return {
        "sha256": bytes.fromhex(sha256) if sha256 else None,
        "iscc": iscc,
        "iscc_type": code.type if code else None,
        "iscc_bits": code.bits if code else None,
    }


def _identifier(work: Work, key: Key, at: datetime) -> Identifier:
    scopes: list[bytes] = []
    if key.kind == IdentifierKind.URL:
        # Whatever may speak for the address, except the address itself.
        candidates = canonical.candidate_keys(f"https://{key.canonical}")
        scopes = [place.digest for place in candidates if place.kind != IdentifierKind.URL]
    return Identifier(
        work=work,
        kind=key.kind,
        canonical=key.canonical,
        key=key.digest,
        scopes=scopes,
        added_at=at,
    )

"""What the registry refuses, and why. Each docstring is the rule that was broken.

``code`` is stable API. Which HTTP status an error has is decided in ``server.api_errors``.
"""

from typing import ClassVar


class RegistryError(Exception):
    """The registry refuses what breaks its rules."""

    code: ClassVar[str] = "registry_error"


class NotFound(RegistryError):
    """An id names something that exists and is the caller's own."""

    code = "not_found"


class InvalidIdentifier(RegistryError):
    """An identifier is a well-formed URL, path, host, domain, SHA-256 or ISCC."""

    code = "invalid_identifier"


class NothingToRecognise(RegistryError):
    """A work is registered with at least one identifier."""

    code = "identifier_required"


class DuplicateIdentifier(RegistryError):
    """A work carries each identifier once."""

    code = "duplicate_identifier"


class AlreadyRegistered(RegistryError):
    """A creator registers the same bytes or address once."""

    code = "already_registered"


class InvalidShares(RegistryError):
    """The shares of a work are positive and sum to exactly 1,000,000 ppm."""

    code = "invalid_shares"


class NoSuchShare(RegistryError):
    """Only a creator who was named as a co-owner confirms a share."""

    code = "no_such_share"


class NotRightsholder(RegistryError):
    """Only a creator with a confirmed share speaks for a work, and an owner for a collection."""

    code = "not_rightsholder"


class HandleTaken(RegistryError):
    """A handle belongs to one creator or operator."""

    code = "handle_taken"


class InvalidHandle(RegistryError):
    """A handle is 2 to 40 lower-case letters, digits and inner hyphens."""

    code = "invalid_handle"


class CollectionClaimed(RegistryError):
    """A creator claims a collection once."""

    code = "collection_claimed"


class PublicSuffix(RegistryError):
    """Nobody claims a domain under which strangers register their own."""

    code = "public_suffix"


class ControlNotShown(RegistryError):
    """Control of a collection is shown by its challenge, published exactly as asked."""

    code = "control_not_shown"


class NotSigned(RegistryError):
    """A signed file carries a C2PA manifest that holds, over its own bytes, by a valid certificate."""

    code = "not_signed"


class SignerNotShown(RegistryError):
    """Control of a certificate is shown by its challenge, signed into a file with its key."""

    code = "signer_not_shown"


class SignerRegistered(RegistryError):
    """A creator registers a certificate once, and a signer keeps its certificate."""

    code = "signer_registered"


class SignerShared(RegistryError):
    """A certificate that several creators can sign with speaks for none of them."""

    code = "signer_shared"


class TermsRequired(RegistryError):
    """A licence names the terms it asks for; no other decision does."""

    code = "terms_required"


class InvalidTerms(RegistryError):
    """Terms have a price with its currency or none, and a text by hash or address."""

    code = "invalid_terms"


class TermsNotOffered(RegistryError):
    """A grant accepts terms that a proven rightsholder offers now."""

    code = "terms_not_offered"


class GrantEndsTooSoon(RegistryError):
    """A grant ends after it begins."""

    code = "effective_until_out_of_range"


class EffectiveTooFar(RegistryError):
    """A statement takes effect between 2000 and ten years from now."""

    code = "effective_from_out_of_range"


class TooManyItems(RegistryError):
    """A check asks about 1 to 10,000 items."""

    code = "too_many_items"


class AsOfInFuture(RegistryError):
    """A check is asked as of now or of the past."""

    code = "as_of_in_future"


class NothingToLookUp(RegistryError):
    """A look-up names exactly one URL, SHA-256 or ISCC."""

    code = "one_identifier_required"


class TooManyKeys(RegistryError):
    """An owner has at most two live keys of one name, so that they can be rotated."""

    code = "too_many_keys"


class UnknownScope(RegistryError):
    """A key carries scopes that exist and that its kind of owner may have."""

    code = "unknown_scope"


class InvalidKey(RegistryError):
    """A request carries a live API key."""

    code = "invalid_key"


class InvalidExpiry(RegistryError):
    """A key expires after it is issued."""

    code = "invalid_expiry"


class LeafTooLarge(RegistryError):
    """A log leaf is at most 4 KiB of canonical JSON."""

    code = "leaf_too_large"


class LogTrouble(RegistryError):
    """The log signs and proves only what agrees with all that it has signed."""

    code = "log_trouble"


class LogNotBegun(LogTrouble):
    """A log signs once it has been begun, and as long as it knows what it signed last."""

    code = "log_not_begun"


class LogBegun(LogTrouble):
    """A log is begun once."""

    code = "log_begun"


class LogForked(LogTrouble):
    """The log signs nothing that contradicts what it has signed."""

    code = "log_forked"


class LogDamaged(LogTrouble):
    """The log's files are those that it has signed."""

    code = "log_damaged"


class NotYetLogged(LogTrouble):
    """A proof is about a leaf that stands below the published checkpoint."""

    code = "not_yet_logged"


class SizeOutOfRange(LogTrouble):
    """A tree's size lies between nothing and what is signed."""

    code = "size_out_of_range"


class InvalidManifestRow(RegistryError):
    """Every manifest row has one well-formed identifier and an ingestion time in the past."""

    code = "invalid_manifest_row"


class EmptyManifest(RegistryError):
    """A manifest has at least one row."""

    code = "empty_manifest"


class FetchRefused(RegistryError):
    """Only public web servers are read, by name, on ports 80 and 443."""

    code = "fetch_refused"


class FetchFailed(RegistryError):
    """A site answers whole, within the time and size allowed."""

    code = "fetch_failed"


class LookUpFailed(RegistryError):
    """A name server answers whole, within the time allowed."""

    code = "look_up_failed"


class UnreadableFile(RegistryError):
    """An uploaded file is not empty and is what its medium says."""

    code = "unreadable_file"


class FileTooLarge(RegistryError):
    """An uploaded file is at most UPLOAD_MAX_BYTES long."""

    code = "file_too_large"


class ConflictClosed(RegistryError):
    """A claim conflict is decided once."""

    code = "conflict_closed"


class NotAParty(RegistryError):
    """Only those who hold a confirmed part in one of the works answer a claim conflict."""

    code = "not_a_party"


class MayNotDecide(RegistryError):
    """A claim conflict is decided by staff who have no part in either work."""

    code = "may_not_decide"


class ClaimNotProven(RegistryError):
    """A later claim counts once its claimant's identity, or control of the work's place, is proven."""

    code = "claim_not_proven"


class TooManyClaims(RegistryError):
    """A creator has few claims open against earlier works, and few lost ones behind it."""

    code = "too_many_claims"


class NotAppealable(RegistryError):
    """A decision is appealed once, in time, by a side whose claim it did not uphold."""

    code = "not_appealable"


class NothingToReview(RegistryError):
    """A review answers an appeal that nobody has answered yet."""

    code = "nothing_to_review"


class SameReviewer(RegistryError):
    """An appeal is decided by another person than the decision it is against."""

    code = "same_reviewer"


class NotAMatch(RegistryError):
    """An appeal is about an ISCC and a work of somebody else's that is like it."""

    code = "not_a_match"


class NotClustered(RegistryError):
    """A work is separated from a cluster that it is in, and a cluster is of at least two works."""

    code = "not_clustered"


class ClusterTooLarge(RegistryError):
    """A reviewed cluster has at most 100 works."""

    code = "cluster_too_large"


class IdempotencyKeyMissing(RegistryError):
    """A request that moves money carries an Idempotency-Key."""

    code = "idempotency_key_missing"


class IdempotencyKeyReused(RegistryError):
    """An Idempotency-Key names one request for good."""

    code = "idempotency_key_reused"


class IdempotencyKeyInFlight(RegistryError):
    """A request with the same Idempotency-Key is answered before it is repeated."""

    code = "idempotency_key_in_flight"


class InvalidLeaf(RegistryError):
    """A log leaf holds ids, words of a vocabulary, times, hashes and counts: never free text."""

    code = "invalid_leaf"


class PaidNeedsUse(RegistryError):
    """Only somebody who allows or licenses a use can ask to be paid for it."""

    code = "paid_needs_use"


class Erased(RegistryError):
    """A creator who was erased says nothing more."""

    code = "erased"


class ErasureOpen(RegistryError):
    """A person asks for one erasure at a time."""

    code = "erasure_open"


class ErasureBegun(RegistryError):
    """An erasure is called off before it is begun."""

    code = "erasure_begun"


class UploadTooLarge(RegistryError):
    """An upload has as many bytes as were announced, and at most INTAKE_MAX_BYTES."""

    code = "upload_too_large"


class UploadOffsetDiffers(RegistryError):
    """An upload goes on at the byte after the last that was received."""

    code = "upload_offset_differs"


class UploadDigestDiffers(RegistryError):
    """The bytes received hash to what their sender announced."""

    code = "upload_digest_differs"


class EmptyImport(RegistryError):
    """An import has at least one row."""

    code = "empty_import"


class InvalidWebhook(RegistryError):
    """A webhook has a public https address, and events that exist for its owner."""

    code = "invalid_webhook"


class TooManyWebhooks(RegistryError):
    """An owner has a bounded number of webhooks."""

    code = "too_many_webhooks"

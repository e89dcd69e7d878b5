"""What attribution refuses, and why. ``code`` is stable API; HTTP is not known here."""

from collections.abc import Sequence

from ledger.money import Money


class AttributionError(Exception):
    """Attribution did not do what it was asked; nothing was written."""

    code = "attribution_error"


class ModelExists(AttributionError):
    """An operator registers each name and version of a model once."""

    code = "model_exists"


class InvalidFeePolicy(AttributionError):
    """A model's fee is either a fixed amount above zero or a share of the price, not both."""

    code = "invalid_fee_policy"


class WrongManifest(AttributionError):
    """A model learned from a manifest of its own operator."""

    code = "wrong_manifest"


class ManifestMissing(AttributionError):
    """A model takes queries once its manifest has been received."""

    code = "manifest_missing"


class QueriesOutOfBounds(AttributionError):
    """A call reports 1 to 1,000 queries."""

    code = "queries_out_of_bounds"


class QueryReused(AttributionError):
    """An external id stands for one query for ever; it came back with other content."""

    code = "query_reused"


class InvalidPrice(AttributionError):
    """A query names its price, above zero and in the model's currency, when its fee is a share."""

    code = "invalid_price"


class OccurredInFuture(AttributionError):
    """A query happened before it is reported, give or take five minutes."""

    code = "occurred_in_future"


class OutputTooLarge(AttributionError):
    """An output is at most 64 KiB of plain text."""

    code = "output_too_large"


class InvalidEvidence(AttributionError):
    """A query brings the evidence that its model's method weighs, well-formed, and no other."""

    code = "invalid_evidence"


class EvidenceUnreadable(AttributionError):
    """Evidence opens only with the key it was sealed with, and only beside its own query."""

    code = "evidence_unreadable"


class ManifestReplaced(AttributionError):
    """Scores pay by the rows of the manifest they name, which is in force when they are weighed."""

    code = "manifest_replaced"


class SpaceExists(AttributionError):
    """An embedding space means one dimension and one modality, for ever."""

    code = "space_exists"


class WrongSpace(AttributionError):
    """A model's space fits its method, and its queries bring vectors of that space only."""

    code = "wrong_space"


class SpaceNotCalibrated(AttributionError):
    """Vectors are paid by once their space has coefficients for the model's method."""

    code = "space_not_calibrated"


class NotTheFile(AttributionError):
    """Vectors of a work are made from the very file that was registered."""

    code = "not_the_file"


class InvalidAudit(AttributionError):
    """An audit names 1 to 20 groups, each creator once, and every subset that its orders need."""

    code = "invalid_audit"


class NotSettled(AttributionError):
    """Credits and explanations exist once a query is settled."""

    code = "query_not_settled"


class TooManyPayees(AttributionError):
    """One query pays at most 4,000 creators."""

    code = "too_many_payees"


class NotRecomputable(AttributionError):
    """A query is recomputed from the record kept with it, by the same version of its method."""

    code = "query_not_recomputable"


class NotFunded(AttributionError):
    """A query is replayed once its operator's balance covers its fee again."""

    code = "query_not_funded"


class SigningNotConfigured(AttributionError):
    """Credits are signed once the service has an identity to sign with (CONTENT_CREDENTIALS_IDENTITY)."""

    code = "signing_not_configured"


class AssetNotSignable(AttributionError):
    """Credits are bound to the bytes of an answer, in a media type that fits how it is signed."""

    code = "asset_not_signable"


class InvalidReportKey(AttributionError):
    """A report key is an Ed25519 public key: 32 bytes."""

    code = "invalid_report_key"


class ReportKeyExists(AttributionError):
    """An operator registers a report key once; a revoked one stays revoked."""

    code = "report_key_exists"


class InvalidReportSignature(AttributionError):
    """A signed report is signed by a live report key of its operator, over exactly its bytes."""

    code = "invalid_report_signature"


class SignatureRequired(AttributionError):
    """An operator that must sign its reports sends none unsigned."""

    code = "signature_required"


class UsageFlagClosed(AttributionError):
    """A usage flag is resolved once."""

    code = "usage_flag_closed"


class InvalidRetention(AttributionError):
    """Evidence is kept for 1 to 400 days after settlement."""

    code = "invalid_retention"


class UnknownMethod(AttributionError):
    """A shadow run is of a method that there is."""

    code = "unknown_method"


class NothingKept(AttributionError):
    """A shadow run needs evidence that was kept by its operator's consent."""

    code = "nothing_kept"


class ProposerAccepts(AttributionError):
    """Corrections are accepted by another admin than the one who proposed them."""

    code = "proposer_accepts"


class WrongShadowState(AttributionError):
    """A shadow run is proposed when it is ready, accepted when proposed, and decided once."""

    code = "wrong_shadow_state"


class RelationReviewed(AttributionError):
    """A relation is confirmed, or cleared, once at a time."""

    code = "relation_reviewed"


class NothingHeld(AttributionError):
    """What waits for a work is decided once."""

    code = "nothing_held"


class EarningsClaimed(AttributionError):
    """What a work earned goes to nobody while a claim holds it, or its decision may be appealed."""

    code = "earnings_claimed"


class OwnMatter(AttributionError):
    """An admin decides about money and relations of others, never about one's own."""

    code = "own_matter"


class ErasureBlocked(AttributionError):
    """What is under way with a person or creator ends before they are erased."""

    code = "erasure_blocked"

    def __init__(self, blockers: Sequence[tuple[str, str, Money | None]]) -> None:
        """Name everything that stands in the way: kind, id or handle, and how much money."""
        self.blockers = list(blockers)
        named = (
            " ".join(filter(None, (kind, subject, str(money) if money else "")))
            for kind, subject, money in self.blockers
        )
        super().__init__("; ".join(named))


class NotParked(AttributionError):
    """Only a parked query is replayed; others settle by themselves, or are final."""

    code = "query_not_parked"

"""Receipts: sign what a check answered, so that anybody can verify it offline and years later.

What is signed, and how it is verified, is ``tribute.receipts``; the private key is ours. The log's
proof goes along as soon as there is one.
"""

import base64
import logging
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from registry import log, log_proofs
from registry.errors import LogTrouble, NotFound, NotYetLogged
from registry.models import Check
from tribute import receipts

logger = logging.getLogger(__name__)


def receipt(check: Check) -> dict[str, Any]:
    """Return the signed receipt of a check, and beside it what the log proves of it by now.

    What is signed is the same for the same check, always. ``log`` has the hash of the check's leaf,
    and its ``.tlog-proof`` or None while the leaf waits.
    """
    key = _signing_key()
    unsigned: dict[str, Any] = {
        "v": receipts.VERSION,
        "type": receipts.TYPE,
        "check": check.pk,
        "operator": check.operator_id,
        "purposes": list(check.purposes),
        "at": log.instant(check.as_of),
        "items": check.items_count,
        "request_digest": bytes(check.request_digest).hex(),
        "answers_root": bytes(check.answers_root).hex(),
        "log_size": check.log_size,
        "signature": {
            "alg": receipts.ALGORITHM,
            "key_id": receipts.key_id(public_key()),
        },
    }
    value = base64.b64encode(key.sign(receipts.signing_input(unsigned))).decode()
    return unsigned | {
        "signature": unsigned["signature"] | {"value": value},
        "log": {"leaf_hash": bytes(check.leaf_hash).hex(), "proof": _proof(check)},
    }


def row(check: Check, position: int) -> dict[str, Any]:
    """Return the proof that one row (from 0) stands below a receipt's root.

    ``salt`` is the row's own and tells nothing of its neighbours. Raises NotFound.
    """
    rows = check.rows
    if not 0 <= position < len(rows):
        raise NotFound(f"check {check.pk} has {len(rows)} rows")
    salts = [receipts.row_salt(bytes(check.salt), number) for number in range(len(rows))]
    leaves = [
        receipts.row_digest(each["item"], each["answer"], salt=salt)
        for each, salt in zip(rows, salts, strict=True)
    ]
    return {
        **rows[position],
        "position": position,
        "salt": salts[position].hex(),
        "path": [sibling.hex() for sibling in receipts.inclusion_path(leaves, position)],
    }


def public_key() -> bytes:
    """Return the 32 bytes with which receipts are verified."""
    return _signing_key().public_key().public_bytes_raw()


def _proof(check: Check) -> str | None:
    try:
        return bytes(log_proofs.inclusion(bytes(check.leaf_hash)).proof).decode()
    except NotYetLogged:
        return None
    except LogTrouble as error:
        # The receipt holds by itself; that the log is in trouble is said where the log is asked.
        logger.warning("Check %s has no proof by the log: %s", check.pk, error)
        return None


def _signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.RECEIPT_SIGNING_KEY))

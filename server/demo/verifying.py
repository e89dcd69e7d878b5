"""Act seven's stranger: read the log over HTTP alone, and believe nothing that is not proven."""

from pathlib import Path

from django.conf import settings

from registry import log, log_signing, log_tree, receipts
from registry.models import Check, Operator, Statement
from tribute.log import auditing
from tribute.log.errors import LogError
from tribute.log.sources import HttpLog
from tribute.receipts import InvalidReceipt, verify_receipt

SEEN = "demo-seen-checkpoint"
"""What the stranger remembers between runs."""
AT_ONCE = 10_000


def log_verifies(operator: Operator) -> tuple[bool, str]:
    """Sign what waits, then verify the log as a stranger would; say what was found."""
    while log_tree.grow(limit=AT_ONCE):
        pass
    try:
        read = _audit(Path(settings.HOME) / SEEN)
        proven = _receipt(operator)
    except (LogError, InvalidReceipt) as error:
        return False, f"{type(error).__name__}: {error}"
    placed = log.placed(Statement.objects.values_list("leaf_hash", flat=True))
    missing = Statement.objects.count() - placed
    return missing == 0, f"{read} entries read, {missing} statements missing; {proven}"


def _audit(seen: Path) -> int:
    remembered = seen.read_bytes() if seen.exists() else None
    source = HttpLog(f"{settings.PUBLIC_URL}/log")
    found = auditing.audit(source, log_signing.verifier(), remembered=remembered)
    seen.write_bytes(found.note)
    return found.checkpoint.size


def _receipt(operator: Operator) -> str:
    """Verify the newest receipt and its proof, from what they hold and two public keys."""
    check = Check.objects.filter(operator=operator).order_by("-asked_at").first()
    if check is None:
        raise InvalidReceipt("no check was made")
    verified = verify_receipt(
        receipts.receipt(check), public_key=receipts.public_key(), log_key=log_signing.verifier()
    )
    if verified.logged is None:
        raise InvalidReceipt("its proof by the log is missing")
    return f"the receipt of {check.items_count} answers is entry {verified.logged.index}"

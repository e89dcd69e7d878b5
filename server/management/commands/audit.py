"""Prove the books and the decision index from the raw rows; exit 1 with what is wrong."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from attribution import invariants as attribution
from ledger import invariants as ledger
from registry import decision_index


class Command(BaseCommand):
    """Prove the ledger's and attribution's invariants, and rebuild the decision index."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to begin."""
        begin = parser.add_mutually_exclusive_group()
        begin.add_argument(
            "--since",
            type=int,
            default=0,
            metavar="SEQ",
            help="trust the ledger up to this batch, and read only what follows",
        )
        begin.add_argument(
            "--recent",
            action="store_true",
            help="read only what follows the last whole audit, as before a payout",
        )

    def handle(self, *_args: Any, since: int, recent: bool, **_options: Any) -> None:
        """Print each finding; raise when there is one."""
        start = time.monotonic()
        since = ledger.trusted() if recent else since
        found: list[object] = (
            list(ledger.findings(since=since)) if since else list(ledger.audit(at=timezone.now()))
        )
        if not since:
            found += [*attribution.findings(), *decision_index.differences(at=timezone.now())]
        for finding in found:
            self.stdout.write(str(finding))
        if found:
            raise CommandError(f"{len(found)} findings")
        self.stdout.write(f"clean, in {time.monotonic() - start:.1f} s")

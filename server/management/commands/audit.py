"""Prove the books and the decision index from the raw rows; exit 1 with what is wrong."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from attribution import invariants as attribution
from ledger import invariants as ledger
from registry import decision_index


class Command(BaseCommand):
    """Prove the ledger's and attribution's invariants, and rebuild the decision index."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print each finding; raise when there is one."""
        start = time.monotonic()
        found: list[object] = [*ledger.findings(), *attribution.findings()]
        found += decision_index.differences(at=timezone.now())
        for finding in found:
            self.stdout.write(str(finding))
        if found:
            raise CommandError(f"{len(found)} findings")
        self.stdout.write(f"clean, in {time.monotonic() - start:.1f} s")

"""Prove every invariant of the books from the raw rows; exit 1 with what is wrong."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from attribution import invariants as attribution
from ledger import invariants as ledger


class Command(BaseCommand):
    """Prove the ledger's and attribution's invariants."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print each finding; raise when there is one."""
        start = time.monotonic()
        found = [*ledger.findings(), *attribution.findings()]
        for finding in found:
            self.stdout.write(str(finding))
        if found:
            raise CommandError(f"{len(found)} findings")
        self.stdout.write(f"clean, in {time.monotonic() - start:.1f} s")

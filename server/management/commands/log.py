"""Begin the transparency log, sign what waits, say how it does, recover it after a restore."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registry import log_recovery, log_signing, log_tree
from registry.errors import LogTrouble

LEAVES_AT_ONCE = 10_000


class Command(BaseCommand):
    """Begin the transparency log, sign what waits, say how it does, recover it after a restore."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        parser.add_argument(
            "deed",
            choices=["begin", "grow", "state", "key", "recover"],
            help="begin: once in the log's life; grow: place and sign all that waits; state: how"
            " far it has come; key: the verifier key to publish; recover: after a"
            " restore, put back the leaves that were signed since the backup",
        )

    def handle(self, *_args: Any, deed: str, **_options: Any) -> None:
        """Do it and print one line; exit 1 with the reason when the log refuses."""
        try:
            self.stdout.write(getattr(self, f"_{deed}")())
        except LogTrouble as error:
            raise CommandError(f"{error} ({error.code})") from error

    def _begin(self) -> str:
        log_tree.begin()
        return f"begun; publish its verifier key: {log_signing.verifier()}"

    def _grow(self) -> str:
        total = 0
        while more := log_tree.grow(limit=LEAVES_AT_ONCE, latecomers=True):
            total += more
        return f"{total} leaves signed; {self._state()}"

    def _state(self) -> str:
        state = log_tree.state(at=timezone.now())
        waiting = int(state.oldest_waiting.total_seconds())
        return f"{state.signed} of {state.size} places signed; the oldest leaf waits {waiting} s"

    def _recover(self) -> str:
        count = log_recovery.recover(at=timezone.now())
        return f"{count} leaves put back; {self._state()}"

    def _key(self) -> str:
        return str(log_signing.verifier())

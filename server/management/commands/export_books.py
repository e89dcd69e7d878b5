"""Write the books as Parquet files, which `python -m ledger.book_files` proves without us."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import exports


class Command(BaseCommand):
    """Export the ledger."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path, metavar="DIR")

    def handle(self, *_args: Any, folder: Path, **_options: Any) -> None:
        """Write the files and say how much is in them."""
        try:
            written = exports.write(folder)
        except FileExistsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(", ".join(f"{rows} {name}" for name, rows in written.items()))

"""``manage.py make_c2pa_identity FOLDER``: a key and certificates to sign credits with, on trial."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from attribution.content_credentials import make_identity


class Command(BaseCommand):
    """Write an identity whose root nobody outside trusts."""

    help = "Make a C2PA signing identity with a root of your own, for trials."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder and the name in the certificates."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--organisation", default="Tribute, for trial only")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write ``identity.pem`` and ``root.pem`` unless they are there; print where."""
        made = make_identity(options["folder"], options["organisation"], at=timezone.now())
        self.stdout.write(f"CONTENT_CREDENTIALS_IDENTITY={made}")

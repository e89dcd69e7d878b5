"""``manage.py embed_works folder``: make vectors of registered works from their files."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from attribution import spaces
from attribution.errors import NotTheFile
from registry.models import Work
from tribute import embedders


class Command(BaseCommand):
    """Find each file's work by its hash, and store what the installed embedders make of it."""

    help = "Make vectors of registered works from a folder of their files, found by their hashes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Embed every file that is a work's; exits with a sentence without a folder."""
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder")
        at = timezone.now()
        known = [
            (spaces.register(description, at=at), loaded)
            for description in embedders.installed()
            if (loaded := embedders.load(description.name, description.revision))
        ]
        works = passages = 0
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            content = path.read_bytes()
            for work in Work.objects.filter(sha256=sha256(content).digest()):
                for space, embedder in known:
                    if space.modality == work.medium:
                        try:
                            passages += spaces.embed(work, content, space, embedder, at=at)
                        except NotTheFile as error:
                            self.stderr.write(str(error))
                works += 1
        self.stdout.write(f"{works} works, {passages} new vectors")

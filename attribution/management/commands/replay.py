"""``manage.py replay qry_…`` or ``--all-parked``: make parked queries due again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from attribution.errors import NotFunded
from attribution.models import Query
from attribution.worker import retry_parked
from registry.errors import NotFound
from registry.ids import find


class Command(BaseCommand):
    """Put parked queries back into the queue, once what parked them is mended."""

    help = "Make parked queries due again: one by its id, or all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ids, or all."""
        parser.add_argument("query", nargs="*", help="for example qry_01jd…")
        parser.add_argument("--all-parked", action="store_true", help="every parked query")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Replay, and say how many were parked. Exits with a sentence for an unknown id."""
        if bool(options["query"]) == options["all_parked"]:
            raise CommandError("Name queries, or say --all-parked.")
        try:
            asked = (
                list(Query.objects.filter(state=Query.State.PARKED).defer("evidence"))
                if options["all_parked"]
                else [find(Query.objects.defer("evidence"), each) for each in options["query"]]
            )
        except NotFound as error:
            raise CommandError(str(error)) from error
        at = timezone.now()
        replayed = 0
        for query in asked:
            try:
                replayed += retry_parked(query, at=at)
            except NotFunded as error:
                self.stderr.write(str(error))
        self.stdout.write(f"{replayed} of {len(asked)} queries are due again")

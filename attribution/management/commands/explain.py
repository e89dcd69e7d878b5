"""``manage.py explain qry_…``: print why one query paid whom."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attribution.errors import NotRecomputable, NotSettled
from attribution.explanation import Explanation, explain
from attribution.models import Query
from attribution.recomputing import recompute
from registry.errors import NotFound
from registry.ids import find


class Command(BaseCommand):
    """Print the explanation of a settled query."""

    help = "Explain one settled query: its works, the rule, every amount and where it is booked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the query's id."""
        parser.add_argument("query", help="for example qry_01jd…")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find, explain, print. Exits with a sentence when there is nothing to explain."""
        try:
            query = find(Query.objects.all(), options["query"])
            found = explain(query)
        except (NotFound, NotSettled) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join([*lines(found), proof(query)]))


def proof(query: Query) -> str:
    """Recompute the query from what was kept, and say whether it gives the same."""
    try:
        same = recompute(query).same
    except NotRecomputable as error:
        return f"not recomputed: {error}"
    return f"recomputed from its record: {'the same' if same else 'ANOTHER RESULT'}"


def lines(found: Explanation) -> list[str]:
    """Return the explanation as text, a line each."""
    rows = [
        f"  {row.amount}  {row.title} ({row.work_id}), {row.creator}: "
        f"{row.words} words, {row.share_ppm} ppm{f'; {row.reason}' if row.reason else ''}"
        for row in found.rows
    ]
    return [
        f"{found.query_id} to {found.model}: fee {found.fee}",
        found.rule,
        *rows,
        f"  {found.remainder}  remainder: {found.remainder_share_ppm} ppm",
        f"  {found.platform_fee}  platform fee",
        f"booked as entry {found.entry_id} in batch {found.batch_seq}",
        f"{found.method} {found.parameters}",
    ]

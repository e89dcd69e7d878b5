"""``manage.py explain qry_…``: print why one query paid whom; ``--record FILE``: divide it again."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attribution.errors import NotRecomputable, NotSettled
from attribution.explanation import Explanation, explain
from attribution.models import Query
from attribution.reckoning import again
from attribution.recomputing import recompute
from ledger.money import Money
from registry.errors import NotFound
from registry.ids import find


class Command(BaseCommand):
    """Print the explanation of a settled query."""

    help = "Explain one settled query: its works, the rule, every amount and where it is booked."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the query's id, or the file that its page and the API hand out."""
        parser.add_argument("query", nargs="?", help="for example qry_01jd…")
        parser.add_argument(
            "--record", type=Path, metavar="FILE", help="a record (tribute-record/1); no database"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find, explain, print. Exits with a sentence when there is nothing to explain."""
        if (options["query"] is None) == (options["record"] is None):
            raise CommandError("name a query, or a record's file")
        if options["record"] is not None:
            self.stdout.write("\n".join(divided(options["record"])))
            return
        try:
            query = find(Query.objects.all(), options["query"])
            found = explain(query)
        except (NotFound, NotSettled) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join([*lines(found), proof(query)]))


def divided(path: Path) -> list[str]:
    """Divide a record again, and return its amounts, a line each. Raises CommandError."""
    try:
        document = json.loads(path.read_bytes())
        found = again(document)
        paid = sorted(tuple(row) for row in document["paid"])
    except (OSError, ValueError, LookupError, TypeError, AssertionError, NotRecomputable) as error:
        raise CommandError(f"{path} is no record that can be divided: {error!r}") from error
    if found != paid:
        raise CommandError(f"{path} gives ANOTHER RESULT than was paid: {found}")
    yours = document["yours"]
    rows = [
        f"  {Money(row[3], document['currency'])}  {yours.get(row[0], row[0]) or 'remainder'}"
        f"  {yours.get(row[1], row[1])}"
        for row in found
    ]
    return [f"{document['query']}: {document['method']}/{document['version']}", *rows,
            "divided again: the same as was paid"]  # fmt: skip


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

"""``manage.py audit_shares audit.json``: Shapley royalty shares from trainings on subsets."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attribution import auditing
from attribution.auditing import Report
from attribution.errors import InvalidAudit, NotSettled
from attribution.models import Query
from registry.errors import NotFound
from registry.ids import find

DEFAULT_PAIRS = 25


class Command(BaseCommand):
    """Print which trainings an audit needs, or what they show."""

    help = (
        "Audit shares by trainings on subsets of creators. The file is JSON: groups (creators' ids "
        "by the group's name), pairs, seed, and log_likelihoods ([[groups, nats], …]). Without "
        "log_likelihoods, the subsets to train on are printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and a query to compare with."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--query", help="a settled query, for example qry_01jd…")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, audit, print. Exits with a sentence when the file is no audit."""
        try:
            said = json.loads(options["file"].read_text("utf-8"))
            groups = {str(name): list(members) for name, members in said["groups"].items()}
            drawn = {"pairs": said.get("pairs", DEFAULT_PAIRS), "seed": said.get("seed", 0)}
            if "log_likelihoods" not in said:
                subsets = auditing.plan(groups, **drawn).subsets
                self.stdout.write("\n".join(json.dumps(each) for each in subsets))
                return
            known = {frozenset(names): float(nats) for names, nats in said["log_likelihoods"]}
            query = find(Query.objects.all(), options["query"]) if options["query"] else None
            found = auditing.report(groups, known, query=query, **drawn)
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            raise CommandError(f"{options['file']} is no audit: {error}") from error
        except (InvalidAudit, NotFound, NotSettled) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(lines(found)))


def lines(found: Report) -> list[str]:
    """Return a report as text, a line each."""
    rows = [
        f"{each.group}: {each.share_ppm / 10_000:.2f} %, {each.value:.4f} nats "
        f"± {each.standard_error:.4f}"
        + (f"; was paid {each.paid_ppm / 10_000:.2f} %" if each.paid_ppm is not None else "")
        for each in found.shares
    ]
    if found.divergence_ppm is None:
        return rows
    return [*rows, f"what was paid lies {found.divergence_ppm / 10_000:.2f} % from this"]

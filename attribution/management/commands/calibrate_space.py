"""``manage.py calibrate_space mdl_… outputs.jsonl``: find the coefficients of a model's space."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attribution import fitting
from attribution.errors import AttributionError
from attribution.fitting import KnownOutput
from attribution.methods import vectors
from attribution.methods.calibrating import DEFAULT_BUDGET_PPM
from attribution.models import GenerativeModel
from attribution.waiting import Waiting
from registry.errors import NotFound
from registry.ids import find
from tribute.features import reduce


class Command(BaseCommand):
    """Fit a space to outputs of known origin, as the model's queries would be weighed."""

    help = (
        "Fit the coefficients of a model's embedding space. Each line of the file is JSON: vector, "
        "text (where the model reads texts), and origins (shares by work id; none for an output "
        "of nobody's work here)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the model, the file and the budget."""
        parser.add_argument("model", help="for example mdl_01jd…")
        parser.add_argument("file", type=Path)
        parser.add_argument("--budget-ppm", type=int, default=DEFAULT_BUDGET_PPM)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, fit, keep, print. Exits with a sentence when that cannot be done."""
        try:
            model = find(GenerativeModel.objects.select_related("space"), options["model"])
            dimension = model.space.dimension if model.space else 0
            lines = options["file"].read_text("utf-8").splitlines()
            outputs = [_output(json.loads(line), dimension) for line in lines if line.strip()]
            found = fitting.calibrate(model, outputs, budget_ppm=options["budget_ppm"])
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise CommandError(f"{options['file']} holds no outputs: {error}") from error
        except (AttributionError, NotFound) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(found.parameters()))


def _output(said: Mapping[str, Any], dimension: int) -> KnownOutput:
    vector = tuple(vectors.unit(said["vector"], dimension=dimension).tolist())
    features = reduce(said["text"]) if "text" in said else None
    origins = {str(work): float(share) for work, share in said.get("origins", {}).items()}
    return KnownOutput(Waiting(features, vector=vector), origins)

"""A worker of its own process for the settlement benchmark: settles until it is ended."""

import sys
import time

from django.db import connections
from django.utils import timezone

from attribution import worker
from server import garbage

PAUSE_SECONDS = 0.02


def main() -> None:
    """Settle what is due, again and again, in the database named on the command line."""
    connections["default"].settings_dict["NAME"] = sys.argv[1]
    garbage.look_seldom()
    while True:
        if not worker.settle_due(at=timezone.now(), limit=1_000):
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()

"""Run as a process of its own by the crash tests: post until told to stop, write down each answer.

    python -m tests.ledger.posting_forever FILE NAME

Each line of FILE is a key whose posting was acknowledged. A lost database is asked again with
the same keys, as every caller does.
"""

import sys
import time
from itertools import count
from pathlib import Path

import django
import psycopg


def main(acknowledged: Path, name: str) -> None:
    from django.db import OperationalError, connection

    from ledger.accounts import AccountKind, account_ids
    from ledger.posting import Draft, EntryKind, key_for, post
    from tests.factories import NOON

    keys = [(AccountKind.PROVIDER_CLEARING, None, "EUR"), (AccountKind.PLATFORM_FEE, None, "EUR")]
    with acknowledged.open("a") as file:
        for number in count():
            while True:
                try:
                    clearing, fee = account_ids(keys).values()
                    drafts = [
                        Draft(
                            key_for(f"{name}:{number}:{each}"),
                            EntryKind.WITHDRAWAL,
                            "EUR",
                            ((clearing, -1), (fee, 1)),
                            NOON,
                        )
                        for each in range(20)
                    ]
                    post(drafts, at=NOON)
                    break
                except (OperationalError, psycopg.OperationalError):
                    connection.close()
                    time.sleep(0.05)
            file.writelines(f"{draft.key}\n" for draft in drafts)
            file.flush()


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]), sys.argv[2])

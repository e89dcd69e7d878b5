"""Run as a process of its own by the crash tests: post until told to stop, write down each answer.

    python -m tests.ledger.posting_forever FILE NAME [ENTRIES PAIRS]

Each line of FILE is a key whose posting was acknowledged, of FILE.trouble what kept one from
being. A lost database is asked again with the same keys, as every caller does. A call posts ENTRIES
of PAIRS pairs of legs.
"""

import sys
import time
from itertools import count
from pathlib import Path

import django


def main(acknowledged: Path, name: str, entries: int = 20, pairs: int = 1) -> None:
    from django.db import connection

    from ledger.accounts import AccountKind, account_ids
    from ledger.errors import LedgerUnavailable
    from ledger.posting import Draft, EntryKind, key_for, post
    from tests.factories import NOON

    keys = [(AccountKind.PROVIDER_CLEARING, None, "EUR"), (AccountKind.PLATFORM_FEE, None, "EUR")]
    troubles = acknowledged.with_suffix(".trouble")
    with acknowledged.open("a") as file, troubles.open("a") as trouble:
        for number in count():
            while True:
                try:
                    clearing, fee = account_ids(keys).values()
                    drafts = [
                        Draft(
                            key_for(f"{name}:{number}:{each}"),
                            EntryKind.WITHDRAWAL,
                            "EUR",
                            ((clearing, -1), (fee, 1)) * pairs,
                            NOON,
                        )
                        for each in range(entries)
                    ]
                    post(drafts, at=NOON)
                    break
                except LedgerUnavailable as error:
                    trouble.write(f"{type(error.__cause__).__name__}\n")
                    trouble.flush()
                    connection.close()
                    time.sleep(0.05)
            file.writelines(f"{draft.key}\n" for draft in drafts)
            file.flush()


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))

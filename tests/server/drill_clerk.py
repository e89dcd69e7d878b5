"""Run as a process of its own by the restore drill: keep the books of one database as told.

    python -m tests.server.drill_clerk

Reads one order a line and answers each with one line of JSON: what `manage.py` printed or refused,
or, for ``post NAME``, that an entry was posted and the chain's head published.
"""

import io
import json
import sys

import django


def answer(order: str) -> str:
    from django.core.management import call_command
    from django.core.management.base import CommandError

    words = order.split()
    if words[0] == "post":
        post_one(words[1])
        return "posted"
    said = io.StringIO()
    try:
        call_command(*words, stdout=said)
    except CommandError as error:
        return f"{said.getvalue()}refused: {error}"
    return said.getvalue()


def post_one(name: str) -> None:
    from django.utils import timezone

    from ledger import heads
    from ledger.accounts import AccountKind, account_ids
    from ledger.posting import Draft, EntryKind, key_for, post

    keys = [(AccountKind.PROVIDER_CLEARING, None, "EUR"), (AccountKind.PLATFORM_FEE, None, "EUR")]
    clearing, fee = account_ids(keys).values()
    legs = ((clearing, -1), (fee, 1))
    now = timezone.now()
    draft = Draft(key_for(name), EntryKind.WITHDRAWAL, "EUR", legs, now)
    assert not post([draft], at=now).refused
    heads.publish(at=now)


if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()

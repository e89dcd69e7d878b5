"""Takeout: make the archive of all that is kept of a person, a page of a chapter at a time.

Owns the order of an archive and what each file in it looks like; which rows there are, says
``attribution.chapters``. Each page is one transaction that also moves the export's place, so a
worker killed anywhere is followed by one that goes on there, and no more than a page is in memory.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from attribution.chapters import CHAPTERS, Chapter, Row, value_of
from ledger import payees, statements
from registry import csv_lines, exports
from registry.models import Creator, DataExport, User

Describe = Callable[[User], Mapping[str, Any]]
"""What is known of how a person logs in, without secrets: that is not this app's to know."""

README = """\
Your data at Tribute ({address}), as of {day} UTC.

A folder for each creator you act for, and in it a file for each kind of thing, once as JSON Lines
(one JSON object a line) and once as CSV (UTF-8, for spreadsheets; a text that would be taken for a
formula has an apostrophe before it). Long tables go on in files with -2, -3 and so on. A file that
is not there would have been empty.

creator.json           names, when you joined, where you are paid to, what you have earned
works, identifiers     what you registered or have a share in, and how it is recognised
references             your own names for works
sites, signers         places and certificates you claim, and how control was shown
past-proofs            proofs of control that ended
statements             what you said may be done, with the entry of the public log and its proof:
                       save the field "proof" as a file and run
                       tribute log verify FILE --key '<the log's verifier key>'
terms, grants          what your licences ask, and who accepted them
disputes, dispute-steps, match-appeals, related-operators, imports, webhooks
keys                   your API keys, without their secrets, of which we keep fingerprints only
contributions          each part of each answer that was yours: micros of the currency, the weight it
                       stands for, and why nothing was paid where that is so
payouts, set-aside     what was paid, and what waits
statements-of-account  a month each, as on your pages

person.json            your account: addresses, ways to log in and sessions, without secrets

Amounts are micros: millionths of the currency's unit. Times are UTC.

您在 Tribute 的数据（{address}），截至 {day}（UTC）。每位创作者一个文件夹；每类数据各有一个 JSON Lines 文件
和一个 CSV 文件。长表在 -2、-3 等文件中继续；没有的文件表示没有数据。金额以微单位（百万分之一）计，时间为 UTC。
statements 中的 proof 字段可另存为文件，并用 tribute log verify 离线验证。
"""


def work_off(*, describe: Describe, clock: Callable[[], datetime], until: datetime) -> int:
    """Make what is asked for until ``until``, the oldest first; return how many pages were written."""
    pages = 0
    while clock() < until and _next_page(describe, at=clock()):
        pages += 1
    return pages


@transaction.atomic
def _next_page(describe: Describe, *, at: datetime) -> bool:
    waiting = DataExport.objects.exclude(status=DataExport.Status.READY)
    export = (
        waiting.select_for_update(skip_locked=True, of=("self",))
        .order_by("requested_at", "pk")
        .first()
    )
    if export is None:
        return False
    if not export.place:
        _begin(export, describe, at=at)
    elif export.place["creator"] >= len(export.place["creators"]):
        exports.finish(export, at=at)
    else:
        creator = Creator.objects.get(pk=export.place["creators"][export.place["creator"]])
        _go_on(export, creator, at=at)
    export.save()
    return True


def _begin(export: DataExport, describe: Describe, *, at: datetime) -> None:
    """Fix whom it is about, count, and write what is not of one creator alone."""
    creators = [export.creator] if export.creator else _acts_for(export.user)
    export.status = DataExport.Status.MAKING
    export.rows_count = sum(
        chapter.rows(creator).count() for creator in creators for chapter in CHAPTERS
    )
    export.place = _place(creators=[creator.pk for creator in creators])
    readme = README.format(address=settings.PUBLIC_URL, day=f"{at:%Y-%m-%d %H:%M}")
    exports.append(export, "README.txt", readme.encode(), at=at)
    if export.user:
        person = _person(export.user) | dict(describe(export.user))
        exports.append(export, "person.json", _json(person), at=at)


def _go_on(export: DataExport, creator: Creator, *, at: datetime) -> None:
    place = export.place
    if creator.erased_at is not None:
        export.place = _place(creators=place["creators"], creator=place["creator"] + 1)
    elif place["chapter"] < len(CHAPTERS):
        _write_page(export, creator, CHAPTERS[place["chapter"]], at=at)
    else:
        _write_rest(export, creator, at=at)
        export.place = _place(creators=place["creators"], creator=place["creator"] + 1)


def _write_page(export: DataExport, creator: Creator, chapter: Chapter, *, at: datetime) -> None:
    """Write the next rows of a chapter, and move on in it, or to the next when they are the last."""
    place = export.place
    rows = chapter.rows(creator).order_by("pk")
    if place["after"] is not None:
        rows = rows.filter(pk__gt=place["after"])
    page = list(rows[: chapter.page])
    if page:
        told = list(chapter.told(page, creator))
        suffix = "" if place["page"] == 1 else f"-{place['page']}"
        name = f"{creator.handle}/{chapter.name}{suffix}"
        lines = (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in told)
        exports.append(export, f"{name}.jsonl", "".join(lines).encode(), at=at)
        exports.append(export, f"{name}.csv", _csv(told), at=at)
        export.done_count += len(page)
    if len(page) == chapter.page:
        export.place = place | {"page": place["page"] + 1, "after": page[-1].pk}
    else:
        export.place = place | {"chapter": place["chapter"] + 1, "page": 1, "after": None}


def _write_rest(export: DataExport, creator: Creator, *, at: datetime) -> None:
    """Write what is one thing: the creator, and the statement of account of each month."""
    exports.append(export, f"{creator.handle}/creator.json", _json(_creator(creator)), at=at)
    month = statements.first_month(creator)
    while month is not None and month <= at:
        period = f"{month:%Y-%m}"
        text = statements.csv(creator, period)
        name = f"{creator.handle}/statements-of-account/{period}.csv"
        exports.append(export, name, text.encode(), at=at)
        _, month = statements.month(period)


def _place(*, creators: Sequence[str], creator: int = 0) -> dict[str, Any]:
    return {"creators": list(creators), "creator": creator, "chapter": 0, "page": 1, "after": None}


def _acts_for(user: User | None) -> Sequence[Creator]:
    assert user is not None, "export_is_of_a_person_or_a_creator"
    return list(user.creators.filter(erased_at=None).order_by("created_at", "pk"))


def _person(user: User) -> dict[str, Any]:
    return {
        "person": user.pk,
        "name": user.name,
        "language": user.language,
        "email": user.email,
        "joined_at": value_of(user, "date_joined"),
        "last_login_at": value_of(user, "last_login"),
        "payout_admin": user.is_payout_admin,
        "reviewer": user.is_staff,
        "creators": [creator.handle for creator in user.creators.order_by("pk")],
        "operators": [operator.handle for operator in user.operators.order_by("pk")],
    }


def _creator(creator: Creator) -> dict[str, Any]:
    payee = payees.of(creator)
    return {
        "creator": creator.pk,
        "handle": creator.handle,
        "display_name": creator.display_name,
        "joined_at": value_of(creator, "created_at"),
        "identity_verified_at": value_of(creator, "identity_verified_at"),
        "wants_payment": creator.wants_payment,
        "members": creator.members.count(),
        "paid_to": payee
        and {
            "gateway": payee.gateway,
            "account": payee.account,
            "holder": payee.holder,
            "country": payee.country,
            "can_receive": payee.can_receive,
        },
        "earnings": [_earned(creator, currency) for currency in statements.currencies_of(creator)],
    }


def _earned(creator: Creator, currency: str) -> dict[str, Any]:
    found = statements.earnings(creator, currency=currency)
    amounts = {
        name: getattr(found, name).micros for name in ("earned", "pending", "available", "debt")
    }
    return {"currency": currency, "micros": amounts}


def _json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, indent=2, default=str).encode()


def _csv(rows: Sequence[Row]) -> bytes:
    lines = [csv_lines.line(rows[0])]
    lines += [csv_lines.line([_cell(value) for value in row.values()]) for row in rows]
    return "".join(lines).encode()


def _cell(value: Any) -> csv_lines.Cell:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if value is None or isinstance(value, str | int | Decimal) else str(value)

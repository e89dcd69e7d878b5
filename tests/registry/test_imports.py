"""Imports: many works from one file, each row with an outcome, nothing lost and nothing twice."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from registry import consent, decision_index, imports, uploads, works
from registry.models import (
    ClaimConflict,
    Creator,
    DecisionIndex,
    Identifier,
    Import,
    ImportRow,
    LogOutbox,
    RightsShare,
    Statement,
    UploadPart,
    Work,
)
from tests.factories import NOON, make_creator, make_work
from tests.registry.test_licensing import license_work
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
HEADER = "title,medium,url,reference,train-ai"


def ticking(start: datetime = NOON) -> Any:
    """A clock that goes on by a second each time it is read."""
    now = iter(start + timedelta(seconds=n) for n in range(10**6))
    return lambda: next(now)


def uploaded(
    creator: Creator,
    content: bytes | str,
    written_as: Import.Format = Import.Format.CSV,
    *,
    dry_run: bool = False,
) -> Import:
    data = content if isinstance(content, bytes) else content.encode()
    upload = uploads.begin(creator, size=len(data), at=NOON)
    uploads.receive(upload, offset=0, blocks=[data], at=NOON)
    return imports.expect(creator, upload, written_as=written_as, dry_run=dry_run, at=NOON)


def imported(creator: Creator, content: bytes | str, *args: Any, **options: Any) -> Import:
    made = uploaded(creator, content, *args, **options)
    imports.work_off(clock=ticking(), until=NOON + HOUR)
    made.refresh_from_db()
    return made


def outcomes(made: Import) -> list[tuple[int, str, str]]:
    return [(row.row_number, row.outcome, row.field) for row in imports.report(made)]


def test_rows_become_works_with_their_identifiers_shares_and_statements() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    rows = [
        {
            "title": "April",
            "medium": "text",
            "url": ["https://www.ada.example:443/a", "https://ada.example/b"],
            "sha256": "ab" * 32,
            "shares": {"ada": 700_000, "ben": 300_000},
            "decisions": {"train-ai": "allow paid", "search": "deny"},
            "reference": "A-1",
        },
        {"title": "May", "medium": "image", "url": "https://ada.example/may"},
    ]

    made = imported(ada, "\n".join(map(json.dumps, rows)), Import.Format.JSON_LINES)

    assert (made.status, made.rows_count, made.registered_count) == ("ready", 2, 2)
    april = Work.objects.get(title="April")
    assert sorted(april.identifiers.values_list("kind", "canonical")) == [
        ("sha256", "ab" * 32),
        ("url", "ada.example/a"),
        ("url", "ada.example/b"),
    ]
    shares = {s.creator_id: (s.ppm, s.confirmed_at) for s in april.shares.all()}
    assert shares[ada.pk][0] == 700_000
    assert shares[ben.pk] == (300_000, None)
    said = list(april.statements.order_by("sequence").values_list("purpose", "decision", "paid"))
    assert said == [("train-ai", "allow", True), ("search", "deny", False)]
    assert next(imports.report(made)).work_id == april.pk
    assert not UploadPart.objects.exists()
    assert set(ImportRow.objects.values_list("body", flat=True)) == {None}


def test_an_import_writes_what_registering_one_by_one_writes() -> None:
    ada, ben, eve = make_creator("ada"), make_creator("ben"), make_creator("eve", verified=False)
    make_work(eve, url="https://shared.example/2")
    consent.state(ben, ben, purpose=Purpose.SEARCH, decision=Decision.DENY, at=NOON)
    lines = [HEADER]
    for number in range(5):
        decision = ["allow paid", "deny", "", "allow", "deny"][number]
        lines.append(f"W{number},text,https://shared.example/{number},,{decision}")
    # The same by hand, for another creator, at other addresses.
    for number in range(5):
        stated = [Decision.ALLOW, Decision.DENY, None, Decision.ALLOW, Decision.DENY][number]
        work = works.register(
            ben,
            title=f"W{number}",
            medium=Medium.TEXT,
            identifiers=[(IdentifierKind.URL, f"https://apart.example/{number}")],
            at=NOON,
        )
        if stated is not None:
            consent.state(
                ben, work, purpose=Purpose.TRAIN_AI, decision=stated, paid=number == 0, at=NOON
            )
    consent.state(ada, ada, purpose=Purpose.SEARCH, decision=Decision.DENY, at=NOON)

    imported(ada, "\n".join(lines))

    def written(creator: Creator) -> list[Any]:
        found = []
        for work in creator.registered_works.order_by("title"):
            identifier = work.identifiers.get()
            index = DecisionIndex.objects.filter(key=identifier.key).order_by("tier", "subject")
            found.append(
                (
                    work.title,
                    work.medium,
                    len(identifier.scopes),
                    list(work.shares.values_list("ppm", flat=True)),
                    [
                        (s.sequence, s.purpose, s.decision, s.paid, s.vocabulary_version)
                        for s in work.statements.all()
                    ],
                    [
                        (
                            row.tier,
                            [(s["purpose"], s["decision"], s["proven"]) for s in row.statements],
                        )
                        for row in index
                    ],
                )
            )
        return found

    one, many = written(ben), written(ada)
    assert [row[:5] for row in one] == [row[:5] for row in many]
    # Where somebody else claims the address there is a conflict, and his row beside.
    assert [row[5] for row in one[:2]] == [row[5] for row in many[:2]]
    assert ClaimConflict.objects.get().work.title == "W2"
    assert decision_index.differences(at=NOON + HOUR) == []
    leaves = [json.loads(bytes(leaf.leaf)) for leaf in LogOutbox.objects.order_by("id")]
    assert len([leaf for leaf in leaves if leaf["t"] == "consent.set"]) == Statement.objects.count()


def test_the_same_reference_again_is_the_same_work() -> None:
    ada = make_creator("ada")
    first = imported(ada, f"{HEADER}\nApril,text,https://ada.example/a,A-1,deny")

    again = imported(ada, f"{HEADER}\nApril,text,https://ada.example/a,A-1,deny")
    changed = imported(ada, f"{HEADER}\nMay,text,https://ada.example/a,A-1,deny")

    work = Work.objects.get()
    (row,) = imports.report(again)
    assert (row.outcome, row.work_id, first.registered_count) == ("duplicate", work.pk, 1)
    (row,) = imports.report(changed)
    assert (row.outcome, row.field) == ("error", "reference")
    assert "other content" in row.reason
    # Another creator's reference is his own.
    assert (
        imported(
            make_creator("ben"), f"{HEADER}\nX,text,https://ben.example/,A-1,"
        ).registered_count
        == 1
    )


def test_what_is_registered_already_and_what_comes_twice_is_a_duplicate() -> None:
    ada = make_creator("ada")
    known = make_work(ada, url="https://ada.example/a")

    made = imported(
        ada,
        f"{HEADER}\nA,text,http://ada.example/a#x,,\nB,text,https://ada.example/b,,\n"
        "C,text,https://ada.example/b,,\n",
    )

    rows = list(imports.report(made))
    assert [row.outcome for row in rows] == ["duplicate", "registered", "duplicate"]
    assert rows[0].work_id == known.pk
    assert rows[2].work_id == rows[1].work_id
    assert (made.registered_count, made.duplicate_count, Work.objects.count()) == (1, 2, 2)


def test_a_dry_run_reports_what_a_run_would_and_registers_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "ROWS_REGISTERED_AT_ONCE", 2)
    ada = make_creator("ada")
    make_work(ada, url="https://ada.example/known")
    rows = [
        HEADER,
        "A,text,https://ada.example/known,,",
        "B,text,https://ada.example/b,R-1,deny",
        "B,text,https://ada.example/b,R-1,deny",
        "C,text,https://ada.example/b,,",
        "D,text,https://ada.example/d,R-1,",
        "E,text,https://ada.example/e,R-2,",
        "F,text,https://ada.example/f,R-2,",
        "G,song,https://ada.example/g,,",
    ]
    content = "\n".join(rows)

    rehearsed = outcomes(imported(ada, content, dry_run=True))

    assert (Work.objects.count(), Statement.objects.count()) == (1, 0)
    real = outcomes(imported(ada, content))
    assert [(number, kind) for number, kind, _ in rehearsed] == [
        (number, kind) for number, kind, _ in real
    ]
    assert [kind for _, kind, _ in real] == [
        "duplicate",
        "registered",
        "duplicate",
        "duplicate",
        "error",
        "registered",
        "error",
        "error",
    ]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (b",text,https://a.example/,,", "title"),
        (b"A,poem,https://a.example/,,", "medium"),
        (b"A,text,nowhere,,", "url"),
        (b"A,text,,,", "url"),
        (b"A,text,https://a.example/,,perhaps", "train-ai"),
        (b"A,text,https://a.example/,,deny paid", "train-ai"),
        (b"A,text,https://a.example/,,license trm_00000000000000000000000000", "train-ai"),
        (b"=cmd(),text,https://a.example/,,", "title"),
        (b"A,text,https://a.example/", "row"),
        (b"A,text,https://a.example/,,,,", "row"),
        (b'"A"b,text,https://a.example/,,', "row"),
        (b"\xe9t\xe9,text,https://a.example/,,", "row"),
        (b"A\x00,text,https://a.example/,,", "title"),
        (b"x" * 10_000_000, "row"),
        (b'"never closed,text,https://a.example/,,', "row"),
        (b"A" * 301 + b",text,https://a.example/,,", "title"),
        (b"A,text,https://a.example/," + b"r" * 201 + b",", "reference"),
    ],
)
def test_a_bad_row_is_named_and_spoils_no_other(row: bytes, field: str) -> None:
    ada = make_creator("ada")
    good = [b"Good %d,text,https://ada.example/%d,," % (n, n) for n in (1, 2)]

    made = imported(ada, b"\r\n".join([HEADER.encode(), good[0], row, good[1]]))

    assert outcomes(made) == [(1, "registered", ""), (2, "error", field), (3, "registered", "")]
    assert (made.status, made.error_count) == ("ready", 1)


def test_what_spreadsheets_write_is_read() -> None:
    ada = make_creator("ada")
    content = (
        b"\xef\xbb\xbfTitle;Medium;URL;shares\r\n"
        b'"One\r\n""line"" two; ""quoted""";text;https://ada.example/1;\r\n'
        b";;;\r\n"
        b'12" disk;other;https://ada.example/2 https://ada.example/3;ada:1000000\r\n'
    )

    made = imported(ada, content)

    assert outcomes(made) == [(1, "registered", ""), (2, "registered", "")]
    assert set(Work.objects.values_list("title", flat=True)) == {
        'One\n"line" two; "quoted"',
        '12" disk',
    }
    assert Identifier.objects.count() == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line"),
        (HEADER.encode(), "no rows"),
        (b"title,medium,colour\nA,text,red", "colour"),
        (b"title,url\nA,https://a.example/", "title and medium"),
        ("title,medium\n".encode("utf-16"), "UTF-16"),
        (b"x" * 100_000, "first line"),
        (b"title,medium,\xff\n", "first line"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(content: bytes, said: str) -> None:
    made = imported(make_creator("ada"), content)

    assert made.status == "failed"
    assert said in made.failure


def test_json_that_is_none_is_a_row_with_a_fault() -> None:
    ada = make_creator("ada")
    rows = [
        b"\xef\xbb\xbf[]",
        b"{",
        b'{"title": "A", "medium": "text", "url": "https://a.example/", "colour": "red"}',
        b'{"title": "A\\u0000", "medium": "text", "url": "https://a.example/"}',
        b'{"title": "A", "medium": "text", "url": 7}',
        b'{"title": "A", "medium": "text", "url": "https://a.example/", "shares": {"ben": 1}}',
        b'{"title": "A", "medium": "text", "url": "https://a.example/", "shares": {"zoe": 1000000}}',
        b'{"title": "A", "medium": "text", "url": "https://a.example/", "decisions": {"all": "deny"}}',
        b'{"title": "=A", "medium": "text", "url": "https://a.example/"}',
        b"",
    ]

    made = imported(ada, b"\n".join(rows), Import.Format.JSON_LINES)

    assert [field for _, _, field in outcomes(made)] == [
        "row",
        "row",
        "colour",
        "title",
        "url",
        "shares",
        "shares",
        "decisions",
        "",
    ]
    assert Work.objects.get().title == "=A"


def test_terms_are_named_by_their_owner_alone() -> None:
    ada = make_creator("ada")
    own = license_work(make_work(ada))
    others = license_work(make_work(make_creator("ben")))
    rows = [
        {
            "title": "A",
            "medium": "text",
            "url": f"https://ada.example/x{n}",
            "decisions": {"train-ai": f"license {terms.pk} paid"},
        }
        for n, terms in enumerate([own, others])
    ]

    made = imported(ada, "\n".join(map(json.dumps, rows)), Import.Format.JSON_LINES)

    assert [(kind, field) for _, kind, field in outcomes(made)] == [
        ("registered", ""),
        ("error", "train-ai"),
    ]
    said = Statement.objects.get(work__title="A")
    assert (said.terms, said.paid, said.decision) == (own, True, "license")


def test_near_copies_of_others_works_open_a_conflict() -> None:
    text = "Whan that Aprille with his shoures soote the droghte of March hath perced " * 20
    ben = make_creator("ben")
    original = make_work(ben, text=text)
    copy = make_work(make_creator("eve"), text=text + " and some more")
    code = copy.iscc
    ada = make_creator("ada")

    made = imported(
        ada, json.dumps({"title": "A", "medium": "text", "iscc": code}), Import.Format.JSON_LINES
    )

    (row,) = imports.report(made)
    found = ClaimConflict.objects.filter(work=row.work_id)
    assert {conflict.other_id for conflict in found} == {original.pk, copy.pk}
    assert decision_index.differences(at=NOON + HOUR) == []


def test_bytes_that_are_not_those_announced_are_not_read() -> None:
    ada = make_creator("ada")
    data = f"{HEADER}\nA,text,https://ada.example/,,".encode()
    upload = uploads.begin(ada, size=len(data), sha256=hashlib.sha256(b"other").digest(), at=NOON)
    uploads.receive(upload, offset=0, blocks=[data], at=NOON)
    made = imports.expect(ada, upload, written_as=Import.Format.CSV, at=NOON)

    imports.work_off(clock=ticking(), until=NOON + HOUR)

    made.refresh_from_db()
    assert (made.status, made.failure.partition(":")[0]) == ("failed", "upload_digest_differs")
    assert not Work.objects.exists()


@pytest.mark.parametrize("after", range(1, 14))
def test_a_worker_killed_after_any_chunk_leaves_the_rest_to_the_next(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_READ_AT_ONCE", 7)
    monkeypatch.setattr(imports, "ROWS_REGISTERED_AT_ONCE", 5)
    ada = make_creator("ada")
    rows = [f'"W\n{n}",text,https://ada.example/{n % 18},,deny' for n in range(20)]
    made = uploaded(ada, "\n".join([HEADER, *rows]))
    # Each chunk reads the clock twice; time is up after so many readings.
    imports.work_off(clock=ticking(), until=NOON + timedelta(seconds=after))
    imports.work_off(clock=ticking(), until=NOON + HOUR)

    made.refresh_from_db()
    assert (made.status, made.registered_count, made.duplicate_count) == ("ready", 18, 2)
    assert Work.objects.count() == 18
    assert RightsShare.objects.count() == 18
    assert [number for number, _, _ in outcomes(made)] == list(range(1, 21))


@pytest.mark.parametrize("where", ["_stage", "_save", "_tell"])
def test_a_worker_killed_within_a_chunk_leaves_nothing_of_it(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_REGISTERED_AT_ONCE", 2)
    made = uploaded(
        make_creator("ada"),
        "\n".join([HEADER, *(f"W{n},text,https://ada.example/{n},R{n},deny" for n in range(5))]),
    )
    done = getattr(imports, where)

    def killed(*args: Any) -> None:
        done(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(imports, where, killed)
        with pytest.raises(KeyboardInterrupt):
            imports.work_off(clock=ticking(), until=NOON + HOUR)

    imports.work_off(clock=ticking(), until=NOON + HOUR)

    made.refresh_from_db()
    assert (made.status, made.rows_count, made.registered_count) == ("ready", 5, 5)
    assert (Work.objects.count(), Statement.objects.count()) == (5, 5)

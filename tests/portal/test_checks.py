"""An operator's questions on pages: asked, counted, narrowed, and proven by what can be downloaded."""

import csv
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from registry import receipts, tasks
from registry.models import Check
from tests.factories import deny
from tests.portal.conftest import World, signed_in
from tests.portal.reading import read
from tribute import receipts as verifier
from tribute.vocabulary import Purpose

ASK = "/operator/checks/ask/"
TYGER = "https://ben.example/tyger"
LINES = f"{TYGER}\r\n\r\n  https://nobody.example/1  \nno address\n{'ab' * 32}"


@pytest.fixture
def asked(world: World) -> Check:
    answer = signed_in("olga").post(ASK, {"things": LINES, "purposes": ["train-ai", "search"]})
    made = Check.objects.get()
    assert answer["Location"] == f"/operator/checks/{made.pk}/"
    return made


def page_of(check: Check, query: str = "") -> str:
    answer = signed_in("olga").get(f"/operator/checks/{check.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_lines_are_asked_about_as_what_they_are(asked: Check) -> None:
    items = [row["item"] for row in asked.rows]
    assert items == [
        {"url": TYGER},
        {"url": "https://nobody.example/1"},
        {"url": "no address"},
        {"sha256": "ab" * 32},
    ]
    assert (asked.purposes, asked.operator.handle) == (["train-ai", "search"], "acme")


def test_answers_are_counted_shown_and_explained(asked: Check) -> None:
    page = page_of(asked)
    read(page)
    assert "4 items asked about" in page
    assert "1 item was not understood" in page
    assert "Nobody has said anything about train-ai for this item." in page
    assert receipts.public_key().hex() in page


def test_answers_are_narrowed_by_purpose_and_decision(world: World) -> None:
    deny(world.site, at=world.site.claimed_at, purpose=Purpose.SEARCH)
    things = "https://ada.example/1\nhttps://nobody.example/1"
    signed_in("olga").post(ASK, {"things": things, "purposes": ["search"]})

    denied = page_of(Check.objects.get(), "?purpose=search&decision=deny")
    unknown = page_of(Check.objects.get(), "?purpose=search&decision=unknown")
    neither = page_of(Check.objects.get(), "?purpose=train-ai&decision=deny")
    odd = page_of(Check.objects.get(), "?purpose=everything&decision=%00&page=many")

    assert ("ada.example/1" in denied, "nobody.example" in denied) == (True, False)
    assert ("ada.example/1" in unknown, "nobody.example" in unknown) == (False, True)
    assert "No item got this answer." in neither
    assert ("ada.example/1" in odd, "nobody.example" in odd) == (True, True)


def test_many_answers_come_by_the_page(world: World) -> None:
    things = "\n".join(f"https://nobody.example/{number}" for number in range(60))
    signed_in("olga").post(ASK, {"things": things, "purposes": ["search"]})

    last = page_of(Check.objects.get(), "?page=3")

    assert "51 to 60 of 60" in last
    assert "nobody.example/59" in last
    assert "nobody.example/49<" not in last


def test_what_is_downloaded_proves_the_answers(asked: Check, log_home: Path) -> None:
    olga, path = signed_in("olga"), f"/operator/checks/{asked.pk}/"
    assert "is written within moments" in page_of(asked)
    tasks.sequence_log()

    receipt = olga.get(f"{path}receipt.json")
    proof = olga.get(f"{path}answers/3.json")
    lines = b"".join(olga.get(f"{path}answers.jsonl")).splitlines()

    assert receipt["Content-Disposition"] == f'attachment; filename="{asked.pk}.receipt.json"'
    assert receipt["Cache-Control"] == "no-store"
    found = json.loads(receipt.content)
    signed = verifier.verify_receipt(
        found, public_key=receipts.public_key(), items=[row["item"] for row in asked.rows]
    )
    row = json.loads(proof.content)
    leaf = verifier.row_digest(row["item"], row["answer"], salt=bytes.fromhex(row["salt"]))
    path_up = [bytes.fromhex(sibling) for sibling in row["path"]]
    assert verifier.verify_inclusion(leaf, index=3, size=4, path=path_up, root=signed.answers_root)
    assert found["log"]["proof"] is not None
    assert [json.loads(line)["answer"] for line in lines] == asked.results
    assert "is proven in it" in page_of(asked)


def test_the_table_has_a_line_for_each_item_and_no_formula(world: World) -> None:
    olga = signed_in("olga")
    olga.post(ASK, {"things": f"{TYGER}\n=cmd()", "purposes": ["search", "train-ai"]})
    answer = olga.get(f"/operator/checks/{Check.objects.get().pk}/answers.csv")

    head, first, second = list(csv.reader(b"".join(answer).decode().splitlines()))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert head == ["line", "id", "url", "sha256", "iscc", "search", "train-ai", "problem"]
    assert first == ["1", "", TYGER, "", "", "unknown", "unknown", ""]
    assert (second[2], bool(second[-1])) == ("'=cmd()", True)


def test_a_file_of_lines_is_read_as_well(world: World) -> None:
    file = SimpleUploadedFile("list.txt", b"\xef\xbb\xbf" + TYGER.encode() + b"\n")
    signed_in("olga").post(ASK, {"file": file, "purposes": ["train-ai"]})

    assert [row["item"] for row in Check.objects.get().rows] == [{"url": TYGER}]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"things": " \n ", "purposes": ["train-ai"]}, "Give one line at least."),
        ({"things": "https://a.example/"}, "Choose one purpose at least."),
        ({"things": "a\n" * 10_001, "purposes": ["train-ai"]}, "more than 10,000 lines"),
        ({"things": "https://a.example/", "purposes": ["everything"]}, "everything"),
    ],
)
def test_a_question_that_makes_no_sense_is_said_and_not_kept(
    world: World, sent: dict[str, object], said: str
) -> None:
    answer = signed_in("olga").post(ASK, sent)

    assert answer.status_code == 422
    page = answer.content.decode()
    read(page)
    assert said in page
    assert not Check.objects.exists()


def test_a_file_that_is_no_text_is_said(world: World) -> None:
    file = SimpleUploadedFile("list.txt", b"\xff\xfe\x00")
    answer = signed_in("olga").post(ASK, {"file": file, "purposes": ["train-ai"]})

    assert (answer.status_code, Check.objects.exists()) == (422, False)
    assert "not UTF-8 text" in answer.content.decode()


def test_odd_characters_get_an_answer_and_no_error(world: World) -> None:
    odd = "https://a.example/\x00\nhttps://b.example/\u2028x\n\u202egnp.example"
    answer = signed_in("olga").post(ASK, {"things": odd, "purposes": ["train-ai"]})

    assert answer.status_code in {302, 422}
    for made in Check.objects.all():
        assert made.items_count == 3
        page_of(made)


def test_questions_are_nobody_elses(asked: Check) -> None:
    mallory, path = signed_in("mallory"), f"/operator/checks/{asked.pk}/"
    assert asked.pk not in mallory.get("/operator/checks/").content.decode()
    for each in (path, f"{path}receipt.json", f"{path}answers.jsonl", f"{path}answers.csv"):
        assert mallory.get(each).status_code == 404
        assert signed_in("ada").get(each)["Location"] == "/welcome/"
    assert mallory.get(f"{path}answers/0.json").status_code == 404
    assert signed_in("olga").get(f"{path}answers/4.json").status_code == 404


def test_the_list_names_each_question(asked: Check) -> None:
    page = signed_in("olga").get("/operator/checks/?sort=items").content.decode()
    read(page)
    assert f"/operator/checks/{asked.pk}/" in page
    assert "Nothing asked so far" in signed_in("mallory").get("/operator/checks/").content.decode()

"""The log's public pages: anybody may read them, in both languages, and a work's words lead there."""

from pathlib import Path

import pytest
from django.test import Client

from portal.views.transparency_log import KINDS
from registry import log, log_signing, log_tree
from registry.models import LogEntry
from tests.portal.conftest import World, signed_in
from tribute.log import proofs

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(world: World, log_home: Path) -> World:
    log_tree.grow(limit=1_000)
    return world


def test_anybody_reads_how_far_the_log_is_and_how_to_verify_it(signed: World) -> None:
    page = Client().get("/log/").content.decode()

    assert str(log_signing.verifier()) in page.replace("&#x27;", "'")
    assert f"<dd>{LogEntry.objects.count()}</dd>" in page
    assert "tribute log audit http://testserver/log" in page
    assert page.count('href="/log/entries/') == min(12, LogEntry.objects.count())
    assert "A creator&#x27;s word" in page or "A creator's word" in page


def test_an_entry_is_shown_with_its_proof(signed: World) -> None:
    leaf = log.leaves(2, 3)[0]
    digest = log.hash_of(leaf).hex()

    page = Client().get("/log/entries/2").content.decode()

    assert digest in page
    assert f'href="/v1/log/proofs/{digest}.tlog-proof"' in page
    proof = proofs.parse(Client().get(f"/v1/log/proofs/{digest}.tlog-proof").content)
    assert proofs.verify(proof, log_signing.verifier()).leaf == leaf


def test_an_entry_that_is_not_there_is_not_found(signed: World) -> None:
    assert Client().get("/log/entries/100000").status_code == 404
    assert Client().get("/log/entries/x").status_code == 404


def test_before_the_log_begins_the_page_says_so(world: World, log_home: Path) -> None:
    answer = Client().get("/log/")
    assert answer.status_code == 200
    assert "the log has not begun" in answer.content.decode()


def test_a_log_in_trouble_is_not_shown(signed: World, log_home: Path) -> None:
    (log_home / "checkpoint").write_bytes(b"nonsense")
    for path in ("/log/", "/log/entries/0"):
        answer = Client().get(path)
        assert answer.status_code == 503
        assert "cannot be read just now" in answer.content.decode()


def test_the_pages_speak_chinese(signed: World) -> None:
    for path, words in (("/log/", "透明日志"), ("/log/entries/0", "下载证明")):
        answer = Client().get(path, headers={"Accept-Language": "zh-hans"})
        assert words in answer.content.decode()


def test_a_works_words_lead_to_their_proof(signed: World) -> None:
    page = signed_in("ada").get(f"/works/{signed.chariot.pk}/mine/").content.decode()
    assert '<a href="/log/entries/' in page
    assert "log entry " in page


def test_every_leaf_type_has_its_words() -> None:
    assert set(KINDS) == log.LEAF_TYPES

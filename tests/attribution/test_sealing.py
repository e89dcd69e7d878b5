"""Evidence opens with its key, beside its query, unchanged; and not otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import EvidenceUnreadable
from attribution.sealing import Sealed, digests, seal, unseal

OTHER = "another secret of at least 32 characters"


@given(plain=st.binary(max_size=2_000))
def test_what_is_sealed_can_be_opened_and_does_not_show(plain: bytes) -> None:
    sealed = seal(plain, beside="qry_1")

    assert unseal(sealed, beside="qry_1") == plain
    assert len(plain) < 4 or plain not in sealed.box


def test_sealing_twice_gives_different_boxes() -> None:
    assert seal(b"the same", beside="qry_1").box != seal(b"the same", beside="qry_1").box


@pytest.mark.parametrize("place", [0, 12, -1])
def test_a_changed_box_is_unreadable(place: int) -> None:
    sealed = seal(b"evidence", beside="qry_1")
    changed = bytearray(sealed.box)
    changed[place] ^= 1

    with pytest.raises(EvidenceUnreadable):
        unseal(Sealed(sealed.key_id, bytes(changed)), beside="qry_1")


@pytest.mark.parametrize("box", [b"", b"short"])
def test_a_box_that_is_cut_off_is_unreadable(box: bytes) -> None:
    with pytest.raises(EvidenceUnreadable):
        unseal(Sealed(seal(b"", beside="q").key_id, box), beside="q")


def test_a_key_that_is_gone_opens_nothing(settings: Any) -> None:
    sealed = seal(b"evidence", beside="qry_1")
    settings.EVIDENCE_KEYS = [OTHER]

    with pytest.raises(EvidenceUnreadable):
        unseal(sealed, beside="qry_1")


def test_a_digest_depends_on_the_key_and_the_newest_comes_first(settings: Any) -> None:
    (old,) = digests(b"payload")
    settings.EVIDENCE_KEYS = [OTHER, *settings.EVIDENCE_KEYS]

    newest, known = digests(b"payload")

    assert known == old != newest
    assert digests(b"other") != [newest, known]

import base64
import json
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute import features
from tribute.features import Features, InvalidFeatures, reduce, words_of

TEXTS = st.text(
    st.sampled_from("abÀé ,.-'\n世界カ٣ß²_") | st.characters(codec="utf-8"), max_size=120
)


def test_a_hash_is_blake2b_of_the_words_in_order() -> None:
    reduced = reduce("In the beginning, God created the HEAVEN!")

    first = blake2b(b"in the beginning god created the", digest_size=8).digest()
    second = blake2b(b"the beginning god created the heaven", digest_size=8).digest()
    hashes = (int.from_bytes(first, "big"), int.from_bytes(second, "big"))
    assert (reduced.words, reduced.hashes) == (7, hashes)
    assert (reduced.version, reduced.ngram_size) == ("features/2", 6)


def test_a_block_counts_the_words_of_fifty_hashed() -> None:
    def term(word: bytes) -> int:
        digest = blake2b(word, digest_size=8, person=b"tribute term").digest()
        return int.from_bytes(digest[:3], "big")

    reduced = reduce("tyger " * 49 + "Burning bright bright")

    assert reduced.blocks == (
        tuple(sorted([(term(b"tyger"), 49), (term(b"burning"), 1)])),
        ((term(b"bright"), 2),),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Don't  stop--ever_again 42", ["don", "t", "stop", "ever", "again", "42"]),
        ("Ｆｕｌｌ ﬁne STRASSE straße", ["full", "fine", "strasse", "strasse"]),
        ("e\u0301te\u0301 हिन्दी", ["été", "हिन्दी"]),
        ("你好, 世界 ok", ["你", "好", "世", "界", "ok"]),
        ("カタカナとABC", ["カ", "タ", "カ", "ナ", "と", "abc"]),
    ],
)
def test_words_are_normalised_runs_of_letters_digits_and_marks(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_text_shorter_than_an_ngram_has_no_hashes() -> None:
    assert reduce("one two three four five").hashes == ()
    assert len(reduce("one two three four five six").hashes) == 1


@given(TEXTS)
def test_case_punctuation_and_spacing_do_not_matter(text: str) -> None:
    assert reduce("  " + text.replace(" ", "\n\t") + " !") == reduce(text)


@given(TEXTS, TEXTS)
def test_a_quoted_passage_keeps_its_run_of_hashes(before: str, after: str) -> None:
    passage = "we hold these truths to be self evident"

    found = reduce(f"{before} {passage} {after}").hashes

    wanted = reduce(passage).hashes
    assert any(found[i : i + len(wanted)] == wanted for i in range(len(found)))


@given(TEXTS, st.integers(2, 32))
def test_both_forms_come_back_as_they_were(text: str, ngram_size: int) -> None:
    reduced = reduce(text, ngram_size=ngram_size)

    assert Features.from_bytes(reduced.to_bytes()) == reduced
    assert Features.from_json(json.loads(json.dumps(reduced.to_json()))) == reduced


def test_features_of_the_first_version_are_still_read() -> None:
    old = Features(6, (1,))

    assert old.to_bytes() == b"TFE1\x06\0\0\0\x06" + b"\0" * 7 + b"\x01"
    assert Features.from_bytes(old.to_bytes()) == old


@given(
    st.binary(max_size=60)
    | st.tuples(st.sampled_from([b"TFE1\x06", b"TFE2\x06"]), st.binary(max_size=40)).map(b"".join)
)
def test_from_bytes_raises_nothing_but_invalid_features(data: bytes) -> None:
    try:
        reduced = Features.from_bytes(data)
    except InvalidFeatures:
        return
    assert reduced.to_bytes() == data


GOOD: dict[str, Any] = {
    "version": "features/1",
    "ngram_size": 6,
    "words": 6,
    "hashes": "AAAAAAAAAAE=",
}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        GOOD | {"prompt": "secret"},
        GOOD | {"version": "features/2"},
        GOOD | {"version": "features/3"},
        GOOD | {"blocks": ""},
        GOOD | {"version": 1},
        GOOD | {"ngram_size": 1},
        GOOD | {"ngram_size": 33},
        GOOD | {"ngram_size": 6.0},
        GOOD | {"words": True},
        GOOD | {"words": -1},
        GOOD | {"words": 7},
        GOOD | {"words": 10**9},
        GOOD | {"hashes": [1]},
        GOOD | {"hashes": "AAAAAAAAAA=="},
        GOOD | {"hashes": "AAAAAAAAAAE"},
        GOOD | {"hashes": "AAAA AAAAAAE="},
        GOOD | {"hashes": "AAAAAAAAAAÉ="},
        GOOD | {"hashes": "\ud800"},
    ],
)
def test_from_json_refuses_what_to_json_never_writes(data: Any) -> None:
    assert Features.from_json(GOOD) == Features(6, (1,))

    with pytest.raises(InvalidFeatures):
        Features.from_json(data)


NEW: dict[str, Any] = GOOD | {"version": "features/2", "blocks": "AgAAAQIAAAIE"}


@pytest.mark.parametrize(
    "blocks",
    [
        b"",
        b"\0",
        b"\x01\0\0\x01",
        b"\x01\0\0\x01\x05",
        b"\x02\0\0\x01\x03\0\0\x01\x03",
        b"\x02\0\0\x02\x03\0\0\x01\x03",
        b"\x02\0\0\x01\x06\0\0\x02\0",
        b"\x01\0\0\x01\x06\x01\0\0\x01\x06",
    ],
)
def test_blocks_that_do_not_fit_the_words_are_refused(blocks: bytes) -> None:
    assert Features.from_json(NEW).blocks == (((1, 2), (2, 4)),)

    with pytest.raises(InvalidFeatures):
        Features.from_json(NEW | {"blocks": base64.b64encode(blocks).decode()})


def test_from_json_refuses_too_many_hashes_before_decoding_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "MAX_WORDS", 3)

    with pytest.raises(InvalidFeatures, match="too many hashes"):
        Features.from_json(GOOD | {"hashes": "A" * 36})


def test_features_refuse_hashes_beyond_64_bits() -> None:
    with pytest.raises(InvalidFeatures, match="64 bits"):
        Features(6, (2**64,))
    with pytest.raises(InvalidFeatures, match="64 bits"):
        Features(6, (-1,))


def test_reduce_refuses_lone_surrogates_and_endless_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidFeatures, match="surrogates"):
        reduce("a \ud800 b")
    monkeypatch.setattr(features, "MAX_WORDS", 3)
    with pytest.raises(InvalidFeatures, match="4 words"):
        reduce("one two three four")

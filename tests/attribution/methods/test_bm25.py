from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import bm25
from attribution.methods.bm25 import K1, B, Index
from tribute.features import Features, reduce, sections, words_of

WORDS = st.lists(st.sampled_from("abcdefghij"), max_size=230).map(" ".join)


def index(*texts: str) -> Index:
    return bm25.build(sections(reduce(text).to_bytes())[4] for text in texts)


def passages(text: str) -> list[list[str]]:
    """Two neighbouring blocks of 50 words each, or the only one."""
    words = words_of(text)
    blocks = [words[at : at + 50] for at in range(0, len(words), 50)]
    pairs = [one + other for one, other in pairwise(blocks)]
    return pairs or blocks


def by_definition(texts: list[str], output: str) -> dict[int, float]:
    cut = [(number, each) for number, text in enumerate(texts) for each in passages(text)]
    mean = sum(len(words) for _, words in cut) / len(cut)
    asked = Counter(words_of(output))
    weight = {}
    for word, count in asked.items():
        holding = sum(word in words for _, words in cut)
        weight[word] = count * log(1 + (len(cut) - holding + 0.5) / (holding + 0.5))
    best: dict[int, float] = {}
    for number, words in cut:
        damped = K1 * (1 - B + B * len(words) / mean)
        score = sum(
            weight[word] * words.count(word) / (words.count(word) + damped) for word in asked
        )
        best[number] = max(best.get(number, 0.0), score / sum(weight.values()))
    return {number: score for number, score in best.items() if score}


@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_scores_are_those_of_the_definition(texts: list[str], output: str) -> None:
    if not any(words_of(text) for text in texts) or not output:
        return

    found = index(*texts).best(reduce(output))

    expected = by_definition(texts, output)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected)


def test_an_output_of_unknown_words_or_of_none_finds_nothing() -> None:
    texts = index("the carriage held but just ourselves")

    assert texts.best(reduce("zebra quagga")) == {}
    assert texts.best(reduce("")) == {}
    assert index().best(reduce("the carriage")) == {}


def test_features_without_words_are_found_nowhere() -> None:
    assert index("one two").best(Features(2, ())) == {}
    assert bm25.build([b""]).best(reduce("one two")) == {}


def test_the_source_of_a_reworded_passage_scores_highest() -> None:
    found = index(
        "because i could not stop for death he kindly stopped for me",
        "tyger tyger burning bright in the forests of the night",
        "the carriage held but just ourselves and immortality",
    ).best(reduce("in the night a bright tyger was burning"))

    assert max(found, key=found.__getitem__) == 1


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(1, 5))
def test_the_largest_are_found_without_sorting_them_all(numbers: list[int], most: int) -> None:
    values = np.array(numbers, np.float64)
    in_order = sorted(np.flatnonzero(values).tolist(), key=lambda at: (-values[at], at))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25, "GROUP", 3)
        found = bm25._largest(values, most)  # the rule that answers hang on

    assert found.tolist() == sorted(in_order[:most])


@given(st.lists(WORDS, min_size=1, max_size=9), WORDS)
def test_what_is_proposed_does_not_hang_on_how_it_is_looked_for(
    texts: list[str], output: str
) -> None:
    built = index(*texts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25, "PROPOSED", 2)
        patch.setattr(bm25, "TEXTS", 2)
        patch.setattr(bm25, "GROUP", 10**9)
        slowly = built.best(reduce(output))
        patch.setattr(bm25, "GROUP", 1)
        quickly = built.best(reduce(output))

    assert quickly == slowly


def test_frequent_words_propose_nothing_once_enough_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bm25, "SCANNED", 3)
    texts = index("the tyger", "the lamb", "the lion", "the")

    found = texts.best(reduce("the tyger"))

    assert found.keys() == {0}
    assert found[0] == pytest.approx(by_definition(["the tyger", "the lamb", "the lion", "the"],
                                                   "the tyger")[0])  # fmt: skip


def test_an_index_keeps_every_count_of_long_repetitions() -> None:
    texts = index("word " * 100)

    assert texts.counts.tolist() == [100]
    assert texts.lengths.tolist() == [100]
    assert np.array_equal(texts.owners, [0])

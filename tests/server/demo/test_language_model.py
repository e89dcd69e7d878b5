import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.demo import language_model, works
from server.demo.language_model import LanguageModel, share_copied, tokens_of, train, words_of

SLUGS = ("ruth", "jonah", "james", "ecclesiastes", "philippians", "mark")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [work.read().decode() for work in works.books() if work.slug in SLUGS]


@pytest.fixture(scope="module")
def model(texts: list[str]) -> LanguageModel:
    return train(texts)


def test_training_twice_gives_the_same_digest(texts: list[str], model: LanguageModel) -> None:
    assert train(texts).digest() == model.digest()


def test_training_in_another_sequence_gives_the_same_digest(
    texts: list[str], model: LanguageModel
) -> None:
    assert train(texts[::-1]).digest() == model.digest()


def test_training_without_one_text_gives_another_digest(
    texts: list[str], model: LanguageModel
) -> None:
    assert train(texts[1:]).digest() != model.digest()


def test_training_in_another_order_gives_another_digest(
    texts: list[str], model: LanguageModel
) -> None:
    assert train(texts, order=3).digest() != model.digest()


@pytest.mark.parametrize("order", [2, 6])
def test_training_refuses_an_order_without_weights(order: int) -> None:
    with pytest.raises(ValueError, match="order must be one of"):
        train(["some text"], order=order)


def test_training_refuses_texts_without_a_word() -> None:
    with pytest.raises(ValueError, match="nothing to learn from"):
        train(["", " \n "])


def test_weights_of_every_order_sum_to_one() -> None:
    for order, weights in language_model.WEIGHTS.items():
        assert len(weights) == order
        assert math.fsum(weights) == pytest.approx(1)


@pytest.mark.parametrize("left_out", range(len(SLUGS)))
def test_leaving_a_text_out_makes_it_less_probable(
    texts: list[str], model: LanguageModel, left_out: int
) -> None:
    without = train([text for place, text in enumerate(texts) if place != left_out])
    text = texts[left_out]

    assert without.log_probability(text) < model.log_probability(text) - len(words_of(text))


@pytest.mark.parametrize(
    "context",
    ["", "In the", "And Jonah was in the belly of the fish", "Wherefore zyx", "zyx zyx zyx", "\n"],
)
@pytest.mark.parametrize("order", [3, 4, 5])
def test_probabilities_sum_to_one_after_any_context(
    texts: list[str], context: str, order: int
) -> None:
    distribution = train(texts, order=order).distribution(context)

    assert distribution.min() > 0
    assert distribution.sum() == pytest.approx(1)


def test_log_probability_is_the_sum_over_its_tokens_distributions(model: LanguageModel) -> None:
    sentence = "And Jonah was a zyx, and fled."
    tokens = tokens_of(sentence)
    number = {word: place for place, word in enumerate(model.vocabulary)}

    by_token = [
        math.log(model.distribution(" ".join(tokens[:place]))[number.get(token, -1)])
        for place, token in enumerate(tokens)
    ]

    assert model.log_probability(sentence) == pytest.approx(sum(by_token))


def test_log_probability_of_nothing_is_certain(model: LanguageModel) -> None:
    assert model.log_probability("") == 0


def test_log_probability_counts_by_hand() -> None:
    model = train(["a b a c"], order=3)
    # Tokens of training: ⏎ a b a c ⏎. Vocabulary ⏎ a b c, and one place for unknown words.
    after_nothing = {"a": (2 + 1) / (6 + 5), "b": (1 + 1) / (6 + 5)}
    first = 0.02 * after_nothing["a"] + 0.18 * 1 / 1  # after ⏎ always a; no longer context
    second = 0.02 * after_nothing["b"] + 0.18 * 1 / 2 + 0.80 * 1 / 1

    assert model.log_probability("a b") == pytest.approx(math.log(first / 0.20 * second))


def test_generating_again_gives_the_same_text(model: LanguageModel) -> None:
    text = model.generate(words=60, seed=7)

    assert model.generate(words=60, seed=7) == text
    assert model.generate(words=60, seed=8) != text


@settings(deadline=None)
@given(words=st.integers(0, 30), seed=st.integers(0, 1000))
def test_generating_gives_the_number_of_words_asked_for(words: int, seed: int) -> None:
    model = train(["It was so. And it was said, ‘It is (as it was) so’: it was."])

    assert len(words_of(model.generate(words=words, seed=seed))) == words


def test_generating_follows_the_prompt(model: LanguageModel) -> None:
    continuations = [
        model.generate(words=3, seed=seed, prompt="was in the belly of the") for seed in range(20)
    ]

    assert sum(text.startswith("fish") for text in continuations) > 10


def test_generating_draws_words_as_often_as_their_probability_says(model: LanguageModel) -> None:
    number = model.vocabulary.index("LORD")
    expected = model.distribution("And the")[number]

    drawn = sum(
        model.generate(words=1, seed=seed, prompt="And the").startswith("LORD")
        for seed in range(1500)
    )

    assert drawn / 1500 == pytest.approx(expected, abs=0.04)


def test_generating_both_copies_and_goes_beyond_the_texts(
    model: LanguageModel, texts: list[str]
) -> None:
    outputs = [model.generate(words=200, seed=seed) for seed in range(10)]
    shares = [share_copied(output, texts) for output in outputs]

    assert 0.30 < sum(shares) / len(shares) < 0.80


def test_share_copied_counts_words_in_long_enough_runs() -> None:
    source = "one two three four five six seven eight"

    assert share_copied("nine One two, three four five six! ten", [source]) == 6 / 8
    assert share_copied("one two three four five nine", [source]) == 0
    assert share_copied("", [source]) == 0


def test_tokens_pass_over_blank_lines() -> None:
    assert tokens_of("\nGo,\n\n \nking’s man!\n") == ["Go", ",", "\n", "king’s", "man", "!"]

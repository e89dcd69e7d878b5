from enum import StrEnum

import pytest

from tribute import vocabulary


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (vocabulary.Purpose, ["train-ai", "train-other", "ai-input", "search", "data-mining"]),
        (vocabulary.Decision, ["allow", "deny", "license", "unknown"]),
        (vocabulary.Medium, ["text", "image", "audio", "video", "code", "other"]),
        (vocabulary.IdentifierKind, ["url", "path", "host", "domain", "sha256", "iscc"]),
    ],
)
def test_words_are_the_published_ones_and_explained(
    words: type[StrEnum], values: list[str]
) -> None:
    assert [word.value for word in words] == values
    for value in values:
        assert f"``{value}``:" in (words.__doc__ or "")


def test_version_names_this_vocabulary() -> None:
    assert vocabulary.VOCABULARY_VERSION == "tribute/1"

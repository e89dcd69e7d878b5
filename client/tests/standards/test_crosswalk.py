from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.crawlers import CRAWLERS
from tribute.standards.crosswalk import CROSSWALK, Word, as_markdown, saying
from tribute.vocabulary import Decision, Purpose

PAGE = Path(__file__).parents[3] / "docs" / "standards.md"
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def test_no_permission_reaches_further_than_a_refusal() -> None:
    assert [w.token for w in CROSSWALK if not set(w.permits) <= set(w.restricts)] == []


def test_every_word_stands_once() -> None:
    assert len({(w.standard, w.token) for w in CROSSWALK}) == len(CROSSWALK)


def test_the_documentation_shows_the_same_tables() -> None:
    page = PAGE.read_text("utf-8")

    assert as_markdown() in page
    for crawler in CRAWLERS.values():
        purposes = ", ".join(crawler.purposes)
        assert f"| `{crawler.token}` | {crawler.operator} | {purposes} |" in page


@given(st.sampled_from(CROSSWALK), WISHES)
def test_what_may_be_said_is_never_looser_than_any_wish(
    word: Word, wishes: dict[Purpose, Decision]
) -> None:
    said = saying(word, wishes)

    touched = {wishes.get(p, Decision.UNKNOWN) for p in word.restricts}
    if Decision.DENY in touched:
        assert said == Decision.DENY
    elif Decision.LICENSE in touched:
        assert said == Decision.LICENSE
    if said == Decision.ALLOW:
        assert {wishes.get(p) for p in word.permits} == {Decision.ALLOW}

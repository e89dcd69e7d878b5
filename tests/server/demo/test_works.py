from collections import Counter
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.demo import works
from server.demo.works import SourceWork
from tribute.vocabulary import Decision, Medium, Purpose


@pytest.fixture(scope="module", name="every_work")
def fixture_every_work() -> list[SourceWork]:
    # Not at import: two translations take a second to load, and every test run collects this file.
    return works.all_works()


def by_slug(slug: str) -> SourceWork:
    return next(work for work in works.all_works() if work.slug == slug)


def test_works_have_unique_slugs_and_addresses_in_the_demo_world(
    every_work: list[SourceWork],
) -> None:
    assert (
        len({work.slug for work in every_work})
        == len({work.url for work in every_work})
        == len(every_work)
    )
    assert {urlsplit(work.url).scheme for work in every_work} == {"https"}
    assert all((urlsplit(work.url).hostname or "").endswith(".example") for work in every_work)


def test_works_are_sixty_six_books_and_enough_of_every_medium() -> None:
    assert len(works.books()) == 66
    assert Counter(work.medium for work in works.media()) == {Medium.IMAGE: 8, Medium.AUDIO: 7}


def test_licences_are_stated_in_the_packages_that_ship_the_works(
    every_work: list[SourceWork],
) -> None:
    for work in every_work:
        assert work.licence.quote in work.read_licence_statement(), work.slug


def test_books_read_as_plain_verses_in_order() -> None:
    lines = by_slug("genesis").read().decode().splitlines()

    assert len(lines) == 1533
    assert lines[0] == "In the beginning God created the heaven and the earth."
    assert lines[-1].startswith("So Joseph died, being an hundred and ten years old")


def test_books_hold_no_numbers_and_no_editors_brackets() -> None:
    for work in works.books():
        assert not set("0123456789[]") & set(work.read().decode()), work.slug


def test_rewordings_share_many_but_not_all_words_with_the_book() -> None:
    old = set(by_slug("ruth").read().decode().splitlines())
    new = set(by_slug("ruth-asv").read().decode().splitlines())

    assert len(new) == len(old) == 85
    assert 0 < len(old & new) < 40


@pytest.mark.parametrize("work", works.media(), ids=lambda work: work.slug)
def test_media_are_files_of_their_kind(work: SourceWork) -> None:
    beginning = work.read()[:12]
    signature = {
        "jpg": beginning[:2] == b"\xff\xd8",
        "webp": beginning[8:12] == b"WEBP",
        "ogg": beginning[:4] == b"OggS",
        "wav": beginning[8:12] == b"WAVE",
    }

    assert signature[work.filename.rpartition(".")[2]]


def test_media_of_a_missing_package_name_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "find_spec", lambda _module: None)

    with pytest.raises(ModuleNotFoundError, match=r"requirements/demo\.in"):
        by_slug("boom").read()


def test_holdings_name_works_and_people_that_exist_and_sum_to_the_whole(
    every_work: list[SourceWork],
) -> None:
    totals: Counter[str] = Counter()
    for holding in works.HOLDINGS:
        totals[holding.slug] += holding.share_ppm

    assert set(totals) <= {work.slug for work in every_work}
    assert set(totals.values()) == {1_000_000}
    assert {h.creator_handle for h in works.HOLDINGS} == {member.handle for member in works.CAST}


def test_registered_and_unregistered_works_are_all_works(every_work: list[SourceWork]) -> None:
    registered, unregistered = works.registered(), works.unregistered()

    assert sorted([*registered, *unregistered], key=lambda work: work.slug) == sorted(
        every_work, key=lambda work: work.slug
    )
    assert Counter(work.medium for work in registered) == {
        Medium.TEXT: 30,
        Medium.IMAGE: 6,
        Medium.AUDIO: 3,
    }
    assert {work.slug for work in works.rewordings()} <= {work.slug for work in unregistered}


def test_wishes_speak_only_of_what_the_creator_holds_or_claims() -> None:
    for wish in works.WISHES:
        own = {h.slug for h in works.HOLDINGS if h.creator_handle == wish.creator_handle}
        claimed = {c.value for c in works.CLAIMS if c.creator_handle == wish.creator_handle}
        assert wish.subject in own | claimed | {wish.creator_handle}


def test_subjects_of_wishes_are_never_ambiguous(every_work: list[SourceWork]) -> None:
    slugs = {work.slug for work in every_work}
    hosts = {claim.value for claim in works.CLAIMS}
    handles = {member.handle for member in works.CAST}

    assert len(slugs | hosts | handles) == len(slugs) + len(hosts) + len(handles)


def test_whole_host_that_ada_claims_publishes_her_works_alone(every_work: list[SourceWork]) -> None:
    on_host = {w.slug for w in every_work if urlsplit(w.url).hostname == "psalter.example"}
    adas = {h.slug for h in works.HOLDINGS if h.creator_handle == "ada"}

    assert on_host == adas


def test_licensors_say_what_their_licence_asks() -> None:
    licensors = {w.creator_handle for w in works.WISHES if w.decision == Decision.LICENSE}

    assert licensors == {asking.creator_handle for asking in works.TERMS}


def test_cast_wants_every_different_thing() -> None:
    training = [wish for wish in works.WISHES if wish.purpose == Purpose.TRAIN_AI]
    wanted = {(wish.decision, wish.paid) for wish in training}
    deniers = {w.creator_handle for w in training if w.decision == Decision.DENY}

    assert wanted == {
        (Decision.ALLOW, True),
        (Decision.ALLOW, False),
        (Decision.DENY, False),
        (Decision.LICENSE, True),
    }
    assert deniers == {"ben", "dara", "gwen"}


def changed(before: bytes, after: bytes) -> int:
    return sum(a != b for a, b in zip(before.split(), after.split(), strict=False))


def test_edited_copy_changes_about_the_share_of_words_asked_for() -> None:
    text = by_slug("jonah").read()

    for share in (0.05, 0.2):
        copy = works.edited_copy(text, seed=1, share=share)
        # A freestanding dash moves all words after it on its line, so compare without dashes.
        count = changed(text, copy.replace(" —".encode(), b""))
        assert 0.7 * share < count / len(text.split()) < 1.3 * share


def test_edited_copy_is_the_same_for_the_same_seed_alone() -> None:
    text = by_slug("jonah").read()
    copy = works.edited_copy(text, seed=1, share=0.1)

    assert copy == works.edited_copy(text, seed=1, share=0.1)
    assert copy != works.edited_copy(text, seed=2, share=0.1)


def test_edited_copy_of_no_share_is_the_text() -> None:
    text = by_slug("jonah").read()

    assert works.edited_copy(text, seed=1, share=0) == text


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_edited_copy_refuses_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        works.edited_copy(b"word", seed=1, share=share)


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from(["The", "lord,", "is", "my", "shepherd;"]), max_size=40),
    seed=st.integers(),
    share=st.floats(0, 1),
)
def test_edited_copy_keeps_every_word(words: list[str], seed: int, share: float) -> None:
    copy = works.edited_copy(" ".join(words).encode(), seed=seed, share=share).decode()

    def bare(text: str) -> list[str]:
        return sorted(word.strip(",;—").lower() for word in text.split() if word != "—")

    assert bare(copy) == bare(" ".join(words))

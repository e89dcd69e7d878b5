import threading
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute import ids

UUIDS = st.integers(0, 2**128 - 1).map(lambda bits: uuid.UUID(int=bits))


def test_new_uuid7_has_version_variant_and_the_present_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    value = ids.new_uuid7()
    after = time.time_ns() // 1_000_000

    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    # Ten milliseconds of grace: a burst in another test may have run ahead of the clock.
    assert before <= value.int >> 80 <= after + 10


def test_new_uuid7_always_grows() -> None:
    values = [ids.new_uuid7() for _ in range(20_000)]

    assert values == sorted(set(values))


def test_new_uuid7_grows_while_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = ids._Generator()
    first = generator.next()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000)

    second = generator.next()

    assert second > first
    assert second.int >> 80 == first.int >> 80


def test_new_uuid7_borrows_the_next_millisecond_when_the_random_bits_run_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = ids._Generator()
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000)
    generator.next()
    generator._random = 2**74 - 1

    value = generator.next()

    assert value.int >> 80 == 6
    assert value.version == 7
    assert value.variant == uuid.RFC_4122


def test_new_uuid7_is_unique_across_threads() -> None:
    made: list[uuid.UUID] = []

    def make() -> None:
        made.extend([ids.new_uuid7() for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8_000


def test_encode_writes_crockford_digits() -> None:
    assert ids.encode("wrk", uuid.UUID(int=0)) == "wrk_" + "0" * 26
    assert ids.encode("wrk", uuid.UUID(int=2**128 - 1)) == "wrk_7" + "z" * 25
    assert ids.encode("chk", uuid.UUID(int=32)) == "chk_" + "0" * 24 + "10"


@given(UUIDS)
def test_decode_undoes_encode(value: uuid.UUID) -> None:
    text = ids.encode("wrk", value)

    assert ids.decode("wrk", text) == value
    assert ids.prefix_of(text) == "wrk"
    assert len(text) == 30


@given(UUIDS, UUIDS)
def test_encode_keeps_the_order_of_values(left: uuid.UUID, right: uuid.UUID) -> None:
    assert (left < right) == (ids.encode("a", left) < ids.encode("a", right))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wrk",
        "wrk_",
        "chk_" + "0" * 26,
        "wrk_" + "0" * 25,
        "wrk_" + "0" * 27,
        "wrk_8" + "0" * 25,
        "wrk_" + "0" * 25 + "A",
        "WRK_" + "0" * 26,
        "wrk_" + "0" * 25 + "i",
        "wrk_" + "0" * 25 + "u",
        "wrk_" + "0" * 25 + "\n",
        "wrk_" + "0" * 25 + "٣",
        "wrk-" + "0" * 26,
        "_" + "0" * 26,
        " wrk_" + "0" * 26,
    ],
)
def test_decode_refuses_what_encode_never_writes(text: str) -> None:
    with pytest.raises(ids.InvalidId):
        ids.decode("wrk", text)


@given(st.text())
def test_decode_raises_nothing_but_invalid_id(text: str) -> None:
    try:
        value = ids.decode("wrk", text)
    except ids.InvalidId:
        return
    assert ids.encode("wrk", value) == text


@pytest.mark.parametrize("prefix", ["", "Wrk", "w_k", "w1", "a" * 17])
def test_encode_refuses_a_prefix_that_is_not_lower_case_letters(prefix: str) -> None:
    with pytest.raises(ids.InvalidId):
        ids.encode(prefix, uuid.UUID(int=1))


@pytest.mark.parametrize("text", ["wrk", "wrk_12", "1_" + "0" * 26])
def test_prefix_of_refuses_malformed_ids(text: str) -> None:
    with pytest.raises(ids.InvalidId):
        ids.prefix_of(text)

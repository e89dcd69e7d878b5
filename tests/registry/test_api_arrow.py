"""Checks as Arrow streams: the same answers and receipts as in JSON, and no way to harm by a body."""

import gc
import random
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pytest

from registry import receipts, served, snapshots
from registry.asked import Asked
from registry.kept_answers import Answered
from registry.models import Check, Operator
from tests.factories import NOON, allow, api_client, deny, make_creator, make_operator, make_work
from tests.registry.lives import place
from tribute import receipts as verifier
from tribute.arrow_checks import MEDIA_TYPE, question, read_answer, stream
from tribute.vocabulary import Purpose

ALL = [purpose.value for purpose in Purpose]
ITEMS = [
    {"url": "https://ada.org/open/x"},
    {"id": 'é"\n', "url": "https://ada.org/"},
    {"url": "https://ada.net/work", "sha256": "0" * 64},
    {"url": "no address"},
    {"sha256": "AB" * 32},
    {"id": "0", "url": "https://nobody.org/"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.HOME = tmp_path
    served.forget()
    yield
    served.forget()


@pytest.fixture
def acme(db: None) -> Operator:
    ada = make_creator("ada")
    deny(place(ada, "domain", "ada.org"))
    allow(place(ada, "path", "https://ada.org/open/"))
    allow(make_work(ada, url="https://ada.net/work"))
    snapshots.build(at=NOON)
    return make_operator("acme")


def post(
    acme: Operator, body: bytes, *, accept: str = MEDIA_TYPE, purposes: Any = ALL, **query: str
) -> Any:
    address = "/v1/checks?" + urlencode({"purposes": purposes, **query}, doseq=True)
    client = api_client(acme)
    return client.post(address, data=body, content_type=MEDIA_TYPE, HTTP_ACCEPT=accept)


def ask_in_json(acme: Operator, items: list[dict[str, str]], accept: str = "*/*") -> Any:
    asked = {"items": items, "purposes": ALL}
    return api_client(acme).post("/v1/checks", asked, format="json", HTTP_ACCEPT=accept)


def test_answers_and_receipts_are_the_same_in_both_forms(acme: Operator) -> None:
    in_json = ask_in_json(acme, ITEMS).json()
    in_arrow = read_answer(post(acme, question(ITEMS)).content, list(Purpose))
    mixed = post(acme, question(ITEMS), accept="application/json").json()
    mixed_too = read_answer(ask_in_json(acme, ITEMS, accept=MEDIA_TYPE).content, list(Purpose))

    assert [a["decisions"]["train-ai"]["decision"] for a in in_json["answers"]] == [
        "allow", "deny", "allow", "unknown", "unknown", "unknown"
    ]  # fmt: skip
    codes = [answer.get("error", {}).get("code") for answer in in_json["answers"]]
    assert codes == [None, None, None, "invalid_identifier", None, "duplicate_id"]
    for other in (in_arrow, mixed, mixed_too):
        assert other["answers"] == in_json["answers"]
        signed = receipts.receipt(Check.objects.get(pk=other["check"]))
        verifier.verify_receipt(signed, public_key=receipts.public_key(), items=ITEMS)
    one, *others = [receipts.receipt(check) for check in Check.objects.order_by("pk")]
    for other in others:
        assert other["request_digest"] == one["request_digest"]
        assert set(other) == set(one)


def test_items_and_answers_are_let_go_of_without_looking_for_garbage(acme: Operator) -> None:
    gc.collect()
    gc.disable()
    try:
        post(acme, question(ITEMS))
        made = ask_in_json(acme, ITEMS).json()["check"]
        api_client(acme).get(f"/v1/checks/{made}")
        left = [each for each in gc.get_objects() if type(each) in {Asked, Answered}]
    finally:
        gc.enable()
    assert left == []


def test_a_check_is_read_again_in_either_form(acme: Operator) -> None:
    made = ask_in_json(acme, ITEMS).json()
    address = f"/v1/checks/{made['check']}"

    assert api_client(acme).get(address).json() == made
    again = api_client(acme).get(address, HTTP_ACCEPT=MEDIA_TYPE)
    assert again["Content-Type"] == MEDIA_TYPE
    assert read_answer(again.content, list(Purpose))["answers"] == made["answers"]
    assert api_client(make_operator("mallory")).get(address).status_code == 404


def test_hashes_may_be_bytes_texts_large_and_batches_several(acme: Operator) -> None:
    digest = bytes(range(32))
    columns = [
        (pa.binary(32), [digest, None]),
        (pa.binary(), [digest, None]),
        (pa.large_binary(), [digest, None]),
        (pa.string(), [digest.hex(), None]),
    ]
    seen = []
    for kind, values in columns:
        schema = pa.schema([("sha256", kind), ("url", pa.large_string())])
        urls = pa.array(["https://ada.org/", "https://ada.org/open/y"], pa.large_string())
        batch = pa.RecordBatch.from_arrays([pa.array(values, kind), urls], schema=schema)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(batch)
            writer.write_batch(batch.slice(1))
        answer = post(acme, sink.getvalue().to_pybytes(), accept="application/json").json()
        seen.append(answer["answers"])
        items = Check.objects.get(pk=answer["check"]).rows
        assert items[0]["item"] == {"sha256": digest.hex(), "url": "https://ada.org/"}
    assert [a["decisions"]["train-ai"]["decision"] for a in seen[0]] == ["deny", "allow", "allow"]
    assert seen.count(seen[0]) == 4


def written(batch: pa.RecordBatch, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def column(values: Any, kind: pa.DataType | None = None, name: str = "url") -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, kind)], [name])


URL = ["https://ada.org/"]
BROKEN_TEXT = pa.Array.from_buffers(
    pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], "<i4")), pa.py_buffer(b"\xff\xfe")]
)
HOSTILE = {
    "nothing": b"",
    "no arrow": b"{}",
    "only the end": b"\xff\xff\xff\xff\x00\x00\x00\x00",
    "cut off": written(column(URL * 5))[:-40],
    "no end": written(column(URL * 5))[:-8],
    "more after the end": written(column(URL)) + written(column(URL)),
    "numbers": written(column([1])),
    "gaps of no type": written(column([None])),
    "nested": written(column([URL])),
    "deeply nested": written(column([[[[[URL]]]]])),
    "a struct": written(column([{"url": "https://ada.org/"}])),
    "a dictionary": written(column(pa.array(URL).dictionary_encode())),
    "a view": written(column(URL, pa.string_view())),
    "bytes for an address": written(column([b"https://ada.org/"], pa.binary())),
    "an unknown column": written(column(URL, name="address")),
    "a column twice": written(
        pa.RecordBatch.from_arrays([pa.array(URL), pa.array(URL)], ["url", "url"])
    ),
    "no text": written(column(BROKEN_TEXT)),
    "limits past the end": written(column(URL)).replace(
        struct.pack("<ii", 0, len(URL[0])), struct.pack("<ii", 0, 2**30)
    ),
    "a long id": written(column(["x" * 201], name="id")),
    "compressed": written(column(URL * 1000), compression="zstd"),
    "a bomb": written(column(["\0" * 2_000_000] * 100), compression="zstd"),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_streams_are_refused_with_a_reason(acme: Operator, body: bytes) -> None:
    post(acme, b"")  # the first request of a process loads all views
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    answer = post(acme, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert peak < 20_000_000
    assert not Check.objects.exists()


@pytest.mark.parametrize("rows", [0, 10_001, 300_000])
def test_a_stream_has_as_many_rows_as_a_check(acme: Operator, rows: int) -> None:
    answer = post(acme, written(column(["x"] * rows, pa.string())))

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_items")


def test_a_stream_that_says_it_has_very_many_rows_takes_no_memory(acme: Operator) -> None:
    body = written(column(URL))
    at = body.rindex(struct.pack("<q", 1), 0, body.index(b"https"))
    found = [i for i in range(at + 1) if body[i : i + 8] == struct.pack("<q", 1)]
    for place_of_one in found:
        lying = body[:place_of_one] + struct.pack("<q", 2**40) + body[place_of_one + 8 :]
        assert post(acme, lying).status_code == 400


def test_a_stream_has_an_upper_size(acme: Operator, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000

    assert post(acme, written(column(["x" * 200_000]))).status_code == 413


def test_random_damage_never_ends_in_an_error_of_ours(acme: Operator) -> None:
    """Each damaged stream is refused, or understood; either way without a fault of the server's."""
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    whole = question(ITEMS)
    client = api_client(acme)
    statuses = set()
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.choice([0, 1, 127, 128, 255])
        answer = client.post(
            "/v1/checks?purposes=search", data=bytes(damaged), content_type=MEDIA_TYPE
        )
        statuses.add(answer.status_code)
        assert answer.status_code in {201, 400}, (seed, answer.content)
    assert 400 in statuses


@pytest.mark.parametrize(
    ("purposes", "query"),
    [([], {}), (["training"], {}), (["search"], {"as_of": "yesterday"}), (["search"], {"x": "1"})],
)
def test_the_address_is_read_strictly(acme: Operator, purposes: Any, query: Any) -> None:
    assert post(acme, question(ITEMS), purposes=purposes, **query).status_code == 400


def test_the_past_is_asked_in_the_address(acme: Operator) -> None:
    answer = post(
        acme, question(ITEMS[:2]), accept="*/*", purposes=["train-ai"], as_of="2020-01-01T00:00:00Z"
    )

    said = [a["decisions"]["train-ai"]["decision"] for a in answer.json()["answers"]]
    assert said == ["unknown", "unknown"]


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_a_stream_is_what_arrows_own_writer_writes(rows: int) -> None:
    words = pa.array(["a", "é"] * rows)
    lists = pa.array([["a", None], []] * rows, pa.list_(pa.string()))
    for columns in ([words], [words.dictionary_encode()], [words, lists]):
        fields = [pa.field(f"c{number}", each.type) for number, each in enumerate(columns)]
        nested = pa.StructArray.from_arrays(columns, fields=fields)
        batch = pa.RecordBatch.from_arrays([nested, *columns], ["all", *(f.name for f in fields)])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)

        assert stream(batch) == bytes(sink.getvalue())

"""A plain body is read by the column as JSON is read elsewhere, and nothing else is taken for one."""

import json
import random
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from registry.api import json_bodies
from registry.api.json_bodies import LONGEST_REST, plain_question
from registry.api.serializers import LONGEST_ITEM_ID
from registry.asked import FIELDS, Asked
from registry.models import Operator
from tests.factories import api_client, make_operator

QUESTION = {
    "items": [{"url": "https://ada.org/é", "id": "1"}, {"url": "", "id": "日本"}],
    "purposes": ["train-ai"],
}
BODY = orjson.dumps(QUESTION)
# What may stand in a body without a backslash.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32), max_size=9
)


def values(asked: Asked) -> dict[str, list[str]]:
    return {name: column.to_pylist() for name, column in asked.columns.items()}


@given(st.sets(st.sampled_from(FIELDS), min_size=1), st.data())
def test_plain_items_are_those_that_json_has(fields: set[str], data: st.DataObject) -> None:
    items = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(fields, TEXTS)), min_size=1))
    indent, escaped = data.draw(st.sampled_from([None, 1])), data.draw(st.booleans())
    given = {"purposes": ["search"], "items": items, "as_of": None}
    body = json.dumps(given, indent=indent, ensure_ascii=escaped).encode()

    found = plain_question(body)

    if b"\\" in body:
        assert found is None
        return
    assert found is not None
    assert orjson.loads(found.rest) == given | {"items": []}
    assert found.items.rows == len(items)
    assert values(found.items) == {name: [item[name] for item in items] for name in fields}


@pytest.mark.parametrize("seed", range(20))
def test_what_is_taken_for_plain_is_json_and_says_the_same(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [bytes([byte]) for byte in range(256)] + [
        *(b'"items":[]', b'"items"', b"{}", b"[]", b"},{", b'""', b'"id":"x"', b'{"a":', b"null"),
        *(b"\xed\xa0\x80", b"\xc3\xa9", b"\\u0069", b'\\"', b",", b":", b" "),
    ]
    taken = 0
    for _ in range(5_000):
        body = bytearray(BODY)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.choice([0, 0, 1, 3])] = chance.choice(pieces)
        found = plain_question(bytes(body))
        if found is None:
            continue
        taken += 1
        said = orjson.loads(bytes(body))
        items = said.pop("items")
        assert orjson.loads(found.rest) == said | {"items": []}
        asked = Asked.of_values({n: [i[n] for i in items] for n in items[0]}, len(items))
        assert values(found.items) == values(asked)
    assert taken > 100, taken


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"purposes":["train-ai"]}',
        b'{"items":[],"purposes":["train-ai"]}',
        b'{"items":[{}]}',
        b'{"items":[{"url":"a"},{"id":"1"}]}',
        b'{"items":[{"url":"a","url":"b"}]}',
        b'{"items":[{"url":null}]}',
        b'{"items":[{"url":"a","color":"b"}]}',
        b'{"items":[{"url":"a\\n"}]}',
        b'{"items":[{"url":"a\n"}]}',
        b'{"items":[{"url":"\xff"}]}',
        b'{"items":[{"url":"a"}],"items":[]}',
        b'{"x":{"items":[{"url":"a"}]}}',
        b'{"items":[{"url":"a"}],"it\\u0065ms":[]}',
        b'{"items":[{"url":"a"}]',
        b'{"items":[{"url":"a"},]}',
        b'{"items":[{"url":"a"}],}',
        b'{"items":[{"url":"a"}]} x',
        b'{"items":[{"id":"%b"}]}' % (b"x" * (LONGEST_ITEM_ID + 1)),
        b'{"items":[{"url":"a"}],"purposes":["%b"]}' % (b"x" * LONGEST_REST),
    ],
)
def test_nothing_else_is_plain(body: bytes) -> None:
    assert plain_question(body) is None


def asked_with(client: Any, body: bytes, monkeypatch: pytest.MonkeyPatch) -> list[HttpResponse]:
    """Post a body as it is read, and as it would be read if it were not plain."""
    answers = [client.post("/v1/checks", data=body, content_type="application/json")]
    with monkeypatch.context() as patch:
        patch.setattr(json_bodies, "KERNEL", None)
        return [*answers, client.post("/v1/checks", data=body, content_type="application/json")]


@pytest.fixture
def acme(db: None) -> Operator:
    return make_operator("acme")


def test_a_plain_question_gets_the_same_answer(
    acme: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asked_with(api_client(acme), BODY, monkeypatch)

    assert (first.status_code, second.status_code) == (201, 201)
    assert orjson.loads(first.content)["answers"] == orjson.loads(second.content)["answers"]
    plain, other = acme.checks.all()
    assert bytes(plain.request_digest) == bytes(other.request_digest)


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"purposes": []},
        {"purposes": ["eat"]},
        {"purposes": ["train-ai"], "as_of": "yesterday"},
        {"purposes": ["train-ai"], "as_of": "2999-01-01T00:00:00Z"},
        {"purposes": ["train-ai"], "color": "red"},
    ],
)
def test_a_plain_question_is_refused_for_the_same_reason(
    rest: Any, acme: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = orjson.dumps({"items": [{"url": "https://ada.org/"}], **rest})
    assert plain_question(body) is not None

    first, second = asked_with(api_client(acme), body, monkeypatch)

    assert first.status_code in {400, 422}
    assert first.status_code == second.status_code
    assert orjson.loads(first.content) == orjson.loads(second.content)


def test_too_many_plain_items_are_refused(acme: Operator) -> None:
    body = orjson.dumps({"items": [{"id": str(n)} for n in range(10_001)], "purposes": ["search"]})
    assert plain_question(body) is not None

    answer = api_client(acme).post("/v1/checks", data=body, content_type="application/json")

    assert (answer.status_code, orjson.loads(answer.content)["code"]) == (400, "too_many_items")

"""Whoever asks for a thing of somebody else's learns nothing, not even that it exists.

Held for every operation of the description that has an id in its path: a stranger's request about a
thing that exists is answered exactly as one about a thing that never did.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps

from registry.ids import TypedIdField
from tests.attribution.api.test_usage import PUBLIC
from tests.attribution.world import CHARIOT, TYGER, ask, fund, make_model
from tests.described import DescribedClient, description
from tests.factories import (
    allow,
    api_client,
    make_creator,
    make_operator,
    make_user,
    make_work,
)
from tests.registry.test_clusters import copies
from tribute import ids

HEADERS = {"Idempotency-Key": "k", "Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
STRANGERS: dict[str, Callable[[], Any]] = {
    "creator": lambda: make_creator("stranger"),
    "operator": lambda: make_operator("stranger"),
    "person": make_user,
}
NEVER_MADE = "00000000000000000000000000"


def post(client: DescribedClient, path: str, body: object = None) -> Any:
    answer = client.post(path, body, format="json")
    assert answer.status_code in {200, 201, 202}, answer.content
    return answer.json()


@pytest.fixture
def world(db: None) -> None:
    """One of nearly everything, and all of it Ada's, Ben's or Acme's."""
    ada, acme = copies()[0].registered_by, make_operator("acme")
    text = make_work(ada, text=CHARIOT)
    allow(text)
    make_work(make_creator("ben"), url="https://ada.example/1", text=TYGER)
    make_work(ada, url="https://ada.example/1")
    fund(acme)
    model = make_model(acme, [text])
    ask(model)
    creator, operator = api_client(ada), api_client(acme)
    for client, events in ((creator, ["import.ready"]), (operator, ["manifest.ready"])):
        hook = post(client, "/v1/webhooks", {"url": "https://a.example/h", "events": events})
        post(client, f"/v1/webhooks/{hook['id']}:test")
    post(creator, "/v1/collections", {"kind": "domain", "value": "ada.example"})
    post(creator, "/v1/signers")
    post(creator, "/v1/works:import", {"format": "csv", "size": 9})
    post(creator, "/v1/related-parties", {"party": acme.pk, "note": "ours"})
    question = {"items": [{"url": "https://ada.example/1"}], "purposes": ["train-ai"]}
    post(operator, "/v1/checks", question)
    post(operator, "/v1/report-keys", {"name": "r", "public_key": PUBLIC})
    post(operator, f"/v1/models/{model.pk}/manifest:upload", {"format": "jsonl", "size": 9})


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_cannot_tell_what_exists(kind: str, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = 10**6
    stranger = api_client(STRANGERS[kind]())
    existing = dict(things())
    asked = 0

    for method, path, body in operations():
        for prefix, public_id in existing.items():
            told = [
                say(stranger, method, path.replace("{id}", each), body, each)
                for each in (public_id, ids.encode(prefix, ids.new_uuid7()))
            ]
            assert told[0] == told[1], f"{method} {path} tells {kind}s that {public_id} exists"
            assert told[0][0] in {400, 403, 404, 409, 412, 415, 422}, (method, path, told[0])
            asked += 1

    assert len(existing) >= 14, sorted(existing)
    assert asked > 500


def things() -> Iterator[tuple[str, str]]:
    """An id of every type that the world has."""
    for model in apps.get_models():
        key = model._meta.pk
        if isinstance(key, TypedIdField) and (first := model._default_manager.first()):
            yield key.prefix, str(first.pk)


def operations() -> Iterator[tuple[str, str, Any]]:
    """Every operation with an id in its path, and a body that it can read."""
    for path, methods in description()["paths"].items():
        if "_id}" in path:
            for method, operation in methods.items():
                where = re.sub(r"{\w+_id}", "{id}", path)
                where = where.replace("{form}", "csv").replace("{standard}", "robots.txt")
                yield method, where, body_of(operation)


def body_of(operation: dict[str, Any]) -> Any:
    """The example of a JSON body, or the least one of its shape."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return {}
    for example in content.get("examples", {}).values():
        return example["value"]
    return least(content["schema"])


def least(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: least(schema["properties"][name]) for name in schema.get("required", [])}
    if schema.get("type") == "array":
        return [least(schema["items"])]
    text = "https://mallory.example/" if schema.get("format") == "uri" else "x"
    return {"integer": 1, "boolean": True}.get(str(schema.get("type")), text)


def say(client: DescribedClient, method: str, path: str, body: Any, public_id: str) -> Any:
    """Ask; return status and answer, with the id that was asked for left out."""
    answer = client.generic(
        method.upper(),
        path,
        "" if method == "get" else json.dumps(body),
        content_type="application/json",
        headers=HEADERS,
    )
    return answer.status_code, answer.content.decode().replace(public_id, NEVER_MADE)

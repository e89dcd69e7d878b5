import re

import pytest
from django.test import Client
from django.utils.safestring import SafeString

from server import api_docs
from server.api_docs import Field


def test_page_shows_every_operation_and_runs_no_inline_script(client: Client, db: None) -> None:
    document = client.get("/v1/openapi.json").json()
    page = client.get("/v1/docs")
    shown = page.content.decode()

    operations = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert page.status_code == 200
    assert len(operations) > 30
    assert [name for name in operations if f'id="{name}"' not in shown] == []
    assert re.findall(r"<style|style=|<script(?![^>]*\bsrc=)", shown) == []


def test_fields_of_nested_objects_and_lists_are_named_with_dots() -> None:
    document = {
        "components": {
            "schemas": {
                "Amount": {
                    "type": "object",
                    "required": ["micros"],
                    "properties": {"micros": {"type": "integer", "description": "Whole `micros`."}},
                }
            }
        }
    }
    schema = {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Amount"}},
        },
    }

    assert list(api_docs._fields(document, schema)) == [
        Field("rows", "array", False, SafeString("")),
        Field("rows[].micros", "integer", True, SafeString("Whole <code>micros</code>.")),
    ]


@pytest.mark.parametrize("text", ["<script>", '"><img onerror=1>'])
def test_descriptions_are_escaped(text: str) -> None:
    assert "<script>" not in api_docs._marked_up(text)
    assert "<img" not in api_docs._marked_up(text)

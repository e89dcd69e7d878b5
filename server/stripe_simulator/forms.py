"""Decode what the SDK sends: Stripe's bracketed forms for v1, JSON for v2.

docs.stripe.com/api: v1 "accepts form-encoded request bodies", docs.stripe.com/api-v2-overview:
v2 "uses JSON". Values of forms stay text; `parameters` reads them.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from server.stripe_simulator.errors import ApiError

_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


def decode_form(text: str) -> dict[str, Any]:
    """Read ``a[b][0][c]=1`` as ``{"a": {"b": [{"c": "1"}]}}``; ``a[]=1`` appends to a list."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head = name.split("[", 1)[0]
        _plant(tree, [head, *_SEGMENT.findall(name[len(head) :])], value)
    return {name: _with_lists(branch) for name, branch in tree.items()}


def decode_json(text: str) -> dict[str, Any]:
    """Read a v2 body, which must be an object; an empty body is an empty one."""
    try:
        body = json.loads(text or "{}")
    except ValueError as error:
        raise ApiError(f"Invalid JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError("The body must be a JSON object")
    return body


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    *parents, leaf = path
    for name in parents:
        branch = tree.setdefault(name or str(len(tree)), {})
        if not isinstance(branch, dict):
            raise ApiError(
                f"Invalid parameter: {name}", code="parameter_invalid_string", param=name
            )
        tree = branch
    tree[leaf or str(len(tree))] = value


def _with_lists(branch: Any) -> Any:
    if not isinstance(branch, dict):
        return branch
    read = {name: _with_lists(twig) for name, twig in branch.items()}
    if read and all(name.isdecimal() for name in read):
        return [read[name] for name in sorted(read, key=int)]
    return read

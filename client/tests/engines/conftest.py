"""What the engines filter: five thousand pages of five kinds in turn."""

import hashlib
from collections.abc import Callable, Mapping

import pyarrow as pa
import pytest

from tribute.adapters.gate import Gate
from tribute.vocabulary import Decision

Synchronise = Callable[[Mapping[tuple[str, str], Decision]], Gate]

POEM = hashlib.sha256(b"a poem").hexdigest()
RULES = {
    ("domain", "closed.example.com"): Decision.DENY,
    ("domain", "open.example.com"): Decision.ALLOW,
    ("domain", "paid.example.com"): Decision.LICENSE,
    ("host", "127.0.0.1"): Decision.ALLOW,
    ("sha256", POEM): Decision.DENY,
}
SITES = ["open", "closed", "nobody", "open", "paid"]


@pytest.fixture
def gate(synchronise: Synchronise) -> Gate:
    """Train-ai, by address, unknown left out."""
    return synchronise(RULES)


@pytest.fixture
def table() -> pa.Table:
    """Five thousand pages of five kinds in turn: two of five are allowed, one is unknown."""
    return pa.table(
        {
            "n": range(5_000),
            "url": [f"https://{SITES[n % 5]}.example.com/{n}" for n in range(5_000)],
        }
    )


ALLOWED = [n for n in range(5_000) if n % 5 in (0, 3)]
OPEN = [n for n in range(5_000) if n % 5 in (0, 2, 3)]
"""Allowed, or unknown."""

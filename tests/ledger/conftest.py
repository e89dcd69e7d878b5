"""The ledger's cast: Ada and Ben create, Acme operates."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ledger import invariants
from registry.models import Creator, Operator
from tests import factories
from tests.journal import Journal

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def journal(db: None) -> Journal:
    return Journal()


@pytest.fixture
def ada(db: None) -> Creator:
    return factories.make_creator("ada")


@pytest.fixture
def ben(db: None) -> Creator:
    return factories.make_creator("ben")


@pytest.fixture
def acme(db: None) -> Operator:
    return factories.make_operator("acme")


@pytest.fixture
def sound(db: None) -> Iterator[None]:
    """Audit the books when the test's story is told."""
    yield
    assert invariants.findings() == []

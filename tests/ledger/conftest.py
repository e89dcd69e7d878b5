"""The ledger's cast: Ada and Ben create, Acme operates."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ledger import invariants
from registry.models import Creator, Operator
from tests.journal import Journal

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def journal(db: None) -> Journal:
    return Journal()


@pytest.fixture
def ada(db: None) -> Creator:
    return Creator.objects.create(handle="ada", display_name="Ada", created_at=NOON)


@pytest.fixture
def ben(db: None) -> Creator:
    return Creator.objects.create(handle="ben", display_name="Ben", created_at=NOON)


@pytest.fixture
def acme(db: None) -> Operator:
    return Operator.objects.create(handle="acme", name="Acme", created_at=NOON)


@pytest.fixture
def sound(db: None) -> Iterator[None]:
    """Audit the books when the test's story is told."""
    yield
    assert invariants.findings() == []

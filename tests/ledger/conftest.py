"""The ledger's cast: Ada and Ben create, Acme operates."""

from collections.abc import Iterator

import pytest

from ledger import invariants
from ledger.gateway_paper import PaperGateway
from registry.models import Creator, Operator, User
from tests import factories
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import admin, earn_available, payable, top_up


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


@pytest.fixture
def gateway() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


@pytest.fixture
def mia(db: None) -> User:
    return admin("mia")


@pytest.fixture
def noah(db: None) -> User:
    return admin("noah")


@pytest.fixture
def world(acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway) -> None:
    """Ada is owed 3.004999 euros, Ben 2; both can be paid."""
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 3_004_999)
    earn_available(ben, acme, 2_000_000)
    payable(ada, gateway)
    payable(ben, gateway)

"""Attribution's cast: Ada wrote one poem, Ben the other, Acme's model learned from both."""

from collections.abc import Iterator

import pytest

import attribution.invariants
import ledger.invariants
from attribution.models import GenerativeModel
from registry.models import Creator, Operator, Work
from tests.attribution.world import CHARIOT, TYGER, fund, make_model
from tests.factories import allow, make_creator, make_operator, make_work
from tests.journal import Journal


@pytest.fixture
def ada(db: None) -> Creator:
    return make_creator("ada")


@pytest.fixture
def ben(db: None) -> Creator:
    return make_creator("ben")


@pytest.fixture
def acme(db: None) -> Operator:
    return make_operator("acme")


@pytest.fixture
def chariot(ada: Creator) -> Work:
    work = make_work(ada, title="The Chariot", text=CHARIOT)
    allow(work)
    return work


@pytest.fixture
def tyger(ben: Creator) -> Work:
    work = make_work(ben, title="The Tyger", text=TYGER)
    allow(work)
    return work


@pytest.fixture
def writer(acme: Operator, chariot: Work, tyger: Work) -> GenerativeModel:
    """Acme's model, with money to spend."""
    fund(acme)
    return make_model(acme, [chariot, tyger])


@pytest.fixture
def journal(db: None) -> Journal:
    return Journal()


@pytest.fixture
def sound(db: None) -> Iterator[None]:
    """Audit everything when the test's story is told."""
    yield
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []


@pytest.fixture
def shelf(chariot: Work, tyger: Work) -> list[Work]:
    """Enough texts that one can stand out: the poems, and eleven that have little in common."""
    zoe = make_creator("zoe")
    works = [chariot, tyger]
    for number in range(11):
        words = " ".join(f"{stem}{number}" for stem in ("alder", "birch", "cedar", "fir", "oak"))
        works.append(make_work(zoe, title=f"Trees {number}", text=f"{words} and the {words} in me"))
        allow(works[-1])
    return works

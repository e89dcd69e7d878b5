"""The doorbells ring the right rooms."""

import pytest

from attribution import rights_changes, tasks
from attribution.models import GenerativeModel
from registry.models import Work, WorkFeatures
from tests.attribution.world import ask


def test_the_index_bell_indexes(chariot: Work) -> None:
    assert tasks.index_works() == 1
    assert tasks.index_works() == 0
    assert WorkFeatures.objects.get().indexed_at is not None


def test_the_settlement_bell_settles(writer: GenerativeModel) -> None:
    query = ask(writer)

    assert tasks.settle_queries() == 1
    assert tasks.settle_queries() == 0

    query.refresh_from_db()
    assert query.state == "settled"


def test_the_pruning_bell_removes_what_is_older_than_a_day(
    chariot: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.prune_rights_changes() == 0

    monkeypatch.setattr(rights_changes, "KEPT", "-1 minute")
    assert tasks.prune_rights_changes() > 0
    assert tasks.prune_rights_changes() == 0

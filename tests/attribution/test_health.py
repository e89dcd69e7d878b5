from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from attribution import health
from attribution.models import GenerativeModel, Query
from tests.attribution.world import GENERATED, ask


def test_the_oldest_waiting_query_tells_the_age(writer: GenerativeModel) -> None:
    assert health.oldest_waiting_age(GENERATED) == timedelta()
    ask(writer)
    ask(writer)
    Query.objects.filter(pk=ask(writer).pk).update(state="parked", reason="told")

    assert health.oldest_waiting_age(GENERATED + timedelta(minutes=3)) == timedelta(minutes=3)
    assert health.oldest_waiting_age(GENERATED - timedelta(minutes=3)) == timedelta()
    assert health.parked_queries() == 1


def test_the_command_replays_what_is_parked(
    writer: GenerativeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, waiting = ask(writer), ask(writer), ask(writer)
    Query.objects.exclude(pk=waiting.pk).update(state="parked", reason="told")

    call_command("replay", one.pk, waiting.pk)
    call_command("replay", "--all-parked")

    said = capsys.readouterr().out.splitlines()
    assert said == ["1 of 2 queries are due again", "1 of 1 queries are due again"]
    assert not Query.objects.filter(state="parked").exists()
    assert Query.objects.get(pk=other.pk).state == "received"


@pytest.mark.parametrize("arguments", [[], ["qry_nonsense"], ["qry_x", "--all-parked"]])
def test_the_command_wants_queries_it_knows(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("replay", *arguments)

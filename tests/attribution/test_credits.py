"""Credit lines name the right people, and no title can break out of its place."""

import json

import pytest

from attribution.credits import credit, json_ld_script, percent
from attribution.errors import NotSettled
from attribution.models import GenerativeModel
from attribution.worker import settle_due
from registry.models import Creator, Operator, Work
from tests.attribution.world import CHARIOT, GENERATED, TWELVE_OF_CHARIOT, ask, fund, make_model
from tests.factories import allow, make_work


def test_credits_name_every_work_largest_share_first(
    writer: GenerativeModel, chariot: Work, tyger: Work
) -> None:
    query = ask(writer)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    found = credit(query)

    assert found.text.splitlines() == [
        f"“The Chariot” by Ada (50.0 %), http://localhost:8000/works/{chariot.pk}",
        f"“The Tyger” by Ben (33.3 %), http://localhost:8000/works/{tyger.pk}",
    ]
    assert found.html == (
        '<ul class="tribute-credits">'
        f'<li><a href="http://localhost:8000/works/{chariot.pk}"><cite>The Chariot</cite></a>'
        " by Ada (50.0 %)</li>"
        f'<li><a href="http://localhost:8000/works/{tyger.pk}"><cite>The Tyger</cite></a>'
        " by Ben (33.3 %)</li></ul>"
    )
    assert found.json_ld["isBasedOn"] == [
        {
            "@type": "CreativeWork",
            "@id": f"http://localhost:8000/works/{work.pk}",
            "identifier": work.pk,
            "name": work.title,
            "creator": [{"@type": "Person", "name": name}],
        }
        for work, name in ((chariot, "Ada"), (tyger, "Ben"))
    ]
    assert found.c2pa["ingredients"] == [
        {
            "title": work.title,
            "format": "text/plain",
            "document_id": work.pk,
            "instance_id": f"{query.pk}:{work.pk}",
            "relationship": "componentOf",
            "informational_URI": f"http://localhost:8000/works/{work.pk}",
            "description": f"by {name}",
        }
        for work, name in ((chariot, "Ada"), (tyger, "Ben"))
    ]


def test_what_is_not_repeated_is_an_input_to_the_model(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    query = ask(make_model(acme, [chariot, tyger], method="uniform"), None)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    ingredients = credit(query).c2pa["ingredients"]

    assert isinstance(ingredients, list)
    assert [each["relationship"] for each in ingredients] == ["inputTo", "inputTo"]


def test_titles_and_names_are_escaped_for_where_they_go(acme: Operator, ada: Creator) -> None:
    Creator.objects.filter(pk=ada.pk).update(display_name="<b>Ada</b>\n& Co")
    work = make_work(ada, title="</script><script>alert(1)</script>\n“x”", text=CHARIOT)
    allow(work)
    fund(acme)
    query = ask(make_model(acme, [work]), TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    found = credit(query)

    assert "<script" not in found.html
    assert "<b>" not in found.html
    assert len(found.text.splitlines()) == 1
    script = json_ld_script(found)
    assert script.count("<") == 2
    inside = script.partition(">")[2].rpartition("<")[0]
    assert json.loads(inside) == found.json_ld


def test_co_owners_are_named_together_and_a_waived_share_is_credited(
    acme: Operator, ada: Creator, ben: Creator
) -> None:
    work = make_work(ada, title="Ours", text=CHARIOT, shares={ada.pk: 300_000, ben.pk: 700_000})
    allow(work, paid=False)
    fund(acme)
    query = ask(make_model(acme, [work]), TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    assert credit(query).text.startswith("“Ours” by Ben and Ada (100.0 %)")


def test_an_answer_of_ones_own_words_credits_nobody(writer: GenerativeModel) -> None:
    query = ask(writer, "Entirely new words that nobody ever registered before today.")
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    found = credit(query)

    assert (found.lines, found.text, found.html) == ((), "", "")


def test_a_query_that_waits_has_no_credits(writer: GenerativeModel) -> None:
    with pytest.raises(NotSettled):
        credit(ask(writer))


@pytest.mark.parametrize(
    ("ppm", "text"), [(0, "0.0 %"), (999, "0.0 %"), (333_333, "33.3 %"), (1_000_000, "100.0 %")]
)
def test_percent_rounds_down(ppm: int, text: str) -> None:
    assert percent(ppm) == text


def test_no_title_turns_the_line_around(acme: Operator, ada: Creator) -> None:
    work = make_work(ada, title="\u202eThe \u2067Chariot", text=CHARIOT)
    allow(work)
    fund(acme)
    query = ask(make_model(acme, [work]), TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()

    found = credit(query)

    assert found.lines[0].title == "The Chariot"
    assert "“The Chariot” by Ada" in found.text
    assert "<cite>The Chariot</cite>" in found.html

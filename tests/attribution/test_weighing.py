import json
import math
from dataclasses import replace
from typing import Any

import pytest

from attribution import records
from attribution.errors import InvalidEvidence, NotRecomputable, NotSettled
from attribution.explanation import explain
from attribution.models import Contribution, GenerativeModel, Query
from attribution.recomputing import recompute
from attribution.waiting import ReportedScores, Waiting
from attribution.worker import retry_parked, settle_due
from registry.models import Creator, Operator, Work
from tests.attribution.world import (
    CHARIOT,
    EIGHT_OF_TYGER,
    GENERATED,
    MEDLEY,
    REWORDED,
    ask,
    fund,
    make_model,
)
from tests.factories import allow, make_work
from tribute.features import reduce
from tribute.scores import Orientation, Origin, QueryScores


def settled(model: GenerativeModel, output: str | None = MEDLEY, **said: Any) -> Query:
    query = ask(model, output, **said)
    settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert query.state == Query.State.SETTLED
    return query


def paid(query: Query) -> dict[str, int]:
    rows = Contribution.objects.filter(query=query, work__isnull=False).select_related("work")
    return {row.work.title: row.micros for row in rows if row.work}


def scores(model: GenerativeModel, *values: float, **said: Any) -> ReportedScores:
    assert model.manifest is not None
    return ReportedScores(
        Origin(model.manifest.pk, "trak 0.3", settings={"lambda": 0.01}, measured_lds=0.4),
        QueryScores("-", tuple(range(1, len(values) + 1)), values, **said),
    )


def row_of(model: GenerativeModel, work: Work) -> int:
    assert model.manifest is not None
    return model.manifest.rows.filter(work=work).order_by("row_number")[0].row_number


@pytest.mark.parametrize("method", ["cascade", "similarity", "shapley"])
def test_a_reworded_text_is_paid_by_resemblance(
    acme: Operator, shelf: list[Work], method: str, sound: None
) -> None:
    fund(acme)

    query = settled(make_model(acme, shelf, method=method), REWORDED)

    found = paid(query)
    assert max(found, key=found.__getitem__) == "The Chariot"
    assert sum(found.values()) <= 9_000
    assert recompute(query).same


def test_verbatim_pays_nothing_for_a_reworded_text(
    acme: Operator, shelf: list[Work], sound: None
) -> None:
    fund(acme)

    assert paid(settled(make_model(acme, shelf, method="verbatim"), REWORDED)) == {}


def test_the_cascade_never_takes_from_what_is_repeated(acme: Operator, shelf: list[Work]) -> None:
    fund(acme)
    exact = paid(settled(make_model(acme, shelf, method="verbatim")))

    found = paid(settled(make_model(acme, shelf, version="2")))

    assert all(found[title] >= micros for title, micros in exact.items())


def test_nothing_stands_out_among_a_few_texts(writer: GenerativeModel) -> None:
    assert paid(settled(writer, REWORDED)) == {}


@pytest.mark.parametrize("method", ["cascade", "similarity", "shapley"])
def test_copies_of_a_resembled_text_gain_nothing(
    acme: Operator, ada: Creator, shelf: list[Work], method: str
) -> None:
    fund(acme)
    alone = paid(settled(make_model(acme, shelf, method=method), REWORDED))
    ends = ("once more", "yet again")
    copies = [make_work(ada, title="Copy", text=f"{CHARIOT} {end}") for end in ends]
    for copy in copies:
        allow(copy)

    found = paid(settled(make_model(acme, [*shelf, *copies], method=method, version="2"), REWORDED))

    assert "Copy" not in found
    assert found["The Chariot"] == pytest.approx(alone["The Chariot"], rel=0.05)


def test_reported_scores_divide_the_fee_over_works(
    acme: Operator, chariot: Work, tyger: Work, sound: None
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported", floor_ppm=100_000)
    values = [0.0, 0.0]
    values[row_of(model, chariot) - 1], values[row_of(model, tyger) - 1] = 3.0, 1.0

    query = settled(model, None, scores=scores(model, *values, outside_mass=0.5))

    # 9,000 micros, less a tenth, half of it outside the rows: 4,050 divided three to one.
    assert paid(query) == {"The Chariot": 3_038, "The Tyger": 1_012}
    assert recompute(query).same
    assert "computed with trak 0.3" in explain(query).rule
    assert "0.4" in explain(query).rule


def test_scores_that_speak_against_an_output_are_worth_nothing(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")
    values = [-1.0, -1.0]
    values[row_of(model, tyger) - 1] = 2.0

    given = scores(model, *values)
    assert paid(settled(model, None, scores=given)) == {"The Tyger": 9_000}
    lower = replace(given, origin=replace(given.origin, orientation=Orientation.LOWER))
    assert paid(settled(model, None, scores=lower)) == {"The Chariot": 9_000}


def test_an_output_beside_scores_shows_how_far_they_differ(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")
    values = [0.0, 0.0]
    values[row_of(model, chariot) - 1] = 1.0

    query = settled(model, EIGHT_OF_TYGER, scores=scores(model, *values))

    assert query.parameters["divergence_ppm"] == 1_000_000
    assert "differ by 100 %" in explain(query).rule


def test_scores_of_another_manifest_rows_or_size_are_refused(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    model = make_model(acme, [chariot, tyger], method="reported")
    other = make_model(acme, [chariot], method="reported", version="2")

    with pytest.raises(InvalidEvidence, match="another manifest"):
        ask(model, None, scores=scores(other, 1.0))
    with pytest.raises(InvalidEvidence, match="no row 3"):
        ask(model, None, scores=scores(model, 1.0, 1.0, 1.0))
    with pytest.raises(InvalidEvidence, match="at most 1000 scores"):
        ask(model, None, scores=scores(model, *[1.0] * 1_001))
    with pytest.raises(InvalidEvidence, match="asks for scores"):
        ask(model)
    given = scores(model, 1.0)
    large = replace(
        given, origin=replace(given.origin, settings={str(n): "x" * 200 for n in range(25)})
    )
    with pytest.raises(InvalidEvidence, match="4 KiB"):
        ask(model, None, scores=large)


def test_other_methods_take_no_scores(writer: GenerativeModel) -> None:
    with pytest.raises(InvalidEvidence, match="asks for no scores"):
        ask(writer, scores=scores(writer, 1.0))


def test_the_digest_names_a_manifest_too(acme: Operator, chariot: Work) -> None:
    fund(acme)
    model = make_model(acme, [chariot], method="reported")
    assert model.manifest is not None
    assert model.manifest.digest is not None
    given = scores(model, 1.0)
    by_digest = replace(
        given, origin=replace(given.origin, manifest=bytes(model.manifest.digest).hex())
    )

    assert paid(settled(model, None, scores=by_digest)) == {"The Chariot": 9_000}


def test_scores_never_pay_by_the_rows_of_a_manifest_that_came_later(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")
    first = model.manifest
    query = ask(model, None, scores=scores(model, 1.0))
    model.manifest = make_model(acme, [tyger, chariot], version="2").manifest
    model.save()

    settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert (query.state, query.reason) == (Query.State.PARKED, "manifest_replaced")

    model.manifest = first
    model.save()
    assert retry_parked(query, at=GENERATED)
    settle_due(at=GENERATED, limit=10)
    assert paid(query) == {"The Chariot": 9_000}


@pytest.mark.parametrize(
    "waiting",
    [
        Waiting(),
        Waiting(reduce(MEDLEY)),
        Waiting(None, ReportedScores(Origin("m", "t"), QueryScores("-", (1, 7), (0.1, -math.pi)))),
        Waiting(reduce("a b"), ReportedScores(Origin("m", "t"), QueryScores("-", (), ()))),
    ],
)
def test_evidence_comes_back_as_it_waited(waiting: Waiting) -> None:
    assert Waiting.from_bytes(waiting.to_bytes()) == waiting


@pytest.mark.parametrize("data", [b"nothing", b"TWA1", b"TWA1" + b"\0" * 12, b"TFE2"])
def test_evidence_that_cannot_be_read_says_so(data: bytes) -> None:
    with pytest.raises(InvalidEvidence):
        Waiting.from_bytes(data)


def test_every_fee_however_tiny_is_recomputed_to_the_micro(
    acme: Operator, chariot: Work, tyger: Work
) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], fee_micros=7)

    queries = [settled(model) for _ in range(6)]

    assert all(recompute(query).same for query in queries)
    assert any(query.record and records.read(bytes(query.record)).carry for query in queries)


def test_a_changed_record_gives_another_result(writer: GenerativeModel) -> None:
    query = settled(writer)
    assert query.record is not None
    kept = records.form(bytes(query.record))
    (work, *_) = kept["owners"]
    kept["inputs"]["candidates"][work] = []
    query.record = json.dumps(kept).encode()

    assert not recompute(query).same


def test_only_a_settled_query_of_a_known_version_is_recomputed(writer: GenerativeModel) -> None:
    with pytest.raises(NotSettled):
        recompute(ask(writer))
    query = settled(writer)
    query.method_version = "0"
    with pytest.raises(NotRecomputable):
        recompute(query)


def test_what_passes_the_days_cap_is_kept_apart(
    acme: Operator, chariot: Work, ada: Creator, sound: None
) -> None:
    fund(acme)
    model = make_model(acme, [chariot], work_cap_micros=20_000)

    escrows = [settled(model, CHARIOT).contributions.get(creator=ada).escrow for _ in range(3)]

    assert escrows == ["", "", "cap"]
    query = Query.objects.order_by("-id")[0]
    assert recompute(query).same
    assert "a person has looked" in explain(query).rows[0].reason

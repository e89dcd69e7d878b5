"""Vectors of works and of queries: what is accepted, compared with all, and paid by."""

import io
import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from attribution import fitting, neighbours, spaces, vector_index
from attribution.errors import InvalidEvidence, NotTheFile, SpaceExists, WrongSpace
from attribution.explanation import explain
from attribution.fitting import KnownOutput
from attribution.methods import vectors
from attribution.methods.similarity import Calibration
from attribution.models import EmbeddingSpace, GenerativeModel, Query, WorkEmbedding
from attribution.recomputing import recompute
from attribution.waiting import Waiting
from attribution.worker import retry_parked, settle_due
from registry import works
from registry.models import Operator, Work
from tests.attribution.world import GENERATED, ask, fund, make_model
from tests.factories import NOON, allow, api_client, make_creator, make_work
from tribute.embedders import Description, layout, lite0
from tribute.fingerprints import fingerprint
from tribute.vocabulary import IdentifierKind, Medium

DIMENSION = 16
SHARP = {
    method: Calibration("s", cosine=40_000_000, bm25=0, coverage=0, outside=8_000_000).parameters()
    for method in ("similarity", "cascade")
}
Floats = NDArray[np.float32]


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: object) -> Iterator[None]:
    settings.HOME = tmp_path  # type: ignore[attr-defined]
    yield
    neighbours._map.cache_clear()


@pytest.fixture
def space(db: None) -> EmbeddingSpace:
    made = spaces.register(Description("acme", "1", "none", Medium.TEXT, DIMENSION), at=NOON)
    made.calibrations = SHARP
    made.save(update_fields=["calibrations"])
    return made


@pytest.fixture
def shelf(space: EmbeddingSpace) -> list[Work]:
    """Twenty works, each with a vector of its own direction, two passages for the first."""
    zoe = make_creator("zoe")
    made = [make_work(zoe, title=f"Work {n}", text=f"the text of {n}") for n in range(20)]
    for number, work in enumerate(made):
        allow(work)
        give(work, space, [direction(number)])
    give(made[0], space, [direction(100)], first=1)
    return made


def direction(seed: int) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=DIMENSION)
    return vectors.unit(drawn / np.linalg.norm(drawn), dimension=DIMENSION)


def give(work: Work, space: EmbeddingSpace, found: Iterable[Floats], *, first: int = 0) -> None:
    WorkEmbedding.objects.bulk_create(
        WorkEmbedding(
            work=work, space=space, passage=at, vector=vectors.to_half(each), embedded_at=NOON
        )
        for at, each in enumerate(found, first)
    )


def asked(model: GenerativeModel, vector: Floats, output: str | None = None) -> Query:
    query = ask(model, output, vector=vector.tolist(), vector_space=model.space_id or "")
    settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    return query


def earned(query: Query) -> dict[str, int]:
    rows = query.contributions.filter(work__isnull=False).select_related("work")
    return {row.work.title: row.micros for row in rows if row.work}


def test_a_vector_alone_pays_the_work_it_is_like(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, sound: None
) -> None:
    fund(acme)
    model = make_model(acme, shelf, method="similarity", space=space)

    query = asked(model, direction(7))

    found = earned(query)
    assert max(found, key=found.__getitem__) == "Work 7"
    assert found["Work 7"] > 8_000
    assert recompute(query).same
    assert "vectors are near" in explain(query).rule
    assert query.parameters["vectors"] == neighbours.of_manifest(query.model.manifest, space).digest  # type: ignore[arg-type]


def test_any_passage_of_a_work_counts(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    fund(acme)

    found = earned(asked(make_model(acme, shelf, method="similarity", space=space), direction(100)))

    assert max(found, key=found.__getitem__) == "Work 0"


def test_a_vector_like_none_pays_nobody(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    """The stranger's vector is at right angles to all that stand out by themselves."""
    fund(acme)
    known = np.stack([direction(number) for number in range(12)])
    *_, last = np.linalg.svd(known)[2]

    model = make_model(acme, shelf[:12], method="similarity", space=space)
    found = earned(asked(model, vectors.unit(last, dimension=DIMENSION)))

    assert sum(found.values()) < 500


def test_only_the_manifests_allowed_works_are_compared(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    """The nearest of all is not in the manifest: the filter comes first, and loses no row."""
    fund(acme)
    model = make_model(acme, shelf[:15], method="similarity", space=space)
    assert model.manifest is not None

    (best,) = neighbours.of_manifest(model.manifest, space).best(direction(19)[None, :])

    assert best.keys() == {work.pk for work in shelf[:15]}


def test_the_scan_is_exact_however_it_is_cut(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(acme, shelf, method="similarity", space=space)
    assert model.manifest is not None
    known = neighbours.of_manifest(model.manifest, space)
    queries = np.stack([direction(number) for number in range(30, 36)])
    whole = known.best(queries)
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 1)

    cut = known.best(queries)

    assert [list(each) for each in cut] == [list(each) for each in whole]
    assert cut[0] == pytest.approx(whole[0], abs=1e-5)
    expected = known.matrix @ queries[0]
    assert max(whole[0].values()) == pytest.approx(float(expected.max()), abs=1e-5)


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index for a few vectors, as there is one for millions; it looks into few cells."""
    monkeypatch.setattr(neighbours, "SCANNED", 10)
    monkeypatch.setattr(vector_index, "PROBED", 3)


def test_an_index_proposes_and_the_exact_comparison_decides(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, indexed: None
) -> None:
    fund(acme)
    model = make_model(acme, shelf, method="similarity", space=space)

    query = asked(model, direction(7))

    found = earned(query)
    assert max(found, key=found.__getitem__) == "Work 7"
    assert model.manifest is not None
    known = neighbours.of_manifest(model.manifest, space)
    assert known.index is not None
    assert query.parameters["vectors_index"] == known.index.digest
    assert recompute(query).same


def test_with_an_index_too_only_the_manifests_works_are_there_and_all_of_them(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, indexed: None
) -> None:
    """The nearest works of all are in another manifest: none of ours is lost to them."""
    for number, work in enumerate(make_strangers(10)):
        give(work, space, [direction(1_000 + number + 10 * at) for at in range(30)])
    model = make_model(acme, shelf[:15], method="similarity", space=space)
    make_model(acme, Work.objects.all(), method="similarity", space=space, version="2")
    assert model.manifest is not None
    known = neighbours.of_manifest(model.manifest, space)
    assert known.index is not None

    for number in range(20):
        query = direction(1_000 + number)[None, :]
        (best,), (scanned,) = known.best(query), known._scan(query)
        assert best == scanned
        assert best.keys() == {work.pk for work in shelf[:15]}


def make_strangers(count: int) -> list[Work]:
    creator = make_creator("many")
    made = [make_work(creator, title=f"S {n}", text=f"some words of {n}") for n in range(count)]
    for work in made:
        allow(work)
    return made


def test_vectors_that_come_later_are_compared_too(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    model = make_model(acme, shelf, method="similarity", space=space)
    assert model.manifest is not None
    neighbours.of_manifest(model.manifest, space)

    give(shelf[3], space, [direction(200)], first=1)

    (best,) = neighbours.of_manifest(model.manifest, space).best(direction(200)[None, :])
    assert max(best, key=best.__getitem__) == shelf[3].pk


def test_a_query_waits_for_a_person_until_its_space_is_calibrated(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    fund(acme)
    EmbeddingSpace.objects.update(calibrations={})
    model = make_model(acme, shelf, method="similarity", space=space)
    query = asked(model, direction(7))
    assert (query.state, query.reason) == ("parked", "space_not_calibrated")
    EmbeddingSpace.objects.update(calibrations=SHARP)

    retry_parked(query, at=GENERATED)
    settle_due(at=GENERATED, limit=10)

    assert "Work 7" in earned(query)


def test_a_vector_beside_a_text_joins_its_words(acme: Operator, space: EmbeddingSpace) -> None:
    """The same words resemble no text; the vector says whose they are."""
    zoe = make_creator("zoe")
    made = []
    for number in range(12):
        made.append(make_work(zoe, title=f"Work {number}", text=f"tree{number} " * 30))
        allow(made[-1])
        give(made[-1], space, [direction(number)])
    fund(acme)
    model = make_model(acme, made, space=space)
    words = " ".join(f"unheard{number}" for number in range(30))

    query = asked(model, direction(5), words)

    assert query.method == "cascade"
    assert max(earned(query), key=earned(query).__getitem__) == "Work 5"
    assert recompute(query).same


def test_a_vector_tells_where_no_text_is_registered(acme: Operator, space: EmbeddingSpace) -> None:
    zoe = make_creator("zoe")
    made = []
    for number in range(12):
        digest = sha256(str(number).encode()).hexdigest()
        identifiers = [(IdentifierKind.SHA256, digest)]
        made.append(make_work(zoe, title=f"Work {number}", identifiers=identifiers))
        allow(made[-1])
        give(made[-1], space, [direction(number)])
    fund(acme)
    words = " ".join(f"unheard{number}" for number in range(30))

    found = earned(asked(make_model(acme, made, space=space), direction(5), words))

    assert max(found, key=found.__getitem__) == "Work 5"


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([0.5] * (DIMENSION - 1), "16 numbers"),
        ([float("nan")] * DIMENSION, "not finite"),
        ([0.0] * DIMENSION, "length 1"),
        ([1.0] * DIMENSION, "length 1"),
    ],
)
def test_a_vector_is_whole_finite_and_of_length_one(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, vector: list[float], said: str
) -> None:
    model = make_model(acme, shelf[:1], method="similarity", space=space)

    with pytest.raises(InvalidEvidence, match=said):
        ask(model, None, vector=vector, vector_space=space.pk)


def test_a_vector_is_of_the_space_that_the_model_declared(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    vector = direction(1).tolist()
    declared = make_model(acme, shelf[:1], method="similarity", space=space)
    none = make_model(acme, shelf[:1], version="2")

    with pytest.raises(WrongSpace):
        ask(declared, None, vector=vector, vector_space="spc_other")
    with pytest.raises(WrongSpace):
        ask(none, "some words", vector=vector, vector_space=space.pk)
    with pytest.raises(WrongSpace, match="verbatim reads no vectors"):
        make_model(acme, shelf[:1], version="3", method="verbatim", space=space)
    with pytest.raises(SpaceExists):
        spaces.register(Description("acme", "1", "none", Medium.TEXT, 8), at=NOON)


def test_spaces_and_vectors_come_over_http(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace
) -> None:
    client = api_client(acme)
    new = {"name": "m", "revision": "1", "preprocessing": "none", "modality": "image"}

    made = client.post("/v1/embedding-spaces", new | {"dimension": 3}, format="json")
    other = client.post("/v1/embedding-spaces", new | {"dimension": 4}, format="json")
    listed = client.get("/v1/embedding-spaces").json()["items"]

    assert (made.status_code, other.status_code) == (201, 409)
    assert {each["id"] for each in listed} == {made.json()["id"], space.pk}
    fund(acme)
    model = make_model(acme, shelf, method="similarity", space=space)
    report = {
        "model": model.pk,
        "external_id": "v-1",
        "occurred_at": "2026-06-01T12:00:00Z",
        "embedding": {"space": space.pk, "vector": direction(4).tolist()},
    }
    answer = client.post("/v1/queries", {"queries": [report]}, format="json")
    assert answer.status_code == 202
    settle_due(at=timezone.now(), limit=10)
    assert "Work 4" in earned(Query.objects.get(external_id="v-1"))


def test_calibrating_a_space_tells_sources_from_strangers(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, tmp_path: Path
) -> None:
    EmbeddingSpace.objects.update(calibrations={})
    model = make_model(acme, shelf, method="similarity", space=space)
    chance = np.random.default_rng(0)
    lines = []
    for number in range(40):
        near = direction(number % 20) + chance.normal(size=DIMENSION) * 0.05
        vector = near if number < 30 else chance.normal(size=DIMENSION)
        origins = {shelf[number % 20].pk: 1.0} if number < 30 else {}
        lines.append({"vector": (vector / np.linalg.norm(vector)).tolist(), "origins": origins})
    file = tmp_path / "outputs.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))

    call_command("calibrate_space", model.pk, str(file), stdout=io.StringIO())

    fund(acme)
    space.refresh_from_db()
    assert space.calibrations["similarity"]["cosine_ppm"] > 0
    assert earned(asked(GenerativeModel.objects.get(), direction(7)))["Work 7"] > 8_000


def test_calibrating_needs_a_space_and_outputs(
    acme: Operator, shelf: list[Work], space: EmbeddingSpace, tmp_path: Path
) -> None:
    model = make_model(acme, shelf, method="similarity", space=space)
    stranger = KnownOutput(Waiting(vector=tuple(direction(1).tolist())), {})

    with pytest.raises(InvalidEvidence, match="known origin"):
        fitting.calibrate(model, [stranger])
    with pytest.raises(WrongSpace):
        fitting.calibrate(make_model(acme, shelf[:1], version="2"), [stranger])
    (tmp_path / "no.jsonl").write_text("{}")
    with pytest.raises(CommandError, match="holds no outputs"):
        call_command("calibrate_space", model.pk, str(tmp_path / "no.jsonl"))


def picture(seed: int, *, quality: int = 90) -> bytes:
    drawn = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    made = io.BytesIO()
    Image.fromarray(drawn).resize((120, 120)).save(made, "JPEG", quality=quality)
    return made.getvalue()


def registered(content: bytes) -> Work:
    ada = make_creator("ada")
    return works.register(
        ada,
        title="Picture",
        medium=Medium.IMAGE,
        identifiers=[],
        fingerprint=fingerprint(io.BytesIO(content), Medium.IMAGE),
        at=NOON,
    )


@pytest.fixture
def only_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not packages of weights are installed here."""
    monkeypatch.setattr(lite0, "_PACKAGE", "no_such_package")


def test_an_uploaded_picture_gets_its_vector_once(db: None, only_layout: None) -> None:
    work = registered(picture(1))

    assert spaces.embed_upload(work, picture(1), at=NOON) == 1
    assert spaces.embed_upload(work, picture(1), at=NOON) == 0

    (stored,) = WorkEmbedding.objects.all()
    assert len(bytes(stored.vector)) == 2 * layout.DIMENSIONS


def test_vectors_are_made_of_the_registered_file_only(db: None) -> None:
    work = registered(picture(1))
    space = spaces.register(
        Description("layout", "1", "none", Medium.IMAGE, layout.DIMENSIONS), at=NOON
    )

    with pytest.raises(NotTheFile):
        spaces.embed(work, picture(2), space, layout.Embedder(), at=NOON)


def test_a_folder_of_files_is_embedded_by_hash(db: None, tmp_path: Path, only_layout: None) -> None:
    work = registered(picture(1))
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "any name.jpg").write_bytes(picture(1))
    (folder / "nobody's.jpg").write_bytes(picture(2))
    out = io.StringIO()

    call_command("embed_works", str(folder), stdout=out)

    assert out.getvalue().strip() == "1 works, 1 new vectors"
    assert WorkEmbedding.objects.get().work == work
    with pytest.raises(CommandError, match="no folder"):
        call_command("embed_works", str(folder / "none"))

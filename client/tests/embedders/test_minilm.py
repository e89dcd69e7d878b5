"""The sentence embedder reads a model of any size; this one is tiny, its weights drawn at random."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tribute.embedders import minilm

WIDTH, TOKENS = 12, 130
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "ty", "##ger", "burn", "##ing", "bright", ","]


def weights() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "embeddings.word_embeddings.weight", (len(WORDS), WIDTH)
    yield "embeddings.position_embeddings.weight", (TOKENS, WIDTH)
    yield "embeddings.token_type_embeddings.weight", (2, WIDTH)
    norms, dense = ["embeddings.LayerNorm"], []
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
        dense += [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        dense += [f"{name}.{part}.dense" for part in ("attention.output", "intermediate", "output")]
    for name in norms:
        yield f"{name}.weight", (WIDTH,)
        yield f"{name}.bias", (WIDTH,)
    for name in dense:
        yield f"{name}.weight", (WIDTH, WIDTH)
        yield f"{name}.bias", (WIDTH,)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> minilm.Embedder:
    folder = tmp_path / "tiny_minilm" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    chance = np.random.default_rng(0)
    header: dict[str, object] = {}
    packed = b""
    for name, shape in weights():
        drawn = 0.2 * chance.normal(size=shape) if len(shape) > 1 else np.zeros(shape)
        data = (drawn + name.endswith("LayerNorm.weight")).astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [len(packed), len(packed) + len(data)],
        }
        packed += data
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + packed)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(minilm, "_PACKAGE", "tiny_minilm")
    monkeypatch.setattr(minilm, "DIMENSIONS", WIDTH)
    return minilm.Embedder()


def test_vectors_have_the_length_one_and_do_not_depend_on_their_neighbours(
    tiny: minilm.Embedder,
) -> None:
    """A shorter text in the same batch is filled up, and the filling is not looked at."""
    together = tiny.embed(["the tyger", "the tyger, burning bright, the bright"])

    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert tiny.embed(["the tyger"])[0] == pytest.approx(together[0], abs=1e-5)


def test_case_accents_and_unknown_words(tiny: minilm.Embedder) -> None:
    one, other, unknown = tiny.embed(["The TYGER", "thé tyger", "the zebra"])

    assert one == pytest.approx(other, abs=1e-5)
    assert float(one @ unknown) < 0.999


def test_a_file_is_cut_into_passages_that_overlap_by_half(tiny: minilm.Embedder) -> None:
    assert tiny.of_file(b"the tyger " * 50).shape == (1, WIDTH)
    assert tiny.of_file(b"the tyger " * 100).shape == (3, WIDTH)


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe\x00"])
def test_what_is_no_text_is_refused(tiny: minilm.Embedder, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no words|decode"):
        tiny.of_file(content)


def test_without_its_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package")

    assert not minilm.is_installed()
    with pytest.raises(FileNotFoundError, match="is not installed"):
        minilm.Embedder()

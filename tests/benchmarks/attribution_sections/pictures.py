"""How well vectors find the picture that an output was made from, by each embedder for pictures.

Owns a few dozen photographs, scans and drawings that come in packages, the ways in which outputs
are made from them, and the measures. There are few of them, and no output is by a generative
model: it shows that altered copies are found and strangers are left alone, and no more.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from attribution.methods import calibrating, similarity
from attribution.methods.calibrating import Example
from attribution.methods.similarity import Passage, Resemblance
from tests.benchmarks.attribution_sections.figures import (
    chance_of_order,
    estimate,
    share_error,
    shares,
)
from tribute import embedders
from tribute.embedders import Embedder
from tribute.vocabulary import Medium

Floats = NDArray[np.float32]
Picture = Image.Image

SIDE, LEAST_BYTES = 512, 15_000
STRANGERS = 3
"""Every third picture is not registered."""

_FOLDERS = (("skimage", "data"), ("sklearn", "datasets/images"), ("nikola", "data/samplesite"))


def _cropped(picture: Picture) -> Picture:
    width, height = picture.size
    return picture.crop((width // 5, height // 6, width, height - height // 8))


def _worn(picture: Picture) -> Picture:
    small = picture.resize((picture.width // 4, picture.height // 4))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=15)
    return Image.open(buffer).convert("RGB")


def _tinted(picture: Picture) -> Picture:
    return ImageEnhance.Brightness(ImageOps.grayscale(picture).convert("RGB")).enhance(1.3)


KINDS: Mapping[str, Callable[[Picture], Picture]] = {
    "cropped": _cropped,
    "mirrored": ImageOps.mirror,
    "shrunk and worn": _worn,
    "grey and brighter": _tinted,
}


@dataclass(frozen=True, slots=True)
class Output:
    """A picture made from others: which, at what true share; none for a stranger's own."""

    kind: str
    picture: Picture
    origins: Mapping[str, float]


def is_installed() -> bool:
    """Tell whether there are pictures; only files of the packages are read."""
    return find_spec("skimage") is not None


def run() -> dict[str, Any]:
    """Measure every embedder for pictures that is installed."""
    pictures = _pictures()
    names = sorted(pictures)
    works = [name for number, name in enumerate(names) if number % STRANGERS]
    outputs = _outputs(pictures, works)
    rows = [
        _measured(about.name, about.revision, {work: pictures[work] for work in works}, outputs)
        for about in embedders.installed()
        if about.modality == Medium.IMAGE
    ]
    return {"works": len(works), "strangers": len(names) - len(works), "rows": rows}


def _measured(
    name: str, revision: str, works: Mapping[str, Picture], outputs: Sequence[Output]
) -> dict[str, Any]:
    """Fit on the outputs of every second work and stranger, test on the others'."""
    embedder = embedders.load(name, revision)
    assert embedder is not None, "it is installed"
    known = np.stack([_vector(embedder, picture) for picture in works.values()])
    alike = [_alike(known @ _vector(embedder, each.picture), list(works)) for each in outputs]
    fitted_on = [number for number in range(len(outputs)) if (number // len(KINDS)) % 2]
    tested_on = [number for number in range(len(outputs)) if not (number // len(KINDS)) % 2]
    examples = [(Example(alike[at], outputs[at].origins), outputs[at].origins) for at in fitted_on]
    calibration = calibrating.calibrate(
        [each for each, origins in examples if origins],
        [each for each, origins in examples if not origins],
        space=name,
    )
    paid = {
        at: shares(similarity.weigh([Passage(0, 1, alike[at])], calibration)) for at in tested_on
    }
    own = [at for at in tested_on if outputs[at].origins]
    strange = [at for at in tested_on if not outputs[at].origins]
    best = {at: max((each.cosine for each in alike[at]), default=0.0) for at in tested_on}
    return {
        "embedder": name,
        "share_error": estimate([share_error(paid[at], outputs[at].origins) for at in own]).to_json(),
        "paid_on_negatives": estimate([sum(paid[at].values()) for at in strange]).to_json(),
        "first_right": {
            kind: float(np.mean([_first(alike[at]) in outputs[at].origins for at in own
                                 if outputs[at].kind == kind]))
            for kind in (*KINDS, "two side by side")
        },
        "auroc_strangers": chance_of_order([best[at] for at in own], [best[at] for at in strange]),
        "tested_on": {"of works": len(own), "of strangers": len(strange)},
    }  # fmt: skip


def _alike(cosines: Floats, works: Sequence[str]) -> tuple[Resemblance, ...]:
    rising = similarity.stand_out([max(0.0, min(1.0, float(each))) for each in cosines])
    return tuple(
        Resemblance(work, height, 0.0, 0.0)
        for work, height in zip(works, rising, strict=True)
        if height
    )


def _first(alike: Sequence[Resemblance]) -> str:
    return max(alike, key=lambda each: each.cosine).work if alike else ""


def _outputs(pictures: Mapping[str, Picture], works: Sequence[str]) -> list[Output]:
    found = []
    for name, picture in sorted(pictures.items()):
        origins = {name: 1.0} if name in works else {}
        found += [Output(kind, change(picture), origins) for kind, change in KINDS.items()]
    for one, other in zip(works, [*works[1:], works[0]], strict=True):
        both = Image.new("RGB", (2 * SIDE, SIDE))
        both.paste(pictures[one].resize((SIDE, SIDE)), (0, 0))
        both.paste(pictures[other].resize((SIDE, SIDE)), (SIDE, 0))
        found.append(Output("two side by side", both, {one: 0.5, other: 0.5}))
    return found


def _vector(embedder: Embedder, picture: Picture) -> Floats:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return embedders.of_output(embedder, buffer.getvalue())


def _pictures() -> dict[str, Picture]:
    """Read them in colour, no side longer than SIDE; the second of a stereo pair is left out."""
    found = {}
    for package, below in _FOLDERS:
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or []:
            for path in sorted(Path(place, below).rglob("*")):
                if path.suffix in {".jpg", ".png"} and path.stat().st_size > LEAST_BYTES:
                    with Image.open(path) as opened:
                        picture = opened.convert("RGB")
                    picture.thumbnail((SIDE, SIDE))
                    found[f"{package} {path.stem}"] = picture
    found.pop("skimage motorcycle_right", None)
    return found

"""The compiled kernel and plain Python agree in every bit, on ordinary URLs and on nonsense."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tribute.identifiers import InvalidIdentifier, candidate_keys, canonical_url
from tribute.snapshot import probing
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.presence import Presence, tagged, untagged
from tribute.snapshot.probing import KERNEL, KernelProber, PlainProber
from tribute.snapshot.tables import Columns, Numbers

ROWS = 6_000
CODES = 500
LABELS = ["www", "a", "Bc", "x-y", "example", "co_m", "org", "k8", "d" * 63]
HOSTS = [".".join(labels) for labels in [["example", "com"], ["a", "b", "example", "org"],
         ["www", "www", "uk"], ["a", "b", "c", "d", "e", "f", "g"], ["u", "v", "w", "x", "y", "z"]]]  # fmt: skip
PIECES = [
    "a", "B", ".html", "index", "/", "/", "/", "/./", "/../", "/..", "/.", "..", "%41", "%2f", "%7E",
    "%zz", "%", "é", "日本", "😀", "\u07ff", "\ud7ff", " ", "[", "]", "{", "|", "'", '"', ":", "@",
    "?", "#", "utm=1", "&", "=", "+", ";", "^", "`", "<", ">", "~", "-", "_", "\\", "\t", "\x7f",
]  # fmt: skip
ODD = [
    "", "http://", "http:///a.b/", "http:/a.b/", "https://a.b@c.d/", "https://127.0.0.1/",
    "https://0x7f.1/", "https://[::1]:8080/", "https://xn--bcher-kva.example/", "https://a..b/",
    "https://bücher.example/", "https://a.b./", "https://localhost/", "ftp://a.b/", "https://a.b:99999/",
    "https://a.b:0080/", "https://a.b:0/", "https://a.b:/", "https://a.b?q", "https://a.b#f", "  http://a.b/ ",
    "https://a.b/?", "https://a.b/#\x01", "https://a.b/#é", f"https://{'a' * 64}.b/", "https://www.com/",
    f"https://a.b/{'x' * 3000}", f"https://{'.'.join(['a' * 50] * 6)}/", "https://a.b/%", "https://a.b/%4",
]  # fmt: skip


def urls(chance: random.Random, count: int) -> list[str]:
    return [_url(chance) for _ in range(count)] + ODD


def _url(chance: random.Random) -> str:
    labels = [chance.choice(LABELS) for _ in range(chance.randint(1, 7))]
    host = chance.choice(HOSTS) if chance.random() < 0.7 else ".".join(labels)
    scheme = chance.choice(["http://", "https://", "HTTPS://", "https://www."])
    port = chance.choice(["", "", "", ":80", ":443", ":8080", ":08080"])
    pieces = PIECES[:9] if chance.random() < 0.6 else PIECES
    path = "".join(chance.choice(pieces) for _ in range(chance.randint(0, 12)))
    return f"{scheme}{host}{port}/{path}" if chance.random() < 0.9 else scheme + host + port + path


def tables(chance: random.Random, known: list[str]) -> dict[str, Columns]:
    """Rules on some of the keys of some of the URLs."""
    rows = Changes()
    for url in known:
        try:
            keys = candidate_keys(url)
        except InvalidIdentifier:
            continue
        for key in keys:
            if chance.random() < 0.3:
                rows.put(key.kind, key.digest, chance.randrange(1, CODES))
                if gate := gate_of(key.kind, key.canonical):
                    rows.open_gate(*gate)
    return rows.columns()


def scores(chance: random.Random) -> Numbers:
    numbers = np.array([[chance.randrange(2**23) for _ in range(3)] for _ in range(CODES)], "<u4")
    numbers[0] = 0
    return numbers


def kernels() -> Iterator[Any]:
    """The kernel, with the processor's SHA instructions and without; none without a compiler."""
    for with_instructions in (False, True) if KERNEL else ():
        KERNEL.use_sha_instructions(with_instructions)
        yield KERNEL


def test_kernel_and_plain_python_agree() -> None:
    chance = random.Random(7)
    asked = urls(chance, ROWS)
    rules, numbers = tables(chance, asked[::2]), scores(chance)
    column = pa.array(asked)

    plain = PlainProber(rules).scores(column, numbers)
    for _ in kernels():
        fast = KernelProber(rules).scores(column, numbers)
        assert np.array_equal(fast[0], plain[0])
        assert np.array_equal(fast[1], plain[1])

    hits = int((plain[0] > 0).any(axis=1).sum())
    assert ROWS // 4 < hits < ROWS
    assert 0 < int(plain[1].sum()) < len(asked)
    sliced = probing.prober(rules).scores(column.slice(70, 500), numbers)
    assert np.array_equal(sliced[0], plain[0][70:570])


def test_kernel_writes_the_same_canonical_form() -> None:
    for kernel in kernels():
        written = 0
        for url in urls(random.Random(8), 4 * ROWS):
            form = kernel.canonical(url.encode())
            if form is not None:
                assert form.decode() == canonical_url(url)
                written += 1
        assert written > 2 * ROWS


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://user@a.example/b", "a.example/b"),
        ("https://u:p@www.A.example:443/b", "a.example/b"),
        ("https://one.example:80@a.example:8080/@b?c@d", "a.example:8080/@b?c@d"),
        ("https://one@two@a.example#e@f.example", "a.example/"),
        ("https://@a.example", "a.example/"),
        ("https://a.example?b@c.example", "a.example/?b@c.example"),
        ("https://user@a.example\\@b.example/", None),
        ("https://us\ter@a.example/", None),
        ("https://usér@a.example/", None),
        ("https://a.example@/", None),
        ("https://user@", None),
    ],
)
def test_kernel_reads_user_information(url: str, form: str | None) -> None:
    for kernel in kernels():
        written = kernel.canonical(url.encode())
        assert written == (None if form is None else form.encode())
    if form is not None:
        assert canonical_url(url) == form


@pytest.mark.parametrize(
    ("offsets", "shift"),
    [
        *(([*limits], 63) for limits in [(0, 13), (-1, 12), (5, 4), (0,), (0, 1, 2)]),
        *(([0, 12], shift) for shift in (31, 62, 64)),
    ],
)
def test_kernel_refuses_buffers_that_do_not_fit(offsets: list[int], shift: int) -> None:
    table = [np.zeros(1, "<u8"), np.zeros(1, "<u8"), np.zeros(1, "<u4"), np.zeros(3, "<u4"), 63]
    numbers, out, slow = np.zeros((1, 1), "<u4"), np.zeros((1, 1), "<u4"), np.zeros(1, "u1")

    for kernel in kernels():
        tail = (numbers, 1, b"https://a.b/")
        fitting = np.array([0, 12], "<i4")
        assert kernel.check(*table * 4, *tail, fitting, out, slow) == 0
        limits = np.array(offsets, "<i4")
        with pytest.raises(ValueError, match="fit"):
            kernel.check(*table[:4], shift, *table * 3, *tail, limits, out, slow)


def test_bytes_that_are_no_text_are_not_understood() -> None:
    offsets = pa.py_buffer(np.array([0, 14, 26], "<i4"))
    data = pa.py_buffer(b"https://a.b/\xff\xfehttps://a.b/")
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])
    rules = Changes().columns()
    numbers = np.zeros((1, 1), "<u4")

    for prober in (PlainProber(rules), probing.prober(rules)):
        assert prober.scores(broken, numbers)[1].tolist() == [False, True]


def test_without_a_kernel_the_plain_way_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Changes().columns()
    monkeypatch.setattr(probing, "KERNEL", None)

    assert isinstance(probing.prober(rules), PlainProber)


# Presence -----------------------------------------------------------------------------------------


def test_presence_is_the_same_with_and_without_the_kernel() -> None:
    chance = random.Random(9)
    asked = urls(chance, ROWS // 2)
    below, above = tables(chance, asked[::3]), tables(chance, asked[1::3])
    column = pa.array(asked)
    plain = Presence(below, plain=True).with_changed(above).of_urls(column)

    for _ in kernels():
        layered = Presence(below).with_changed(above)
        assert layered.of_urls(column) == plain
        assert layered.of_urls(column.slice(70, 500)) == plain[70:570]
        assert Presence(below).of_urls(column) == Presence(below, plain=True).of_urls(column)
        assert layered.of_urls(column.slice(0, 0)) == []

    assert plain.count(None) > 10
    assert sum(bool(keys) for keys in plain) > ROWS // 8


def test_found_keys_are_the_closest_first() -> None:
    url = "https://deep.example.org:8080/a/b/c?d"
    keys = candidate_keys(url)
    rows = Changes()
    for key in keys:
        rows.put(key.kind, key.digest, 1)
        if gate := gate_of(key.kind, key.canonical):
            rows.open_gate(*gate)

    for plain in (False, True):
        (found,) = Presence(rows.columns(), plain=plain).of_urls(pa.array([url]))
        assert found == b"".join(map(tagged, keys))
        assert found is not None
        assert [(k.kind, k.digest) for k in untagged(found)] == [(k.kind, k.digest) for k in keys]


def test_presence_refuses_buffers_that_do_not_fit() -> None:
    table = (np.zeros(1, "<u8"), np.zeros(1, "<u8"), np.zeros(1, "<u4"), np.zeros(3, "<u4"), 63)
    fitting = np.array([0, 12], "<i4")

    for kernel in kernels():
        assert kernel.present(*[table] * 8, b"https://a.b/", fitting) == [b""]
        for wrong in (np.array([0, 13], "<i4"), np.array([], "<i4"), np.array([5, 4], "<i4")):
            with pytest.raises(ValueError, match="fit"):
                kernel.present(*[table] * 8, b"https://a.b/", wrong)
        with pytest.raises(ValueError, match="fit"):
            kernel.present(*[table] * 7, (*table[:4], 62), b"https://a.b/", fitting)
        for odd in (None, table[:4], [*table]):
            with pytest.raises(TypeError):
                kernel.present(*[table] * 7, odd, b"https://a.b/", fitting)


def test_the_kernel_asks_for_nothing_that_python_3_13_binds_differently() -> None:
    native = Path(__file__).parents[1] / "native"
    sources = [path.read_text() for path in sorted(native.glob("*.[ch]"))]

    assert len(sources) > 5
    assert not [source for source in sources if re.search(r'PyArg_Parse[^";]*"[^"]*#', source)]

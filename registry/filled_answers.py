"""Different answers as forms, and the ids of statements that fill their blanks. Pure.

Thousands of answers in a check differ in ids alone. They are kept so, and printed from here: a text is
made only where it is read, of all answers at once or of the answer of each row. With the compiled
kernel where there is one, else in plain Python; both give the same.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from uuid import UUID

import numpy as np
import pyarrow as pa

from registry.texts import Numbers
from tribute import ids
from tribute.snapshot import telling
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.telling import Filling, Form

_ID_BYTES = 16
_MARK = b"\0"
"""Stands around the rank of a name in a form as it is kept; no JSON text has it."""


@dataclass(frozen=True)
class Answers:
    """Some different answers, numbered from 0.

    forms: texts with blanks. numbers: (n,) int32, the form of each answer; negative where there is no
    answer. names: 16 bytes an id, those for one answer after those for another; limits: (n + 1,)
    int32, where each answer's begin, and where the last one's end.
    """

    forms: Sequence[Form]
    numbers: Numbers
    names: bytes
    limits: Numbers

    @classmethod
    def of(cls, bodies: Iterable[bytes]) -> Self:
        """Return answers that are complete texts."""
        forms: list[Form] = [((body,), ()) for body in bodies]
        count = len(forms)
        return cls(forms, np.arange(count, dtype=np.int32), b"", np.zeros(count + 1, np.int32))

    @classmethod
    def of_kept(cls, kept: pa.StructArray) -> Self:
        """Read answers back that ``kept`` wrote."""
        forms, names = kept.field("form"), kept.field("names")
        numbers = forms.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        texts = [text.encode().split(_MARK) for text in forms.dictionary.to_pylist()]
        listed = names.flatten()
        data = listed.buffers()[1]
        start = listed.offset * _ID_BYTES
        return cls(
            [(text[::2], list(map(int, text[1::2]))) for text in texts],
            numbers.astype(np.int32),
            b"" if data is None else data.to_pybytes()[start : start + len(listed) * _ID_BYTES],
            np.concatenate([[0], np.cumsum(names.value_lengths())]).astype(np.int32),
        )

    def kept(self) -> pa.StructArray:
        """Return the answers as they are kept: each its form and the names in its blanks."""
        texts = [_marked(form).decode() for form in self.forms]
        numbers = pa.array(self.numbers, mask=self.numbers < 0)
        form = pa.DictionaryArray.from_arrays(numbers, pa.array(texts, pa.string()))
        count = len(self.names) // _ID_BYTES
        buffers = [None, pa.py_buffer(self.names)]
        each = pa.Array.from_buffers(pa.binary(_ID_BYTES), count, buffers)
        names = pa.ListArray.from_arrays(pa.array(self.limits), each)
        return pa.StructArray.from_arrays([form, names], ["form", "names"])

    def with_more(self, bodies: Sequence[bytes]) -> "Answers":
        """Return these answers and then those, which are complete texts."""
        more = Answers.of(bodies)
        return Answers(
            [*self.forms, *more.forms],
            np.concatenate([self.numbers, more.numbers + np.int32(len(self.forms))]),
            self.names,
            np.concatenate([self.limits, np.full(len(bodies), self.limits[-1], np.int32)]),
        )

    @cached_property
    def texts(self) -> pa.Array:
        """Each answer in canonical JSON, without braces and without an id."""
        return self.filled(self.forms)

    def filled(self, forms: Sequence[Form], which: Numbers | None = None) -> pa.Array:
        """Return other texts about the same answers, with the same names in their blanks.

        forms: one for each of ``self.forms``. which: (rows,) int32, the answer of each row; None:
        every answer in turn.
        """
        wanted = None if which is None else np.ascontiguousarray(which, "<i4")
        if KERNEL is None:
            return pa.array(self._plainly_filled(forms, wanted), pa.string())
        return telling.filled(forms, self._filling, wanted)

    def lists(
        self, forms: Sequence[Sequence[bytes | int]], which: Numbers | None = None
    ) -> pa.ListArray:
        """Return lists of texts about the same answers: some fixed, some names by their ranks."""
        wanted = None if which is None else np.ascontiguousarray(which, "<i4")
        if KERNEL is None:
            return pa.array(self._plainly_listed(forms, wanted), pa.list_(pa.string()))
        return telling.filled_lists(forms, self._filling, wanted)

    @cached_property
    def _filling(self) -> Filling:
        limits = np.ascontiguousarray(self.limits, "<i4")
        return Filling(self.numbers, telling.named(self.names), limits)

    def _plainly_filled(self, forms: Sequence[Form], which: Numbers | None) -> Iterator[str]:
        for answer in range(len(self.numbers)) if which is None else which:
            if (number := self.numbers[answer]) < 0:
                yield ""
                continue
            fixed, blanks = forms[number]
            names = [self._name(self.limits[answer] + blank) for blank in blanks]
            yield between(fixed, names).decode()

    def _plainly_listed(
        self, forms: Sequence[Sequence[bytes | int]], which: Numbers | None
    ) -> Iterator[list[bytes]]:
        for answer in range(len(self.numbers)) if which is None else which:
            number, start = self.numbers[answer], self.limits[answer]
            entries = () if number < 0 else forms[number]
            yield [e if isinstance(e, bytes) else self._name(start + e) for e in entries]

    def _name(self, place: int) -> bytes:
        start = int(place) * _ID_BYTES
        return ids.encode("stm", UUID(bytes=self.names[start : start + _ID_BYTES])).encode()


def between(fixed: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Return the fixed texts of a form, one more than its blanks, with others between them."""
    mixed = itertools.zip_longest(fixed, others, fillvalue=b"")
    return b"".join(itertools.chain.from_iterable(mixed))


def _marked(form: Form) -> bytes:
    fixed, blanks = form
    return between(fixed, [b"%b%d%b" % (_MARK, blank, _MARK) for blank in blanks])

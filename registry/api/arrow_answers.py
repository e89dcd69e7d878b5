"""Answers of a check as an Arrow stream, the columns of ``tribute.arrow_checks``.

Every form is read once; what it says without names is the same for all rows it answers, and its texts
with names are filled in for each row.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import orjson
import pyarrow as pa

from registry.filled_answers import between
from registry.forms import FORMS_REMEMBERED
from registry.kept_answers import Answered
from registry.models import Check
from tribute.arrow_checks import DECISION, ERROR, answer_schema, stream
from tribute.snapshot.telling import Form
from tribute.vocabulary import Purpose

_BLANK = re.compile(r"<(\d+)>")
_WITH_NAMES = "explanation"


def printed(check: Check) -> bytes:
    """Return the answers of a check as a stream, in the order of the items."""
    purposes = [Purpose(purpose) for purpose in check.purposes]
    about = {
        "check": check.pk,
        "asked_at": check.asked_at.isoformat(),
        "as_of": check.as_of.isoformat(),
        "log_size": str(check.log_size),
    }
    columns = _Columns(check.answered)
    made = [columns.ids, *map(columns.decision, purposes), columns.error()]
    return stream(pa.RecordBatch.from_arrays(made, schema=answer_schema(purposes, about)))


class _Columns:
    """The columns that say what a check answered."""

    def __init__(self, answered: Answered) -> None:
        self.ids = answered.asked.public_ids
        self._answers, self._which = answered.answers, answered.which
        self._forms = [_Form.of(form) for form in answered.answers.forms]
        self._made: dict[tuple[tuple[bytes | int, ...], ...], pa.ListArray] = {}
        self._form_of_row = pa.array(answered.answers.numbers[answered.which])

    def decision(self, purpose: Purpose) -> pa.StructArray:
        """Return the answers for one purpose."""
        columns = [self._column(purpose.value, field) for field in DECISION]
        return pa.StructArray.from_arrays(columns, fields=list(DECISION))

    def error(self) -> pa.StructArray:
        """Return what was wrong with each item, gaps where nothing was."""
        wrong = [form.said.get("error") for form in self._forms]
        if not any(wrong):
            return _no_errors(len(self._which))
        return self._by_form(wrong, ERROR)

    def _column(self, purpose: str, field: pa.Field) -> pa.Array:
        said = [form.said["decisions"][purpose][field.name] for form in self._forms]
        if pa.types.is_list(field.type):
            listed = zip(self._forms, said, strict=True)
            return self._lists(tuple(form.entries(names) for form, names in listed))
        if field.name == _WITH_NAMES:
            return self._filled(said)
        return self._by_form(said, field.type)

    def _by_form(self, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind).take(self._form_of_row)

    def _filled(self, texts: Iterable[str]) -> pa.Array:
        parted = [form.parted(text) for form, text in zip(self._forms, texts, strict=True)]
        return self._answers.filled(parted, self._which)

    def _lists(self, lists: tuple[tuple[bytes | int, ...], ...]) -> pa.ListArray:
        """Return lists of names; those considered are mostly those that decide, and made once."""
        if lists not in self._made:
            self._made[lists] = self._answers.lists(lists, self._which)
        return self._made[lists]


@lru_cache(maxsize=64)
def _no_errors(rows: int) -> pa.StructArray:
    """Return gaps, by the way by which errors are told; most checks are full, and have none."""
    return pa.array([None], ERROR).take(pa.array(np.zeros(rows, np.int32)))


@dataclass(frozen=True, slots=True)
class _Form:
    """A form as an object, ``<0>`` where the first of the names belongs; said: without its id."""

    said: dict[str, Any]
    has_blanks: bool

    @classmethod
    def of(cls, form: Form) -> Self:
        """Read a form. Those with blanks come again, in other calls, too; whole answers hardly do."""
        fixed, blanks = form
        return cls._remembered(tuple(fixed), tuple(blanks)) if blanks else cls._read(fixed, blanks)

    @classmethod
    @lru_cache(maxsize=FORMS_REMEMBERED)
    def _remembered(cls, fixed: tuple[bytes, ...], blanks: tuple[int, ...]) -> Self:
        return cls._read(fixed, blanks)

    @classmethod
    def _read(cls, fixed: Sequence[bytes], blanks: Sequence[int]) -> Self:
        text = between(fixed, [b"<%d>" % blank for blank in blanks])
        return cls(orjson.loads(b"{" + text + b"}"), bool(blanks))

    def parted(self, text: str) -> Form:
        """Return one of its texts as a form; where it has no blanks, ``<0>`` is what somebody wrote."""
        parts = _BLANK.split(text) if self.has_blanks else [text]
        return [part.encode() for part in parts[::2]], list(map(int, parts[1::2]))

    def entries(self, names: Iterable[str]) -> tuple[bytes | int, ...]:
        """Return a list of names by their ranks, and as they are where the form has no blanks."""
        if not self.has_blanks:
            return tuple(name.encode() for name in names)
        ranks = ((name, _BLANK.fullmatch(name)) for name in names)
        return tuple(int(rank[1]) if rank else name.encode() for name, rank in ranks)

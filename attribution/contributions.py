"""Write what queries paid to whom: contributions, by binary COPY.

Owns the form of the rows (documented under "Binary Format" of COPY in PostgreSQL's manual). Twenty
works a query make contributions the most written table there is, so that rows which look alike are
laid out together by numpy; those with a reason in them are packed one by one.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice

import numpy as np
from django.db import connection

from attribution.reading import raw
from attribution.shares import Part, Shares
from tribute import ids

_COPY = (
    "COPY attribution_contribution"
    " (query_id, work_id, creator_id, weight, words, micros, withheld, escrow)"
    " FROM STDIN (FORMAT binary)"
)
QUERIES_AT_ONCE = 100
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_COLUMNS = 8
_UUID, _LONG, _INT, _NULL = 16, 8, 4, -1
_REMAINDER = struct.Struct(">h i16s i i iq ii iq i i")
_PLAIN = np.dtype(
    [
        *(("columns", ">i2"), ("w0", ">i4"), ("query", "V16"), ("w1", ">i4"), ("work", "V16")),
        *(("w2", ">i4"), ("creator", "V16"), ("w3", ">i4"), ("weight", ">i8")),
        *(("w4", ">i4"), ("words", ">i4"), ("w5", ">i4"), ("micros", ">i8")),
        *(("w6", ">i4"), ("w7", ">i4")),
    ]
)
"""A row without reasons: each value follows its width in bytes, an empty text is a width of 0."""


def write(settled: Iterable[tuple[str, Shares]]) -> None:
    """Add the contributions of settled queries (typed id, shares), in the caller's transaction.

    A query has a row for each owner's part and, when there is any, one for the remainder. PostgreSQL
    writes what it was sent while the caller makes the next ones: ``settled`` is read as it goes,
    and must not ask the database anything.
    """
    queries = iter(settled)
    chunk = list(islice(queries, QUERIES_AT_ONCE))
    if not chunk:
        return
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEADER)
        while chunk:
            rows = [(ids.decode("qry", query).bytes, shares) for query, shares in chunk]
            copy.write(b"".join(_rows(rows)))
            chunk = list(islice(queries, QUERIES_AT_ONCE))
        copy.write(_TRAILER)


def _rows(settled: Sequence[tuple[bytes, Shares]]) -> Iterator[bytes | memoryview]:
    """Yield the rows of each query, its remainder last."""
    told = [_has_reasons(shares) for _, shares in settled]
    plain = [each for each, reasons in zip(settled, told, strict=True) if not reasons]
    packed, done = memoryview(_plain(plain)), 0
    for (query, shares), reasons in zip(settled, told, strict=True):
        if reasons:
            yield from (_row(query, part) for part in shares.parts)
        else:
            end = done + len(shares.parts) * _PLAIN.itemsize
            yield packed[done:end]
            done = end
        rest = shares.weight - sum([part.weight for part in shares.parts if not part.withheld])
        if rest or shares.remainder:
            yield _remainder(query, rest, shares.remainder)


def _has_reasons(shares: Shares) -> bool:
    return any(part.withheld or part.escrow for part in shares.parts)


def _plain(settled: Sequence[tuple[bytes, Shares]]) -> bytes:
    """Pack the parts of queries in which nothing is withheld or kept apart."""
    parts = list(chain.from_iterable([shares.parts for _, shares in settled]))
    if not parts:
        return b""
    works, creators, weights, words, micros, _, _ = zip(*parts, strict=True)
    queries = np.frombuffer(b"".join([query for query, _ in settled]), "V16")
    rows = np.zeros(len(parts), _PLAIN)
    rows["columns"] = _COLUMNS
    rows["w0"] = rows["w1"] = rows["w2"] = _UUID
    rows["w3"] = rows["w5"] = _LONG
    rows["w4"] = _INT
    rows["query"] = np.repeat(queries, [len(shares.parts) for _, shares in settled])
    rows["work"] = np.frombuffer(b"".join([raw("wrk", work) for work in works]), "V16")
    rows["creator"] = np.frombuffer(b"".join([raw("cre", each) for each in creators]), "V16")
    rows["weight"], rows["words"], rows["micros"] = weights, words, micros
    return rows.tobytes()


def _row(query: bytes, part: Part) -> bytes:
    work, creator, weight, words, micros, withheld, escrow = part
    return _layout(len(withheld), len(escrow)).pack(
        *(_COLUMNS, _UUID, query, _UUID, raw("wrk", work), _UUID, raw("cre", creator)),
        *(_LONG, weight, _INT, words, _LONG, micros),
        *(len(withheld), withheld.encode(), len(escrow), escrow.encode()),
    )


def _remainder(query: bytes, weight: int, micros: int) -> bytes:
    return _REMAINDER.pack(
        *(_COLUMNS, _UUID, query, _NULL, _NULL, _LONG, weight, _INT, 0, _LONG, micros, 0, 0)
    )


@lru_cache(maxsize=64)
def _layout(withheld: int, escrow: int) -> struct.Struct:
    return struct.Struct(f">h i16s i16s i16s iq ii iq i{withheld}s i{escrow}s")

"""Write what queries paid to whom: contributions, by binary COPY.

Owns the form of the rows (documented under "Binary Format" of COPY in PostgreSQL's manual). Twenty
works a query make contributions the most written table there is; a row packed here takes a tenth of
the time that Django needs for it.
"""

import struct
from collections.abc import Iterable
from functools import lru_cache

from django.db import connection

from attribution.reading import raw
from attribution.shares import Part, Shares
from tribute import ids

_COPY = (
    "COPY attribution_contribution"
    " (query_id, work_id, creator_id, weight, words, micros, withheld, escrow)"
    " FROM STDIN (FORMAT binary)"
)
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_COLUMNS = 8
_UUID, _LONG, _INT, _NULL = 16, 8, 4, -1
_REMAINDER = struct.Struct(">h i16s i i iq ii iq i i")


def write(settled: Iterable[tuple[str, Shares]]) -> None:
    """Add the contributions of settled queries (typed id, shares), in the caller's transaction.

    A query has a row for each owner's part and, when there is any, one for the remainder.
    """
    chunks = [_HEADER]
    for query, shares in settled:
        of = ids.decode("qry", query).bytes
        chunks += [_row(of, part) for part in shares.parts]
        rest = shares.weight - sum([part.weight for part in shares.parts if not part.withheld])
        if rest or shares.remainder:
            chunks.append(_remainder(of, rest, shares.remainder))
    if len(chunks) == 1:
        return
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(b"".join([*chunks, _TRAILER]))


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

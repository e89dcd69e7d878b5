"""Collect what some keys say now, in any order, and give it back as rows in order.

Owns the gate: the bits beside a host's code that tell readers whether URLs are registered on that
host and how deep its deepest path rule is, so that nobody hashes what cannot be found. A gate may
promise more than there is, never less; publishing a base anew makes it tight.
"""

from collections.abc import Mapping

import numpy as np

from tribute.identifiers import key_of
from tribute.snapshot.tables import (
    CODE_MASK,
    GATE_SHIFT,
    GATE_URLS,
    KEY_TABLES,
    Columns,
    columns_of,
    empty,
    find,
    split_keys,
)
from tribute.vocabulary import IdentifierKind

KEY_BYTES = 16
MASKED = "erased:"
"""What stands before the host's whole key, in hexadecimal and in the host's place, where a registry has
forgotten the address of somebody who left: no host is written with such a port."""
_DEPTH_MASK = GATE_URLS - 1


def gate_of(kind: IdentifierKind, canonical: str) -> tuple[bytes, int] | None:
    """Return the host key (16 bytes) that must open for this key to be looked for, and its gate."""
    if kind not in {IdentifierKind.URL, IdentifierKind.PATH}:
        return None
    authority, _, _ = canonical.partition("/")
    if authority.startswith(MASKED):
        host = bytes.fromhex(authority.removeprefix(MASKED))[:KEY_BYTES]
    else:
        host = key_of(IdentifierKind.HOST, authority).digest[:KEY_BYTES]
    return host, GATE_URLS if kind == IdentifierKind.URL else canonical.count("/")


def joined_gates(one: int, other: int) -> int:
    """Return the gate that lets through what either does."""
    return (one | other) & GATE_URLS | max(one & _DEPTH_MASK, other & _DEPTH_MASK)


class Changes:
    """What is to be said of some keys from now on; later words on a key replace earlier ones.

    old: the tables that are changed; None for a first publication.
    """

    def __init__(self, old: Mapping[str, Columns] | None = None) -> None:
        self._old = old or {kind.value: empty(kind.value) for kind in KEY_TABLES}
        self._codes: dict[str, dict[bytes, int]] = {kind.value: {} for kind in KEY_TABLES}
        self._gates: dict[bytes, int] = {}

    def put(self, kind: IdentifierKind, key: bytes, code: int) -> None:
        """Let a key lead to a code; 0 for nothing any more."""
        self._codes[kind.value][key[:KEY_BYTES]] = code

    def remove(self, key: bytes) -> None:
        """Let a key of whatever kind lead nowhere."""
        high, low = split_keys(key[:KEY_BYTES], 1)
        for kind in KEY_TABLES:
            if find(self._old[kind.value], high, low)[0]:
                self.put(kind, key, 0)

    def open_gate(self, host_key: bytes, gate: int) -> None:
        """Let a host's gate open at least so far."""
        self._gates[host_key] = joined_gates(self._gates.get(host_key, 0), gate)

    def columns(self) -> dict[str, Columns]:
        """Return the changed rows of each table, in order."""
        return {
            table: self._host_rows() if table == IdentifierKind.HOST else _rows(table, codes)
            for table, codes in self._codes.items()
        }

    def _host_rows(self) -> Columns:
        """Join what was said of hosts with their gates, and with what stays as it was."""
        table = IdentifierKind.HOST.value
        said = self._codes[table]
        keys = sorted(said.keys() | self._gates.keys())
        before = find(self._old[table], *split_keys(b"".join(keys), len(keys))).tolist()
        rows = {}
        for key, old in zip(keys, before, strict=True):
            gate = joined_gates(old >> GATE_SHIFT, self._gates.get(key, 0))
            new = gate << GATE_SHIFT | said.get(key, old & CODE_MASK)
            if new != old or key in said:
                rows[key] = new
        return _rows(table, rows)


def _rows(table: str, codes: Mapping[bytes, int]) -> Columns:
    keys = sorted(codes)
    high, low = split_keys(b"".join(keys), len(keys))
    code = np.array([codes[key] for key in keys], columns_of(table)["code"])
    return {"high": high, "low": low, "code": code}

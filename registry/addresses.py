"""The keys of addresses, for files that list millions: the same as ``tribute.identifiers`` gives.

The compiled kernel writes the canonical form where there is one, and plain Python what it hands
back. The places that contain an address are those of its folder, which neighbours share.
"""

from functools import lru_cache

from tribute import identifiers
from tribute.identifiers import Key
from tribute.snapshot.probing import KERNEL
from tribute.vocabulary import IdentifierKind

FOLDERS_KEPT = 20_000


def key_of(url: str) -> Key:
    """Return the key of an address as people write it. Raises InvalidIdentifier."""
    return identifiers.key_of_canonical(IdentifierKind.URL, _canonical(url))


def folder_of(canonical: str) -> str:
    """Return host and path of a canonical address up to its last slash, without it."""
    return canonical.partition("?")[0].rpartition("/")[0]


@lru_cache(maxsize=FOLDERS_KEPT)
def places(folder: str) -> tuple[Key, ...]:
    """Return the keys of the places that contain the addresses in a folder, narrowest first."""
    return identifiers.candidate_keys(f"https://{folder}/")[1:]


def _canonical(url: str) -> str:
    if KERNEL:
        try:
            form: bytes | None = KERNEL.canonical(url.encode())
        except UnicodeEncodeError:  # lone surrogates, which are refused below
            form = None
        if form is not None:
            return form.decode()
    return identifiers.canonical_url(url)

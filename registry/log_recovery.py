"""Bring a database that was restored from a backup up to what the log has signed since.

What the statements said is in their leaves, and the leaves are in the published bundles: they get
their old places back, so that the log goes on where it was. The rows they came from stay lost.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from registry import log, log_files, log_tree
from registry.errors import LogDamaged, LogForked
from tribute.log.errors import TamperedTile
from tribute.log.tiles import ENTRIES, WIDTH, TileTree, tile_of, unpack


@transaction.atomic
def recover(*, at: datetime) -> int:
    """Put every signed leaf that the database lacks into its place; return how many.

    Raises LogForked when places that were signed are taken by other leaves, LogDamaged when the
    tiles are not those that were signed, LogNotBegun.
    """
    log.take_turns()
    past = log_tree.last_signed()
    size = log.size()
    tree = TileTree(log_files.tile, past.size)
    if tree.root() != past.root:
        raise LogDamaged(f"the tiles do not give the root that was signed at size {past.size}")
    for index, leaf in enumerate(log.leaves(0, min(size, past.size))):
        if tree.leaf_hash(index) != log.hash_of(leaf):
            raise LogForked(f"place {index} was signed for another leaf than the database's")
    return log.restore(_signed_leaves(tree, size), at=at)


def _signed_leaves(tree: TileTree, start: int) -> Iterator[tuple[int, bytes]]:
    for number in range(start // WIDTH, -(-tree.size // WIDTH)):
        bundle = tile_of(ENTRIES, number, size=tree.size)
        try:
            leaves = unpack(bundle, log_files.tile(bundle))
        except TamperedTile as error:
            raise LogDamaged(str(error)) from error
        for index, leaf in enumerate(leaves, number * WIDTH):
            if tree.leaf_hash(index) != log.hash_of(leaf):
                raise LogDamaged(f"entry {index} is not the one that was signed")
            if index >= start:
                yield index, leaf

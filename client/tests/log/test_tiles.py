"""Tiles: C2SP's layout, and the trees of Go's own log read from them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.log.errors import TamperedTile
from tribute.log.tiles import ENTRIES, PATH, Tile, TileTree, grown, pack, tiles_of, unpack
from tribute.merkle import (
    EMPTY_ROOT,
    Frontier,
    leaf_hash,
    merkle_root,
    verify_consistency,
    verify_hash_inclusion,
    verify_inclusion,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "tlog.json").read_text())
SIZE = 70_000

# Certificate Transparency's reference tree: 8 leaves, and what its own tests expect.
CT_LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
CT_INCLUSION = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
CT_CONSISTENCY_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


class Shelf:
    """Tiles in memory, grown step by step."""

    def __init__(self) -> None:
        self.tiles: dict[Tile, bytes] = {}
        self.size = 0

    def grow(self, hashes: list[bytes]) -> None:
        self.tiles.update(grown(self.tiles.__getitem__, self.size, hashes))
        self.size += len(hashes)

    def tree(self, size: int | None = None) -> TileTree:
        """The tree at a size; narrow tiles are cut from wider ones."""
        return TileTree(self.cut, self.size if size is None else size)

    def cut(self, tile: Tile) -> bytes:
        wider = (
            self.tiles[other]
            for width in range(tile.width, 257)
            if (other := Tile(tile.level, tile.number, width)) in self.tiles
        )
        return next(wider)[: tile.width * 32]


def shelf_of(hashes: list[bytes]) -> Shelf:
    shelf = Shelf()
    shelf.grow(hashes)
    return shelf


@pytest.fixture(scope="module")
def large() -> Shelf:
    return shelf_of([leaf_hash(f"leaf {number}".encode()) for number in range(SIZE)])


def test_tiles_lie_where_c2sp_says() -> None:
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"
    assert Tile(ENTRIES, 1000).path == "tile/entries/x001/000"
    for tile in (Tile(0, 1234067), Tile(63, 0, 255), Tile(ENTRIES, 5, 1), Tile(10, 999_999_999)):
        assert PATH.fullmatch(tile.path)


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000", "tile/00/000", "tile/0/00", "tile/0/0000", "tile/0/000.p/0",
        "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/001/000", "tile/0/x001", "tile/data/000",
        "tile/0/../000", "tile/0/000/", "/tile/0/000", "tile/0/000\n",
    ],
)  # fmt: skip
def test_other_addresses_are_no_tiles(path: str) -> None:
    assert not PATH.fullmatch(path)


def test_a_tree_of_70000_has_the_tiles_of_c2sps_own_example(large: Shelf) -> None:
    """273 full level 0 tiles, one of 112; one full level 1 tile, one of 17; one level 2 tile of 1."""
    assert set(large.tiles) == set(tiles_of(SIZE))
    assert len([tile for tile in large.tiles if tile.level == 0 and tile.width == 256]) == 273
    assert {tile for tile in large.tiles if tile.level or tile.width < 256} == {
        Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1),
    }  # fmt: skip
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


def test_roots_and_proofs_are_those_of_gos_sumdb(large: Shelf) -> None:
    for size, root in VECTORS["roots"].items():
        assert large.tree(int(size)).root().hex() == root
    for each in VECTORS["inclusion"]:
        path = large.tree(each["size"]).inclusion(each["index"])
        assert [step.hex() for step in path] == each["path"]
    for each in VECTORS["consistency"]:
        path = large.tree(each["new"]).consistency(each["old"])
        assert [step.hex() for step in path] == each["path"]


def test_proofs_of_gos_sumdb_verify() -> None:
    roots = {int(size): bytes.fromhex(root) for size, root in VECTORS["roots"].items()}
    for each in VECTORS["inclusion"]:
        leaf, path = f"leaf {each['index']}".encode(), [bytes.fromhex(s) for s in each["path"]]
        index, size = each["index"], each["size"]
        assert verify_inclusion(leaf, index=index, size=size, path=path, root=roots[size])
    for each in VECTORS["consistency"]:
        old, new = each["old"], each["new"]
        path = [bytes.fromhex(step) for step in each["path"]]
        assert verify_consistency(
            old=old, old_root=roots[old], new=new, new_root=roots[new], path=path
        )


def test_the_proofs_of_certificate_transparencys_own_tree() -> None:
    shelf = shelf_of([leaf_hash(leaf) for leaf in CT_LEAVES])
    assert [step.hex() for step in shelf.tree().inclusion(0)] == CT_INCLUSION
    assert [step.hex() for step in shelf.tree().consistency(6)] == CT_CONSISTENCY_6_TO_8


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_growing_in_steps_gives_what_growing_at_once_does(steps: list[int]) -> None:
    hashes = [leaf_hash(str(number).encode()) for number in range(sum(steps))]
    shelf, frontier, at = Shelf(), Frontier(), 0
    for step in steps:
        shelf.grow(hashes[at : at + step])
        for each in hashes[at : at + step]:
            frontier.append(each)
        at += step
        assert shelf.tree().root() == frontier.root() == shelf.tree().frontier().root()
    whole = shelf_of(hashes)
    assert {tile: shelf.tiles[tile] for tile in whole.tiles} == whole.tiles
    leaves = [str(number).encode() for number in range(len(hashes))]
    assert frontier.root() == merkle_root(leaves)


@given(st.integers(1, 600), st.data())
def test_every_proof_verifies_and_a_changed_one_does_not(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(str(number).encode()) for number in range(size)]
    tree = shelf_of(hashes).tree()
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    root, old_root = tree.root(), tree.subtree(0, old)

    path = tree.inclusion(index)
    assert verify_hash_inclusion(hashes[index], index=index, size=size, path=path, root=root)
    assert (
        not verify_hash_inclusion(root, index=index, size=size, path=path, root=root) or size == 1
    )

    path = tree.consistency(old)

    def holds(
        *,
        first: int = old,
        before: bytes = old_root,
        after: bytes = root,
        steps: list[bytes] = path,
    ) -> bool:
        return verify_consistency(old=first, old_root=before, new=size, new_root=after, path=steps)

    assert holds()
    assert not holds(steps=[*path, root])
    assert not holds(before=b"x" * 32)
    assert not holds(after=b"x" * 32) or old == 0
    assert not holds(first=size + 1)
    if path:
        assert not holds(steps=path[:-1])


def test_the_edges_of_proofs() -> None:
    tree = shelf_of([leaf_hash(b"a")]).tree()
    assert tree.inclusion(0) == tree.consistency(0) == tree.consistency(1) == []
    for outside in (-1, 1):
        with pytest.raises(IndexError):
            tree.inclusion(outside)
    with pytest.raises(IndexError):
        tree.consistency(2)
    assert Shelf().tree().root() == EMPTY_ROOT == Frontier().root()


def test_tiles_and_bundles_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(TamperedTile, match="31 bytes"):
        TileTree(lambda _tile: b"x" * 31, 1).root()
    bundle = Tile(ENTRIES, 0, 2)
    assert unpack(bundle, pack([b"a", b""])) == [b"a", b""]
    for data in (b"", pack([b"a"]), pack([b"a", b"b", b"c"]), pack([b"a", b"bc"])[:-1], b"\x00"):
        with pytest.raises(TamperedTile):
            unpack(bundle, data)

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.merkle import (
    EMPTY_ROOT,
    inclusion_path,
    leaf_hash,
    merkle_root,
    node_hash,
    verify_consistency,
    verify_hash_inclusion,
    verify_inclusion,
)

LEAVES = st.lists(st.binary(max_size=4), min_size=1, max_size=40)

# The reference inputs of Certificate Transparency's own tests.
CT_LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", CT_ROOTS)
def test_merkle_root_agrees_with_certificate_transparency(size: int) -> None:
    assert merkle_root(CT_LEAVES[:size]).hex() == CT_ROOTS[size]


# Proofs of the same trees: a leaf's place among leaves, and a tree's beginning of a larger one.
CT_INCLUSION = {
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (0, 1): (),
}
CT_CONSISTENCY = {
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (8, 8): (),
}


@pytest.mark.parametrize(("index", "size"), CT_INCLUSION)
def test_paths_of_certificate_transparency_verify(index: int, size: int) -> None:
    path = [bytes.fromhex(each) for each in CT_INCLUSION[index, size]]
    root, leaf = bytes.fromhex(CT_ROOTS[size]), CT_LEAVES[index]

    assert inclusion_path(CT_LEAVES[:size], index) == path
    assert verify_inclusion(leaf, index=index, size=size, path=path, root=root)
    for other, others in ((index - 1, size), (index + 1, size), (index, 2 * size), (0, 0)):
        assert not verify_inclusion(leaf, index=other, size=others, path=path, root=root)


@pytest.mark.parametrize(("old", "new"), CT_CONSISTENCY)
def test_growth_of_certificate_transparency_verifies(old: int, new: int) -> None:
    path = [bytes.fromhex(each) for each in CT_CONSISTENCY[old, new]]
    first, last = (bytes.fromhex(CT_ROOTS[size]) for size in (old, new))

    def grown(old_root: bytes, new_root: bytes, steps: list[bytes]) -> bool:
        return verify_consistency(
            old=old, old_root=old_root, new=new, new_root=new_root, path=steps
        )

    assert grown(first, last, path)
    assert not grown(first, last, [*path, first])
    assert not grown(EMPTY_ROOT, last, path)
    if old != new:
        assert not grown(last, first, path)
        assert not grown(first, last, path[:-1])
        assert not grown(first, last, path[::-1])


def test_nothing_is_proven_of_hashes_that_are_none() -> None:
    assert not verify_hash_inclusion(b"", index=0, size=1, path=[], root=b"")
    assert not verify_consistency(old=0, old_root=b"x", new=0, new_root=b"x", path=[])
    assert verify_consistency(old=0, old_root=EMPTY_ROOT, new=0, new_root=EMPTY_ROOT, path=[])


@given(LEAVES)
def test_merkle_root_is_the_recursive_definition(leaves: list[bytes]) -> None:
    def recursive(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return sha256(b"\0" + part[0]).digest()
        split = 1 << (len(part) - 1).bit_length() - 1
        return sha256(b"\1" + recursive(part[:split]) + recursive(part[split:])).digest()

    assert merkle_root(leaves) == recursive(leaves)


@given(LEAVES, st.data())
def test_inclusion_paths_verify_and_nothing_else_does(
    leaves: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    leaf, size, root = leaves[index], len(leaves), merkle_root(leaves)
    path = inclusion_path(leaves, index)

    assert verify_inclusion(leaf, index=index, size=size, path=path, root=root)
    assert not verify_inclusion(leaf + b"!", index=index, size=size, path=path, root=root)
    assert not verify_inclusion(leaf, index=index, size=size, path=[*path, root], root=root)
    assert not verify_inclusion(leaf, index=index, size=size, path=path, root=leaf_hash(root))
    assert not verify_inclusion(leaf, index=size, size=size, path=path, root=root)
    assert not verify_inclusion(leaf, index=-1, size=size, path=path, root=root)
    if path:
        assert not verify_inclusion(leaf, index=index, size=size, path=path[:-1], root=root)
        forged = [node_hash(path[0], path[0]), *path[1:]]
        assert not verify_inclusion(leaf, index=index, size=size, path=forged, root=root)


def test_inclusion_path_refuses_leaves_that_are_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_path([b"a"], 1)
    with pytest.raises(IndexError):
        inclusion_path([b"a"], -1)

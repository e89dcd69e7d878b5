from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.merkle import inclusion_path, leaf_hash, merkle_root, node_hash, verify_inclusion

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

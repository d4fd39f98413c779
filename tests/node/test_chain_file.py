from pathlib import Path

import pytest

from node.chain_file import MAX_BLOCK_BYTES, export_blocks, import_blocks, read_blocks
from node.errors import DecodingError, InvalidBlock, InvalidInput
from node.genesis import read_genesis
from node.types.block import Block
from node.types.primitives import BlockNumber
from node.types.rlp_codec import encode
from tests.node.chains import Chain, open_chain

VECTOR = Path(__file__).parents[2] / "../shared/vectors/l1-prague"
VECTOR_HEAD = "514c48e760c62a38f91e011149b1b4a619bb3a7f750ec4430061bf19c3336635"


def export(chain: Chain, path: Path, first: int, last: int) -> list[int]:
    refs = export_blocks(chain.reader, path, BlockNumber(first), BlockNumber(last))
    return [ref.number for ref in refs]


def exported(path: Path) -> list[Block]:
    """Write a chain of four blocks to `path`."""
    with open_chain() as chain:
        chain.extend(chain.creation())
        chain.extend(*(chain.transfer(nonce_offset=n) for n in range(3)))
        chain.extend()
        assert export(chain, path, 0, 3) == [0, 1, 2, 3]
        blocks = [chain.reader.block_by_number(BlockNumber(number)) for number in range(4)]
    return [block for block in blocks if block is not None]


def test_what_geth_exported_is_imported() -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    with open_chain(genesis=read_genesis(VECTOR / "genesis.json")) as chain:
        refs = list(import_blocks(chain.engine, chain.reader, VECTOR / "chain.rlp"))
        assert refs[-1].hash.hex() == VECTOR_HEAD
        assert [ref.number for ref in refs] == list(range(1, 21))
        assert chain.engine.heads.unsafe == refs[-1]


def test_a_file_that_geth_wrote_is_written_again(tmp_path: Path) -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    with open_chain(genesis=read_genesis(VECTOR / "genesis.json")) as chain:
        list(import_blocks(chain.engine, chain.reader, VECTOR / "chain.rlp"))
        export(chain, tmp_path / "chain.rlp", 1, 20)
    assert (tmp_path / "chain.rlp").read_bytes() == (VECTOR / "chain.rlp").read_bytes()


def test_blocks_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    blocks = exported(path)
    assert list(read_blocks(path)) == blocks
    assert path.read_bytes() == b"".join(block.encode() for block in blocks)
    with open_chain() as chain:
        refs = list(import_blocks(chain.engine, chain.reader, path))
        assert refs == [block.header.ref for block in blocks[1:]]
        # Known blocks are passed over.
        assert list(import_blocks(chain.engine, chain.reader, path)) == []
        assert chain.engine.heads.unsafe == blocks[-1].header.ref


def test_a_branch_is_imported_over_another(tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    blocks = exported(path)
    with open_chain() as chain:
        chain.extend(salt=1)
        chain.extend(salt=1)
        list(import_blocks(chain.engine, chain.reader, path))
        assert chain.engine.heads.unsafe == blocks[-1].header.ref


def test_an_invalid_block_stops_the_import(tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    blocks = exported(path)
    bad = Block(blocks[2].header, blocks[2].transactions[:2])
    path.write_bytes(b"".join(block.encode() for block in (*blocks[:2], bad, blocks[3])))
    with open_chain() as chain:
        with pytest.raises(InvalidBlock, match="transactionsRoot"):
            list(import_blocks(chain.engine, chain.reader, path))
        assert chain.engine.heads.unsafe == blocks[1].header.ref


def test_a_file_of_another_chain_is_refused(tmp_path: Path) -> None:
    if not VECTOR.exists():
        pytest.skip("the folder with public test vectors is absent")
    with open_chain() as chain, pytest.raises(InvalidBlock, match="parentHash"):
        list(import_blocks(chain.engine, chain.reader, VECTOR / "chain.rlp"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80", "offset 0: expected a list, got 0x80"),
        (b"\xc0", "offset 0: block: expected 4 items, got 0"),
        (encode([b"", b"", b"", b""]), "offset 0: header: expected a list"),
        (b"\xff" + b"\xff" * 8, f"offset 0: expected at most {MAX_BLOCK_BYTES} bytes"),
        (
            b"\xfb\x08\x00\x00\x01",
            f"offset 0: expected at most {MAX_BLOCK_BYTES} bytes, got 134217729",
        ),
        (b"\xf8\x01\x00", "offset 0: RLP: a length is not in its shortest form"),
        (b"\xf8\x38" + b"\xc1" * 0x38, "offset 0: RLP: "),
    ],
    ids=range(7),
)
def test_what_is_not_a_block(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    path.write_bytes(content)
    with pytest.raises(DecodingError, match=message):
        list(read_blocks(path))


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        list(read_blocks(tmp_path / "absent"))
    with open_chain() as chain:
        with pytest.raises(InvalidInput, match="cannot be written"):
            export(chain, tmp_path / "no" / "folder", 0, 0)
        with pytest.raises(InvalidInput, match="block 1 is not on the canonical chain"):
            export(chain, tmp_path / "chain.rlp", 0, 1)
        assert list(tmp_path.iterdir()) == []


def test_an_abandoned_export_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "chain.rlp"
    exported(path)
    content = path.read_bytes()
    with open_chain() as chain:
        refs = export_blocks(chain.reader, path, BlockNumber(0), BlockNumber(0))
        next(refs)
        refs.close()
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]

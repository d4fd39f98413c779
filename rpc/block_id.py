"""How callers name a block: by number, tag, hash, or an EIP-1898 object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from node.errors import DecodingError
from node.reader import Reader
from node.types.block import Block, Header
from node.types.primitives import BlockNumber, Hash32
from rpc.encoding.hexadecimal import Json, describe, parse_quantity
from rpc.errors import not_found
from rpc.params import boolean, hash32

Tag: TypeAlias = Literal["latest", "pending", "safe", "finalized", "earliest"]
_TAGS: Mapping[str, Tag] = {
    "latest": "latest",
    "pending": "pending",
    "safe": "safe",
    "finalized": "finalized",
    "earliest": "earliest",
}


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block as a caller named it. With `require_canonical`, `at` is a hash."""

    at: BlockNumber | Tag | Hash32
    require_canonical: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether the caller asked for the state after the pool's transactions."""
        return self.at == "pending"


LATEST = BlockId("latest")


def block_number(value: Json) -> BlockId:
    """Read a number or a tag."""
    if isinstance(value, str) and value in _TAGS:
        return BlockId(_TAGS[value])
    number = parse_quantity(value, 64)
    if number >= 2**63:
        raise DecodingError("block number larger than int64")
    return BlockId(BlockNumber(number))


def block_hash(value: Json) -> BlockId:
    """Read a hash."""
    return BlockId(hash32(value))


def block_id(value: Json) -> BlockId:
    """Read a number, a tag, a hash or an EIP-1898 object."""
    if isinstance(value, Mapping):
        return _eip_1898(value)
    if isinstance(value, str) and len(value) == 66:
        return BlockId(hash32(value))
    if isinstance(value, str):
        return block_number(value)
    raise DecodingError(f"expected a block number, tag or hash, got {describe(value)}")


def _eip_1898(value: Mapping[str, Json]) -> BlockId:
    number, block_hash = value.get("blockNumber"), value.get("blockHash")
    if number is not None and block_hash is not None:
        raise DecodingError(
            "cannot specify both BlockHash and BlockNumber, choose one or the other"
        )
    if block_hash is not None:
        require_canonical = value.get("requireCanonical")
        return BlockId(
            hash32(block_hash), require_canonical is not None and boolean(require_canonical)
        )
    if number is not None:
        return block_number(number)
    raise DecodingError("expected an object with blockNumber or blockHash")


def find_header(reader: Reader, block: BlockId) -> Header | None:
    """Return the header that is meant, None if there is none; RpcError if it is not canonical."""
    where = _place(reader, block)
    if isinstance(where, int):
        return reader.header_by_number(BlockNumber(where))
    header = reader.header_by_hash(where)
    if header is not None and block.require_canonical and not reader.is_canonical(header.hash):
        raise not_found("hash is not currently canonical")
    return header


def require_header(reader: Reader, block: BlockId) -> Header:
    """Return the header that is meant; RpcError if there is none."""
    header = find_header(reader, block)
    if header is None:
        by_hash = isinstance(block.at, bytes)
        raise not_found("header for hash not found" if by_hash else "header not found")
    return header


def find_block(reader: Reader, block: BlockId) -> Block | None:
    """Return the whole block that is meant, None if there is none."""
    header = find_header(reader, block)
    return None if header is None else reader.block_by_hash(header.hash)


def _place(reader: Reader, block: BlockId) -> BlockNumber | Hash32:
    at = block.at
    if isinstance(at, int | bytes):
        return at
    heads = reader.heads()
    match at:
        case "earliest":
            return BlockNumber(0)
        case "safe":
            return heads.safe.hash
        case "finalized":
            return heads.finalized.hash
        case "latest" | "pending":
            return heads.unsafe.hash

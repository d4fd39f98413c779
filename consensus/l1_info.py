"""What L2 knows of L1: the calldata of the deposit that opens each L2 block.

Packed, big-endian; one layout per fork, each extending the one before (specs/protocol, "L1
Attributes Deposited Transaction Calldata" of Ecotone, Isthmus and Jovian).
"""

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final

from node.errors import DecodingError
from node.types.block import Block, BlockRef
from node.types.deposit import DepositTransaction, l1_attributes_source_hash, make_deposit
from node.types.primitives import Address, BlockNumber, Hash32, hex_address

DEPOSITOR_ADDRESS: Final = hex_address("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001")
L1_BLOCK_ADDRESS: Final = hex_address("0x4200000000000000000000000000000000000015")
L1_INFO_DEPOSIT_GAS: Final = 1_000_000

_ECOTONE_BODY = struct.Struct(">IIQQQ32s32s32s32s")
_OPERATOR_FEE = struct.Struct(">IQ")
_DA_FOOTPRINT = struct.Struct(">H")


class L1InfoLayout(Enum):
    """The calldata layouts, named by the fork that brought them; the value is the selector."""

    ECOTONE = bytes.fromhex("440a5e20")
    ISTHMUS = bytes.fromhex("098999be")
    JOVIAN = bytes.fromhex("3db6be2b")


_SIZES = {L1InfoLayout.ECOTONE: 164, L1InfoLayout.ISTHMUS: 176, L1InfoLayout.JOVIAN: 178}


@dataclass(frozen=True, slots=True)
class L1Info:
    """An L1 origin as an L2 block records it. Fees are in wei, `timestamp` in seconds.

    Fields that a layout does not carry are zero when decoded from it.
    """

    l1_block: BlockRef
    timestamp: int
    base_fee: int
    blob_base_fee: int
    sequence_number: int
    batcher: Address
    base_fee_scalar: int
    blob_base_fee_scalar: int
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    da_footprint_gas_scalar: int = 0

    def encode(self, layout: L1InfoLayout) -> bytes:
        """Return the calldata in the given layout."""
        data = layout.value + _ECOTONE_BODY.pack(
            self.base_fee_scalar,
            self.blob_base_fee_scalar,
            self.sequence_number,
            self.timestamp,
            self.l1_block.number,
            self.base_fee.to_bytes(32, "big"),
            self.blob_base_fee.to_bytes(32, "big"),
            self.l1_block.hash,
            bytes(12) + self.batcher,
        )
        if layout is L1InfoLayout.ECOTONE:
            return data
        data += _OPERATOR_FEE.pack(self.operator_fee_scalar, self.operator_fee_constant)
        if layout is L1InfoLayout.ISTHMUS:
            return data
        return data + _DA_FOOTPRINT.pack(self.da_footprint_gas_scalar)


def decode_l1_info(data: bytes) -> L1Info:
    """Decode the calldata in any of the layouts; DecodingError for anything else."""
    try:
        layout = L1InfoLayout(data[:4])
    except ValueError:
        raise DecodingError(
            f"L1 attributes: expected the selector of a known layout, got 0x{data[:4].hex()}"
        ) from None
    size = _SIZES[layout]
    if len(data) != size:
        raise DecodingError(
            f"L1 attributes ({layout.name}): expected {size} bytes, got {len(data)}"
        )
    body = _ECOTONE_BODY.unpack_from(data, 4)
    if any(body[8][:12]):
        raise DecodingError(
            f"L1 attributes batcherHash: expected an address, got 0x{body[8].hex()}"
        )
    fee_scalar, fee_constant, da_scalar = 0, 0, 0
    if layout is not L1InfoLayout.ECOTONE:
        fee_scalar, fee_constant = _OPERATOR_FEE.unpack_from(data, 164)
    if layout is L1InfoLayout.JOVIAN:
        (da_scalar,) = _DA_FOOTPRINT.unpack_from(data, 176)
    return L1Info(
        l1_block=BlockRef(Hash32(body[7]), BlockNumber(body[4])),
        timestamp=body[3],
        base_fee=int.from_bytes(body[5], "big"),
        blob_base_fee=int.from_bytes(body[6], "big"),
        sequence_number=body[2],
        batcher=Address(body[8][12:]),
        base_fee_scalar=body[0],
        blob_base_fee_scalar=body[1],
        operator_fee_scalar=fee_scalar,
        operator_fee_constant=fee_constant,
        da_footprint_gas_scalar=da_scalar,
    )


def l1_info_deposit(info: L1Info, layout: L1InfoLayout) -> DepositTransaction:
    """Wrap `info` in the deposit that opens an L2 block."""
    return make_deposit(
        source_hash=l1_attributes_source_hash(info.l1_block.hash, info.sequence_number),
        sender=DEPOSITOR_ADDRESS,
        to=L1_BLOCK_ADDRESS,
        mint=0,
        value=0,
        gas=L1_INFO_DEPOSIT_GAS,
        data=info.encode(layout),
    )


def decode_l1_info_deposit(block: Block) -> L1Info:
    """Read the L1 info of an L2 block after genesis; DecodingError if it does not open with it."""
    first = block.transactions[0] if block.transactions else None
    if not isinstance(first, DepositTransaction) or first.sender != DEPOSITOR_ADDRESS:
        raise DecodingError(f"L2 block {block.number}: expected an L1-attributes deposit first")
    return decode_l1_info(first.data)

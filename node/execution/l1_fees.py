"""What a rollup transaction pays besides gas: for its place on L1, and to the operator.

Sources: OP Stack specs "Fjord: Execution Engine" (L1 cost), "Isthmus" and "Jovian" (operator fee,
DA footprint), "Ecotone: L1 attributes". All fees are in wei.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from node.errors import InvalidInput
from node.evm.rules import Rules
from node.types.primitives import Address, hex_address
from node.types.transaction import Transaction

L1_BLOCK = hex_address("4200000000000000000000000000000000000015")

_ECOTONE_SIZE, _ISTHMUS_SIZE, _JOVIAN_SIZE = 164, 176, 178
_ECOTONE_SELECTOR = bytes.fromhex("440a5e20")
_ISTHMUS_SELECTOR = bytes.fromhex("098999be")
_JOVIAN_SELECTOR = bytes.fromhex("3db6be2b")

_FASTLZ_INTERCEPT = -42_585_600
_FASTLZ_COEFFICIENT = 836_500
_SIZE_SCALE = 1_000_000
_MIN_SIZE = 100
_FEE_SCALE = 10**12


@dataclass(frozen=True, slots=True)
class L1FeeParameters:
    """What L1Block says in one block: prices in wei, scalars as the fee formulas take them.

    `overhead` and `scalar` belong to the formula before Ecotone, which still applies where the
    newer scalars and the blob base fee were never set.
    """

    l1_base_fee: int
    l1_blob_base_fee: int
    base_fee_scalar: int
    blob_base_fee_scalar: int
    operator_fee_scalar: int = 0
    operator_fee_constant: int = 0
    da_footprint_gas_scalar: int = 0
    overhead: int = 0
    scalar: int = 0
    # What the Fjord formula makes of them: each of a block's transactions asks for it.
    _size_price: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        price = (
            16 * self.base_fee_scalar * self.l1_base_fee
            + self.blob_base_fee_scalar * self.l1_blob_base_fee
        )
        object.__setattr__(self, "_size_price", price)

    @property
    def is_before_ecotone(self) -> bool:
        """Whether L1Block has only the values of the formula before Ecotone."""
        return not (self.l1_blob_base_fee or self.base_fee_scalar or self.blob_base_fee_scalar)

    @property
    def size_price(self) -> int:
        """The price of a byte of estimated size since Fjord, in wei / 10^6."""
        return self._size_price


class StorageReader(Protocol):
    """Reads storage: of a world state within a block, or of a finished block's view."""

    def __call__(self, address: Address, slot: int, /) -> int: ...


def read_l1_fee_parameters(read_storage: StorageReader, rules: Rules) -> L1FeeParameters:
    """Read L1Block's storage, after the block's L1-attributes deposit has written it.

    Only slots that decide a fee are read: a witness holds no others.
    """
    scalars = read_storage(L1_BLOCK, 3).to_bytes(32, "big")
    operator = read_storage(L1_BLOCK, 8).to_bytes(32, "big") if rules.is_prague else bytes(32)
    parameters = L1FeeParameters(
        l1_base_fee=read_storage(L1_BLOCK, 1),
        l1_blob_base_fee=read_storage(L1_BLOCK, 7),
        base_fee_scalar=int.from_bytes(scalars[16:20], "big"),
        blob_base_fee_scalar=int.from_bytes(scalars[20:24], "big"),
        operator_fee_scalar=int.from_bytes(operator[20:24], "big"),
        operator_fee_constant=int.from_bytes(operator[24:32], "big"),
        da_footprint_gas_scalar=int.from_bytes(operator[18:20], "big"),
    )
    if not parameters.is_before_ecotone:
        return parameters
    overhead, scalar = read_storage(L1_BLOCK, 5), read_storage(L1_BLOCK, 6)
    return replace(parameters, overhead=overhead, scalar=scalar)


def parse_l1_fee_parameters(calldata: bytes) -> L1FeeParameters:
    """Read the same from the calldata of a block's L1-attributes deposit (Ecotone or later)."""
    has_operator_fee = calldata[:4] in (_ISTHMUS_SELECTOR, _JOVIAN_SELECTOR)
    has_da_scalar = calldata[:4] == _JOVIAN_SELECTOR
    size = _JOVIAN_SIZE if has_da_scalar else _ISTHMUS_SIZE if has_operator_fee else _ECOTONE_SIZE
    if len(calldata) < size or not (has_operator_fee or calldata[:4] == _ECOTONE_SELECTOR):
        raise InvalidInput(
            f"L1 attributes: expected {size} bytes or more of a known format, got {len(calldata)} "
            f"with selector 0x{calldata[:4].hex()}"
        )
    number = int.from_bytes
    return L1FeeParameters(
        l1_base_fee=number(calldata[36:68], "big"),
        l1_blob_base_fee=number(calldata[68:100], "big"),
        base_fee_scalar=number(calldata[4:8], "big"),
        blob_base_fee_scalar=number(calldata[8:12], "big"),
        operator_fee_scalar=number(calldata[164:168], "big") if has_operator_fee else 0,
        operator_fee_constant=number(calldata[168:176], "big") if has_operator_fee else 0,
        da_footprint_gas_scalar=number(calldata[176:178], "big") if has_da_scalar else 0,
    )


def da_footprint_gas_scalar(calldata: bytes) -> int | None:
    """Return the scalar that a Jovian L1-attributes deposit carries, None in an older format."""
    if len(calldata) < _JOVIAN_SIZE or calldata[:4] != _JOVIAN_SELECTOR:
        return None
    return int.from_bytes(calldata[176:178], "big")


def l1_fee(tx: Transaction, parameters: L1FeeParameters) -> int:
    """Return what a signed transaction pays for its place on L1."""
    if parameters.is_before_ecotone:
        zeros = tx.raw.count(0)
        gas = 4 * zeros + 16 * (len(tx.raw) - zeros) + parameters.overhead
        return gas * parameters.l1_base_fee * parameters.scalar // 1_000_000
    return _scaled_size(tx) * parameters.size_price // _FEE_SCALE


def l1_gas_used(tx: Transaction) -> int:
    """Return the `l1GasUsed` that receipts show: the estimated size at calldata's 16 gas."""
    return _scaled_size(tx) * 16 // _SIZE_SCALE


def da_size(tx: Transaction) -> int:
    """Return the estimated size in bytes of a signed transaction on L1, at least 100."""
    return _scaled_size(tx) // _SIZE_SCALE


def _scaled_size(tx: Transaction) -> int:
    estimate = _FASTLZ_COEFFICIENT * tx.fastlz_length + _FASTLZ_INTERCEPT
    return max(_MIN_SIZE * _SIZE_SCALE, estimate)


def operator_fee(gas: int, parameters: L1FeeParameters, *, is_jovian: bool) -> int:
    """Return the operator's fee for a transaction of `gas` (Isthmus or later)."""
    scaled = gas * parameters.operator_fee_scalar
    scaled = scaled * 100 if is_jovian else scaled // 1_000_000
    return scaled + parameters.operator_fee_constant

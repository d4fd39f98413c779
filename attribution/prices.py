"""What a chain charges today for gas and for data, read from its newest block."""

from dataclasses import dataclass
from fractions import Fraction

from attribution.gas_use import TransactionUse
from node.errors import InvalidInput
from node.execution.fees import (
    GAS_PER_BLOB,
    L1FeeParameters,
    next_base_fee,
    operator_fee,
    parse_l1_fee_parameters,
)
from node.gas_price import suggest_priority_fee
from node.reader import Reader

_BLOB_BYTES = 130_044
"""What batches can use of a blob (OP Stack specs, "Ecotone: Blob encoding")."""
_BLOBS_A_TRANSACTION = 6
_TRANSACTION_GAS = 21_000
_CALLDATA_GAS = 40
"""Of a byte of data that is not zero, on an L1 where EIP-7623's floor applies to batches."""
_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in wei: `base_fee` and `priority_fee` of OPEN for gas, those of `l1` of ETH."""

    base_fee: int
    priority_fee: int
    l1: L1FeeParameters
    is_jovian: bool

    @property
    def gas_price(self) -> int:
        """What a unit of gas costs, in wei of OPEN."""
        return self.base_fee + self.priority_fee

    def gas_fee(self, gas: int, transactions: int = 1) -> int:
        """Return what transactions pay for gas, and to the operator, in wei of OPEN."""
        operator = operator_fee(gas, self.l1, is_jovian=self.is_jovian)
        constants = self.l1.operator_fee_constant * (transactions - 1)
        return gas * self.gas_price + operator + constants

    def fee(self, use: TransactionUse) -> int:
        """Return all that one transaction pays, in wei of OPEN."""
        return self.gas_fee(use.gas) + int(use.size * self.charged_byte())

    def charged_byte(self) -> Fraction:
        """Return what the chain charges for a byte on L1, in wei of OPEN."""
        if self.l1.is_before_ecotone:
            return Fraction(16 * self.l1.l1_base_fee * self.l1.scalar, 1_000_000)
        return Fraction(self.l1.size_price, 1_000_000)

    def blob_byte(self) -> Fraction:
        """Return what a byte costs on L1 in blobs that are full, in wei of ETH."""
        blob = Fraction(GAS_PER_BLOB * self.l1.l1_blob_base_fee, _BLOB_BYTES)
        carrier = Fraction(
            _TRANSACTION_GAS * self.l1.l1_base_fee, _BLOBS_A_TRANSACTION * _BLOB_BYTES
        )
        return blob + carrier

    def calldata_byte(self) -> Fraction:
        """Return what a byte costs on L1 in calldata, in wei of ETH."""
        return Fraction(_CALLDATA_GAS * self.l1.l1_base_fee)


@dataclass(frozen=True, slots=True)
class NamedPrices:
    """Prices that chains have had, so that a plan is not judged by one day's alone."""

    name: str
    prices: Prices


def _named(name: str, gas: int, l1_gas: int, blob_gas: int) -> NamedPrices:
    """Return prices in wei: of L2's gas in OPEN, of L1's gas and blob gas in ETH."""
    return NamedPrices(name, Prices(gas, 0, L1FeeParameters(l1_gas, blob_gas, 0, 0), False))


NAMED_PRICES = (
    _named("quiet", _GWEI // 1_000, _GWEI // 5, 1),
    _named("usual", _GWEI // 20, _GWEI, _GWEI // 1_000),
    _named("dear", _GWEI, 20 * _GWEI, _GWEI),
)
"""They have no scalars: data costs what L1 takes for blobs or calldata, and nothing as charged."""


def present_prices(reader: Reader) -> Prices:
    """Read the prices of the next block; InvalidInput on a chain that is not a rollup."""
    header = reader.head_header()
    if reader.config.rollup is None:
        raise InvalidInput("prices: expected a rollup, which has receipts and fees for data")
    opening = reader.opening(header.hash)
    if header.number == 0 or opening is None:
        l1 = L1FeeParameters(0, 0, 0, 0)  # no block has told what L1 costs
    else:
        l1 = parse_l1_fee_parameters(opening.transactions[0].data)
    return Prices(
        base_fee=next_base_fee(reader.config, header),
        priority_fee=suggest_priority_fee(reader),
        l1=l1,
        is_jovian=reader.config.is_jovian(header.timestamp),
    )

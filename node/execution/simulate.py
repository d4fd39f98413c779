"""Messages that are run and forgotten: eth_call and eth_estimateGas, as go-ethereum does them.

A price of zero means that nobody pays: the block's base fee is zero then, and no balance but the
transferred value is needed. Nonces, code at the sender and a rollup's L1 fee play no part.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.config import ChainConfig
from node.errors import (
    ExecutionFailed,
    ExecutionReverted,
    FeeCapTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    TipAboveFeeCap,
)
from node.evm.environment import BlockEnvironment, Interrupt, no_interrupt
from node.evm.interpreter import REVERTED, Outcome
from node.evm.rules import DEFAULT_INTERPRETER, Interpreter, rules_at
from node.execution.fees import blob_base_fee
from node.execution.intrinsic import TRANSACTION_GAS
from node.execution.revert_reason import revert_message
from node.execution.transaction import Effect, run_transaction
from node.execution.validity import check_size_and_gas
from node.state.view import StateView
from node.state.world_state import WorldState
from node.types.block import Header
from node.types.primitives import (
    UINT64_MAX,
    ZERO_ADDRESS,
    ZERO_HASH,
    Address,
    BlockNumber,
    Hash32,
)
from node.types.transaction import (
    DYNAMIC_FEE,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
)

__all__ = ["GAS_CAP", "CallRequest", "Outcome", "call", "estimate_gas"]

GAS_CAP = 50_000_000
"""The most gas that a simulation gets, whatever it asks for."""

_CALL_STIPEND = 2_300
_TOLERANCE = 0.015
"""An estimate may be this much (as a fraction) above the least gas that suffices."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A message to simulate. Prices are in wei; those that are None are zero.

    `gas_price` stands for both fee cap and tip. `gas` None means as much as allowed, `nonce` None
    the sender's own (it only decides the address of a new contract).
    """

    sender: Address = ZERO_ADDRESS
    to: Address | None = None
    gas: int | None = None
    gas_price: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    value: int = 0
    data: bytes = b""
    nonce: int | None = None
    access_list: AccessList = ()
    authorization_list: tuple[Authorization, ...] = ()
    blob_versioned_hashes: tuple[Hash32, ...] = ()

    @property
    def fee_cap(self) -> int:
        """The most that a unit of gas may cost."""
        return self.max_fee_per_gas or self.gas_price or 0

    @property
    def tip(self) -> int:
        """The most that goes to the block's producer for a unit of gas."""
        return self.max_priority_fee_per_gas or self.gas_price or 0


def call(
    config: ChainConfig,
    header: Header,
    view: StateView,
    request: CallRequest,
    block_hash: Callable[[BlockNumber], Hash32],
    interrupt: Interrupt = no_interrupt,
    interpreter: Interpreter = DEFAULT_INTERPRETER,
) -> Outcome:
    """Run a message on the state after a block and in that block's context.

    ExecutionReverted carries the revert's data; ExecutionFailed any other end but success;
    InvalidTransaction says why the message cannot even start. What `interrupt` raises passes
    through.
    """
    simulation = _Simulation(config, header, view, request, block_hash, interrupt, interpreter)
    gas = GAS_CAP if request.gas is None else min(request.gas, GAS_CAP)
    outcome = simulation.run(gas).outcome
    _raise_failure(outcome)
    return outcome


def estimate_gas(
    config: ChainConfig,
    header: Header,
    view: StateView,
    request: CallRequest,
    block_hash: Callable[[BlockNumber], Hash32],
    interrupt: Interrupt = no_interrupt,
    interpreter: Interpreter = DEFAULT_INTERPRETER,
) -> int:
    """Return a gas limit that suffices, at most 1.5 % above the least; errors as `call`."""
    simulation = _Simulation(config, header, view, request, block_hash, interrupt, interpreter)
    highest = simulation.highest_gas()
    if simulation.is_plain_transfer() and simulation.succeeds(TRANSACTION_GAS):
        return TRANSACTION_GAS
    effect = simulation.attempt(highest)
    if effect is None or effect.outcome.error == "out of gas":
        raise ExecutionFailed(f"gas required exceeds allowance ({highest})")
    _raise_failure(effect.outcome)
    return _search(simulation, effect, highest)


def _search(simulation: "_Simulation", effect: Effect, highest: int) -> int:
    """Find the least sufficient gas between what was used and `highest`, which suffices."""
    lowest = effect.gas_used - 1
    # What the calls inside did not need had to be there all the same (63/64 rule, refunds).
    likely = (effect.gas_used + effect.outcome.refund + _CALL_STIPEND) * 64 // 63
    if likely < highest:
        if simulation.succeeds(likely):
            highest = likely
        else:
            lowest = likely
    while lowest + 1 < highest and (highest - lowest) / highest >= _TOLERANCE:
        middle = min((highest + lowest) // 2, lowest * 2)
        if simulation.succeeds(middle):
            highest = middle
        else:
            lowest = middle
    return highest


def _raise_failure(outcome: Outcome) -> None:
    if outcome.error == REVERTED:
        raise ExecutionReverted(revert_message(outcome.output), outcome.output)
    if outcome.error is not None:
        raise ExecutionFailed(outcome.error)


class _Simulation:
    """One message on one state; each run begins from the same state."""

    def __init__(
        self,
        config: ChainConfig,
        header: Header,
        view: StateView,
        request: CallRequest,
        block_hash: Callable[[BlockNumber], Hash32],
        interrupt: Interrupt,
        interpreter: Interpreter,
    ) -> None:
        self._request = request
        self._world = WorldState(view)
        self._rules = rules_at(config, header.timestamp, interpreter)
        self._gas_limit = header.gas_limit
        self._environment = BlockEnvironment(
            chain_id=config.chain_id,
            coinbase=header.coinbase,
            timestamp=header.timestamp,
            number=header.number,
            gas_limit=header.gas_limit,
            base_fee=header.base_fee if request.fee_cap or request.tip else 0,
            prev_randao=header.prev_randao,
            blob_base_fee=blob_base_fee(config, header),
            block_hash=block_hash,
            interrupt=interrupt,
        )
        self._check_prices()
        self._tx = _transaction(request, config.chain_id, self._world.get_nonce(request.sender))

    def run(self, gas: int) -> Effect:
        """Run with this gas limit and undo it; InvalidTransaction if it cannot start."""
        world, request = self._world, self._request
        tx = replace(self._tx, gas=gas)
        bounds = check_size_and_gas(tx, self._rules)
        price = tx.effective_gas_price(self._environment.base_fee)
        self._check_funds(gas * request.fee_cap + request.value)
        checkpoint = world.record()
        try:
            world.add_balance(request.sender, -gas * price)
            nonce = world.get_nonce(request.sender)
            world.set_nonce(request.sender, min(nonce + 1, UINT64_MAX))
            return run_transaction(
                tx, world, self._environment, self._rules, request.sender, tx.nonce, price, bounds
            )
        finally:
            world.discard(checkpoint)

    def attempt(self, gas: int) -> Effect | None:
        """Run with this gas limit, None if it is too low for the message to start."""
        try:
            return self.run(gas)
        except IntrinsicGasTooLow:
            return None

    def succeeds(self, gas: int) -> bool:
        """Tell whether this gas limit suffices."""
        effect = self.attempt(gas)
        return effect is not None and effect.outcome.success

    def is_plain_transfer(self) -> bool:
        """Tell whether no code can run."""
        request = self._request
        if request.data or request.to is None or request.to in self._rules.precompiles:
            return False
        return not self._world.get_code(request.to)

    def highest_gas(self) -> int:
        """Return the most gas that the message may get: by the block, its sender's means, the cap.

        A requested limit below that of a bare transfer is taken for no limit at all.
        """
        request = self._request
        wanted = request.gas or 0
        highest = wanted if wanted >= TRANSACTION_GAS else self._gas_limit
        if request.fee_cap:
            self._check_funds(request.value)
            available = self._world.get_balance(request.sender) - request.value
            highest = min(highest, available // request.fee_cap)
        return min(highest, GAS_CAP)

    def _check_prices(self) -> None:
        request, base_fee = self._request, self._environment.base_fee
        if request.tip > request.fee_cap:
            raise TipAboveFeeCap(
                "max priority fee per gas higher than max fee per gas: "
                f"maxPriorityFeePerGas: {request.tip}, maxFeePerGas: {request.fee_cap}"
            )
        if request.fee_cap < base_fee:
            raise FeeCapTooLow(
                "max fee per gas less than block base fee: "
                f"maxFeePerGas: {request.fee_cap}, baseFee: {base_fee}"
            )

    def _check_funds(self, cost: int) -> None:
        sender = self._request.sender
        balance = self._world.get_balance(sender)
        if balance < cost:
            raise InsufficientFunds(
                f"insufficient funds for gas * price + value: address 0x{sender.hex()} "
                f"have {balance} want {cost}"
            )


def _transaction(request: CallRequest, chain_id: int, nonce: int) -> Transaction:
    """Return the unsigned transaction that the request describes, its gas limit still open."""
    return Transaction(
        type=SET_CODE if request.authorization_list else DYNAMIC_FEE,
        chain_id=chain_id,
        nonce=nonce if request.nonce is None else request.nonce,
        max_priority_fee_per_gas=request.tip,
        max_fee_per_gas=request.fee_cap,
        gas=0,
        to=request.to,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
        max_fee_per_blob_gas=0,
        blob_versioned_hashes=request.blob_versioned_hashes,
        authorization_list=request.authorization_list,
        y_parity=0,
        r=0,
        s=0,
        raw=b"",
        hash=ZERO_HASH,
    )

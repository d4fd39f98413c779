"""Gas of receipts by the precompile, and by contracts on the same chain."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources

from eth_abi.abi import encode

from attribution.calldata import encode_append
from attribution.records import Record, encode_records
from bench.attribution.batches import plain, shaped
from bench.attribution.figure import Bound, Figure
from bench.attribution.network import Network, User
from node.execution.intrinsic import gas_bounds
from node.types.attribution_call import ATTRIBUTION_ADDRESS, selector
from node.types.primitives import checksum_address, keccak256
from node.types.transaction import Transaction

BATCH = 100
_LARGE_BATCH = 1_000
_PAYEES = 4
_STREAM = 0xA1A2A3A4A5A6A7A8
_GWEI = 10**9
_ANSWER = "(bytes32,bytes32,bytes32,uint256)"


@dataclass(frozen=True, slots=True)
class Rung:
    """A way of recording receipts, and its gas for each. `is_computed`: not from a transaction."""

    title: str
    gas: float
    is_computed: bool = False


@dataclass(frozen=True, slots=True)
class GasMeasured:
    """The figures, and the ladder that leads to them, from the dearest to the cheapest.

    `contract_in_lane` is what the best contract would cost each if the lane priced its calldata.
    """

    figures: tuple[Figure, ...]
    ladder: tuple[Rung, ...]
    stored: float
    contract: float
    contract_in_lane: float
    contract_execution: float
    native: float
    native_in_lane: float
    native_execution: float


@dataclass(frozen=True, slots=True)
class _Ours:
    """Gas of a transaction, of its execution alone, and without the lane."""

    gas: int
    execution: int
    without_lane: int


def measure_gas(network: Network) -> GasMeasured:
    """Run everything with storage that is in use."""
    alice = network.users[0]
    known = [*plain(1, 0), *shaped(20, 0)]
    network.append(alice, _STREAM, 0, known)
    seq = len(known)
    one = _ours(network, alice, seq, plain(1, 1))
    seq += 1
    hundred = _ours(network, alice, seq, plain(BATCH, 2))
    seq += BATCH
    two = _ours(network, alice, seq, shaped(BATCH, 3))
    seq += BATCH
    thousand = _ours(network, alice, seq, plain(_LARGE_BATCH, 4))
    stored = _stored(network)
    logged, logged_batch = _logged(network)
    packed = _contract(network, "PackedReceipts")
    by_hand = _contract(network, "YulReceipts")
    best = min(packed, by_hand, key=lambda contract: contract.gas)
    without_lane = hundred.without_lane / BATCH
    return GasMeasured(
        figures=_figures(one, hundred, two, thousand, best, stored),
        ladder=(
            Rung(f"Solidity: struct in storage, push to {_PAYEES} payees", stored),
            Rung("Solidity: one event of 128 bytes, nothing else", logged),
            Rung(f"Solidity: {BATCH} such events in a transaction", logged_batch / BATCH),
            Rung("precompile and lane, one in a transaction", one.gas),
            Rung(f"Solidity: the precompile's work, batch of {BATCH}", packed.gas / BATCH),
            Rung(f"Yul by hand: the same, batch of {BATCH}", by_hand.gas / BATCH),
            Rung(
                f"precompile, ordinary calldata, batch of {BATCH}", without_lane, is_computed=True
            ),
            Rung(f"precompile and lane, batch of {BATCH}", hundred.gas / BATCH),
            Rung(f"precompile and lane, batch of {_LARGE_BATCH:,}", thousand.gas / _LARGE_BATCH),
        ),
        stored=stored,
        contract=best.gas / BATCH,
        contract_in_lane=best.in_lane / BATCH,
        contract_execution=best.execution / BATCH,
        native=without_lane,
        native_in_lane=hundred.gas / BATCH,
        native_execution=hundred.execution / BATCH,
    )


def _figures(
    one: _Ours, hundred: _Ours, two: _Ours, thousand: _Ours, best: "_Theirs", stored: int
) -> tuple[Figure, ...]:
    each = hundred.gas / BATCH
    most = Bound.AT_MOST
    return (
        Figure("gas, one receipt in its own transaction", most, 31_000, one.gas),
        Figure(f"gas each, {BATCH} in a transaction, no influences", most, 560, each),
        Figure(
            f"gas each, {BATCH} in a transaction, 2 influences each over 10 datasets",
            most,
            1_150,
            two.gas / BATCH,
        ),
        Figure(
            f"gas each, {_LARGE_BATCH:,} in a transaction, no influences",
            most,
            285,
            thousand.gas / _LARGE_BATCH,
        ),
        Figure(
            f"best contract / ours, batch of {BATCH}",
            Bound.AT_LEAST,
            3,
            best.gas / hundred.gas,
            f"{best.name}: {_compiler(best.name)}; every contract pays EIP-7623's floor, "
            f"{best.floor / BATCH:,.0f} each",
        ),
        Figure(f"naive Solidity / ours, batch of {BATCH}", Bound.AT_LEAST, 500, stored / each),
    )


def _ours(network: Network, user: User, seq: int, records: Sequence[Record]) -> _Ours:
    data = encode_append(_STREAM, seq, records)
    execution = network.execution_gas(user, ATTRIBUTION_ADDRESS, data)
    tx = network.sign(user, ATTRIBUTION_ADDRESS, data)
    network.send(tx)
    (receipt,) = network.mine()
    bounds = gas_bounds(tx, network.rules)
    if receipt.gas_used != bounds.intrinsic + execution:
        raise AssertionError(f"gas: {receipt.gas_used} used, {bounds} and {execution} expected")
    return _Ours(receipt.gas_used, execution, _ordinary_gas(network, tx, execution))


def _ordinary_gas(network: Network, tx: Transaction, execution: int) -> int:
    """Return what a transaction would use if there were no lane."""
    bounds = gas_bounds(tx, replace(network.rules, lane=None))
    return max(bounds.intrinsic + execution, bounds.floor)


@dataclass(frozen=True, slots=True)
class _Theirs:
    name: str
    gas: int
    execution: int
    floor: int
    in_lane: int


def _contract(network: Network, name: str) -> _Theirs:
    """Measure a contract that does what the precompile does, on the same receipts as it."""
    user = network.users[1]
    contract = network.deploy(name)
    encodings = {"PackedReceipts": encode_append, "YulReceipts": _by_hand}
    known = [*plain(1, 0), *shaped(20, 0)]
    network.run(user, contract, encodings[name](_STREAM, 0, known))
    data = encodings[name](_STREAM, len(known), plain(BATCH, 2))
    execution = network.execution_gas(user, contract, data)
    tx = network.sign(user, contract, data)
    network.send(tx)
    (receipt,) = network.mine()
    lane = replace(tx, to=ATTRIBUTION_ADDRESS)
    return _Theirs(
        name,
        receipt.gas_used,
        execution,
        gas_bounds(tx, network.rules).floor,
        gas_bounds(lane, network.rules).intrinsic + execution,
    )


def _by_hand(stream: int, first: int, records: Sequence[Record]) -> bytes:
    """Return the call data of YulReceipts."""
    return bytes(1) + stream.to_bytes(8, "big") + first.to_bytes(5, "big") + encode_records(records)


def _compiler(name: str) -> str:
    """Return what compiled a contract, and how."""
    file = resources.files("node.artifacts").joinpath(f"{name}.json")
    compiler = json.loads(file.read_bytes())["compiler"]
    settings, version = compiler["settings"], compiler["version"].partition("+")[0]
    pipeline = "via IR" if settings["viaIR"] else "legacy pipeline"
    runs = settings["optimizer"]["runs"]
    return f"solc {version}, optimiser {runs:,} runs, {pipeline}, {settings['evmVersion']}"


def _stored(network: Network) -> int:
    """Return the gas of the second receipt for payees that exist."""
    contract = network.deploy("StoredReceipts")
    payees = [checksum_address(user.address) for user in network.users[2 : 2 + _PAYEES]]
    shares = [(payee, 10_000 // _PAYEES) for payee in payees]
    name = "record(bytes32,bytes32,bytes32,(address,uint96)[])"
    types = ["bytes32", "bytes32", "bytes32", "(address,uint96)[]"]
    gas = 0
    for number in range(2):
        values = [keccak256(b"%d %d" % (number, field)) for field in range(3)]
        data = selector(name) + encode(types, [*values, shares])
        gas = network.run(network.users[1], contract, data, value=_GWEI * 10**6).gas_used
    return gas


def _logged(network: Network) -> tuple[int, int]:
    """Return the gas of one event, and of a batch."""
    user = network.users[1]
    contract = network.deploy("LoggedReceipts")
    one = selector(f"record({_ANSWER})") + encode([_ANSWER], [_answer(0)])
    answers = [_answer(index) for index in range(BATCH)]
    batch = selector(f"recordAll({_ANSWER}[])") + encode([f"{_ANSWER}[]"], [answers])
    return (
        network.run(user, contract, one).gas_used,
        network.run(user, contract, batch).gas_used,
    )


def _answer(index: int) -> tuple[bytes, bytes, bytes, int]:
    amount = plain(index + 1, 2)[-1].amount
    return keccak256(b"model"), keccak256(b"%d q" % index), keccak256(b"%d a" % index), amount

"""System calls around a block's transactions, and the requests that the L1 execution layer makes.

Sources: EIP-4788, EIP-2935, EIP-6110, EIP-7002, EIP-7251, EIP-7685.
"""

import hashlib
from collections.abc import Iterable, Sequence

from node.errors import InvalidBlock
from node.evm.environment import BlockEnvironment
from node.evm.interpreter import Call, Outcome, run_message
from node.evm.rules import Rules
from node.state.world_state import WorldState
from node.types.primitives import Address, Hash32, hex_address, hex_hash
from node.types.receipt import Receipt

SYSTEM_ADDRESS = hex_address("fffffffffffffffffffffffffffffffffffffffe")
BEACON_ROOTS = hex_address("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY_STORAGE = hex_address("0000f90827f1c53a10cb7a02335b175320002935")
WITHDRAWAL_REQUESTS = hex_address("00000961ef480eb55e80d19ad83579a64c007002")
CONSOLIDATION_REQUESTS = hex_address("0000bbddc7ce488642fb579f8b00f3a590007251")

_SYSTEM_CALL_GAS = 30_000_000
_DEPOSIT_EVENT = hex_hash("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
_DEPOSIT_EVENT_SIZE = 576
# Where each of the five byte strings of a deposit event begins, and how long it must be.
_DEPOSIT_FIELDS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))

_DEPOSIT_TYPE = b"\x00"
_WITHDRAWAL_TYPE = b"\x01"
_CONSOLIDATION_TYPE = b"\x02"


def begin_block(
    world: WorldState,
    environment: BlockEnvironment,
    rules: Rules,
    parent_hash: Hash32,
    parent_beacon_block_root: Hash32,
) -> None:
    """Store the parent's beacon root (EIP-4788) and, from Prague on, its hash (EIP-2935)."""
    _system_call(world, environment, rules, BEACON_ROOTS, parent_beacon_block_root)
    if rules.is_prague:
        _system_call(world, environment, rules, HISTORY_STORAGE, parent_hash)


def collect_requests(
    world: WorldState,
    environment: BlockEnvironment,
    rules: Rules,
    receipts: Sequence[Receipt],
    deposit_contract: Address,
) -> list[bytes]:
    """Return the block's requests, each with its type byte, empty ones included."""
    deposits = b"".join(_deposit_requests(receipts, deposit_contract))
    withdrawals = _checked_system_call(world, environment, rules, WITHDRAWAL_REQUESTS)
    consolidations = _checked_system_call(world, environment, rules, CONSOLIDATION_REQUESTS)
    return [
        _DEPOSIT_TYPE + deposits,
        _WITHDRAWAL_TYPE + withdrawals,
        _CONSOLIDATION_TYPE + consolidations,
    ]


def requests_hash(requests: Iterable[bytes]) -> Hash32:
    """Return the header's commitment to the requests that are not empty (EIP-7685)."""
    digests = (hashlib.sha256(request).digest() for request in requests if len(request) > 1)
    return Hash32(hashlib.sha256(b"".join(digests)).digest())


def _system_call(
    world: WorldState, environment: BlockEnvironment, rules: Rules, address: Address, data: bytes
) -> Outcome:
    call = Call(SYSTEM_ADDRESS, address, 0, data, _SYSTEM_CALL_GAS, gas_price=0, nonce=0)
    outcome = run_message(world, environment, rules, call)
    world.end_transaction()
    return outcome


def _checked_system_call(
    world: WorldState, environment: BlockEnvironment, rules: Rules, address: Address
) -> bytes:
    """Call a request contract, which must be there and must not fail."""
    name = f"system contract 0x{address.hex()}"
    if not world.get_code(address):
        raise InvalidBlock("requestsHash", f"code at {name}", "an account without code")
    outcome = _system_call(world, environment, rules, address, b"")
    if not outcome.success:
        raise InvalidBlock("requestsHash", f"{name} to succeed", outcome.error)
    return outcome.output


def _deposit_requests(receipts: Sequence[Receipt], contract: Address) -> Iterable[bytes]:
    for receipt in receipts:
        for log in receipt.logs:
            if log.address == contract and log.topics and log.topics[0] == _DEPOSIT_EVENT:
                yield _deposit_request(log.data)


def _deposit_request(data: bytes) -> bytes:
    if len(data) != _DEPOSIT_EVENT_SIZE:
        raise InvalidBlock("deposit event", f"{_DEPOSIT_EVENT_SIZE} bytes", f"{len(data)} bytes")
    request = b""
    for index, (start, size) in enumerate(_DEPOSIT_FIELDS):
        offset, length = _word(data, 32 * index), _word(data, start)
        if (offset, length) != (start, size):
            raise InvalidBlock(
                "deposit event", f"{size} bytes at {start}", f"{length} bytes at {offset}"
            )
        request += data[start + 32 : start + 32 + size]
    return request


def _word(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 32], "big")

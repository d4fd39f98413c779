"""One file of ethereum/tests GeneralStateTests: its Cancun cases, run and compared.

Source of the format: ethereum/execution-spec-tests, docs "State Test".
"""

import json
from dataclasses import dataclass
from typing import Any

from node.config import CANCUN_BLOBS, PRAGUE_BLOBS, ChainConfig
from node.errors import InvalidInput
from node.evm.environment import BlockEnvironment
from node.evm.rules import Interpreter, Rules, rules_at
from node.execution.block_usage import BlockLimits, BlockUsage, usage_of
from node.execution.fees import GAS_PER_BLOB, blob_base_fee_at
from node.execution.transaction import apply_signed
from node.state.trie_state import TrieState
from node.state.world_state import WorldState
from node.types.primitives import ZERO_ADDRESS, BlockNumber, hex_address, hex_hash, keccak256
from node.types.receipt import Log
from node.types.rlp_codec import encode
from node.types.transaction import decode_signed_transaction
from tests.conformance.alloc import from_hex, number, place
from tests.node.execution.memory_chain import StateStore

FORK = "Cancun"

_CONFIG = ChainConfig(1, None, CANCUN_BLOBS, PRAGUE_BLOBS, ZERO_ADDRESS, None, None)
_LIMITS = BlockLimits(blob_gas=GAS_PER_BLOB * CANCUN_BLOBS.maximum, lane_bytes=0, da_footprint=0)

# A word of our message for each refusal that a file can ask for.
_REFUSALS = {
    "INSUFFICIENT_ACCOUNT_FUNDS": "insufficient funds for gas * price + value",
    "INTRINSIC_GAS_TOO_LOW": "intrinsic gas too low",
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": "has invalid hash version",
    "TYPE_3_TX_ZERO_BLOBS": "missing blob hashes",
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": "gas limit reached: blob gas",
    "SENDER_NOT_EOA": "sender not an eoa",
    "INSUFFICIENT_MAX_FEE_PER_GAS": "max fee per gas less than block base fee",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": "max fee per blob gas less than block blob gas fee",
    "NONCE_IS_MAX": "nonce has max value",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """What a transaction came to: the state root, the hash of its logs, why it was refused."""

    state_root: bytes
    logs_hash: bytes
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What running one case of a file gave; `problem` is empty when it passed."""

    file: str
    case: str
    problem: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """The verdicts on a file's cases, and how many of its cases are of other forks."""

    verdicts: tuple[Verdict, ...]
    other_forks: int


def run_file(name: str, raw: bytes, interpreter: Interpreter) -> FileReport:
    """Run every Cancun case of a file."""
    verdicts: list[Verdict] = []
    other_forks = 0
    for test, fields in json.loads(raw).items():
        other_forks += sum(len(cases) for fork, cases in fields["post"].items() if fork != FORK)
        if FORK in fields["post"]:
            problems = enumerate(_run_test(fields, interpreter))
            verdicts += (Verdict(name, f"{test}, {FORK} {i}", text) for i, text in problems)
    return FileReport(tuple(verdicts), other_forks)


def _run_test(fields: dict[str, Any], interpreter: Interpreter) -> list[str]:
    rules = rules_at(_CONFIG, 0, interpreter)
    store = StateStore()
    root = place(fields["pre"], store)
    environment = _environment(fields["env"])
    return [
        _difference(
            expected, _reach(store.view(root), environment, rules, from_hex(expected["txbytes"]))
        )
        for expected in fields["post"][FORK]
    ]


def _difference(expected: dict[str, Any], reached: Reached) -> str:
    """Say in what `reached` is not what the file asks for; nothing if it is."""
    problems = []
    root, logs = from_hex(expected["hash"]), from_hex(expected["logs"])
    if reached.state_root != root:
        problems.append(f"state root: expected {root.hex()}, got {reached.state_root.hex()}")
    if reached.logs_hash != logs:
        problems.append(f"logs hash: expected {logs.hex()}, got {reached.logs_hash.hex()}")
    wanted = expected.get("expectException")
    if not _is_expected_refusal(wanted, reached.refusal):
        problems.append(f"refusal: expected {wanted}, got {reached.refusal}")
    return "; ".join(problems)


def _is_expected_refusal(wanted: str | None, refusal: str | None) -> bool:
    """Tell whether a refusal is one of those that the file names, separated by |."""
    if wanted is None or refusal is None:
        return wanted is refusal
    names = [name.rsplit(".", 1)[-1] for name in wanted.split("|")]
    return any(_REFUSALS[name] in refusal for name in names)


def _environment(env: dict[str, str]) -> BlockEnvironment:
    excess = number(env.get("currentExcessBlobGas", "0x0"))
    return BlockEnvironment(
        chain_id=_CONFIG.chain_id,
        coinbase=hex_address(env["currentCoinbase"]),
        timestamp=number(env["currentTimestamp"]),
        number=BlockNumber(number(env["currentNumber"])),
        gas_limit=number(env["currentGasLimit"]),
        base_fee=number(env["currentBaseFee"]),
        prev_randao=hex_hash(env["currentRandom"]),
        blob_base_fee=blob_base_fee_at(_CONFIG, 0, excess),
        block_hash=lambda block: keccak256(str(block).encode()),
    )


def _reach(view: TrieState, environment: BlockEnvironment, rules: Rules, raw_tx: bytes) -> Reached:
    world = WorldState(view)
    logs: tuple[Log, ...] = ()
    refusal = None
    try:
        tx = decode_signed_transaction(raw_tx)
        _LIMITS.check(BlockUsage(), usage_of(tx, rules, 0))  # a state test has no block for this
        effect = apply_signed(tx, world, environment, rules, None, environment.gas_limit)
        logs = effect.outcome.logs
    except InvalidInput as error:
        refusal = str(error)
    world.end_transaction()
    encoded = encode([[log.address, list(log.topics), log.data] for log in logs])
    return Reached(world.changes().state_root, keccak256(encoded), refusal)

"""Real blocks and real chains: the execution layer against what other implementations made."""

import gzip
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from node.config import (
    CANCUN_BLOBS,
    PRAGUE_BLOBS,
    ChainConfig,
    RollupRules,
    parse_chain_config,
)
from node.errors import CorruptStore, InvalidInput
from node.evm.environment import BlockEnvironment
from node.evm.rules import rules_at
from node.execution.fees import Eip1559Parameters, blob_base_fee_at, encode_extra_data
from node.execution.transaction import apply_signed
from node.execution.transition import build_block, execute_block
from node.state.trie_state import TrieState
from node.state.world_state import WorldState
from node.types.block import Header, decode_block
from node.types.payload import PayloadAttributes
from node.types.primitives import (
    EMPTY_BLOOM,
    EMPTY_REQUESTS_HASH,
    EMPTY_TRIE_ROOT,
    ZERO_ADDRESS,
    ZERO_HASH,
    BlockNumber,
    Hash32,
    hex_address,
    hex_hash,
    keccak256,
)
from node.types.rlp_codec import decode_prefix, encode
from node.types.transaction import Transaction, decode_signed_transaction, decode_transaction
from tests.node.execution.memory_chain import StateStore
from tests.node.execution.vectors import vector

OP_BLOCKS = ("op-sepolia-26207960", "op-sepolia-26207963", "op-sepolia-26208858")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _number(text: str) -> int:
    return int(text, 16)


def _header(fields: dict[str, Any]) -> Header:
    return Header(
        parent_hash=hex_hash(fields["parentHash"]),
        coinbase=hex_address(fields["miner"]),
        state_root=hex_hash(fields["stateRoot"]),
        transactions_root=hex_hash(fields["transactionsRoot"]),
        receipts_root=hex_hash(fields["receiptsRoot"]),
        bloom=_bytes(fields["logsBloom"]),
        number=BlockNumber(_number(fields["number"])),
        gas_limit=_number(fields["gasLimit"]),
        gas_used=_number(fields["gasUsed"]),
        timestamp=_number(fields["timestamp"]),
        extra_data=_bytes(fields["extraData"]),
        prev_randao=hex_hash(fields["mixHash"]),
        base_fee=_number(fields["baseFeePerGas"]),
        withdrawals_root=hex_hash(fields["withdrawalsRoot"]),
        blob_gas_used=_number(fields["blobGasUsed"]),
        excess_blob_gas=_number(fields["excessBlobGas"]),
        parent_beacon_block_root=hex_hash(fields["parentBeaconBlockRoot"]),
        requests_hash=None,
    )


def _absent(number: BlockNumber) -> Hash32:
    raise CorruptStore(f"the witness has no block hash {number}")


@pytest.mark.parametrize("name", OP_BLOCKS)
def test_a_real_rollup_block_reaches_its_hash(name: str) -> None:
    raw = json.loads(gzip.decompress(vector(f"op-blocks/{name}.json.gz").read_bytes()))
    rollup, fees = raw["rollup_config"], raw["rollup_config"]["chain_op_config"]
    config = ChainConfig(
        chain_id=rollup["l2_chain_id"],
        prague_time=rollup["isthmus_time"],
        cancun_blobs=CANCUN_BLOBS,
        prague_blobs=PRAGUE_BLOBS,
        deposit_contract=ZERO_ADDRESS,
        rollup=RollupRules(
            holocene_time=rollup["holocene_time"],
            isthmus_time=rollup["isthmus_time"],
            jovian_time=None,
            eip1559_elasticity=fees["eip1559Elasticity"],
            eip1559_denominator=fees["eip1559DenominatorCanyon"],
        ),
        attribution=None,
    )
    given = raw["payload_attributes"]
    timestamp, parameters = _number(given["timestamp"]), _bytes(given["eip1559Params"])
    extra_data = encode_extra_data(
        config,
        timestamp,
        Eip1559Parameters(
            int.from_bytes(parameters[:4], "big"), int.from_bytes(parameters[4:], "big")
        ),
    )
    attributes = PayloadAttributes(
        timestamp=timestamp,
        prev_randao=hex_hash(given["prevRandao"]),
        fee_recipient=hex_address(given["suggestedFeeRecipient"]),
        parent_beacon_block_root=hex_hash(given["parentBeaconBlockRoot"]),
        gas_limit=_number(given["gasLimit"]),
        extra_data=extra_data,
        transactions=tuple(decode_transaction(_bytes(tx)) for tx in given["transactions"]),
    )
    preimages = {Hash32(_bytes(key)): _bytes(value) for key, value in raw["preimages"].items()}
    parent = _header(raw["parent_header"])
    view = TrieState(preimages.get, parent.state_root, preimages.get)
    executed = build_block(config, parent, attributes, view, _absent)
    assert executed.block.hash.hex() == raw["expected_block_hash"].removeprefix("0x")


def test_geths_prague_chain_executes_to_its_head() -> None:
    folder = vector("l1-prague")
    genesis = json.loads((folder / "genesis.json").read_text())
    config = parse_chain_config(genesis["config"])
    store = StateStore()
    parent = _genesis_header(genesis, store)
    hashes = {parent.number: parent.hash}
    raw = (folder / "chain.rlp").read_bytes()
    start = 0
    while start < len(raw):
        _, end = decode_prefix(raw, start)
        block = decode_block(raw[start:end])
        view = store.view(parent.state_root)
        executed = execute_block(config, parent, block, view, hashes.__getitem__)
        store.add(executed.changes)
        parent, start = block.header, end
        hashes[parent.number] = parent.hash
    assert parent.number == 20
    assert parent.hash.hex() == "514c48e760c62a38f91e011149b1b4a619bb3a7f750ec4430061bf19c3336635"


def _genesis_header(genesis: dict[str, Any], store: StateStore) -> Header:
    return Header(
        parent_hash=ZERO_HASH,
        coinbase=hex_address(genesis["coinbase"]),
        state_root=_place(genesis["alloc"], store),
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        bloom=EMPTY_BLOOM,
        number=BlockNumber(0),
        gas_limit=_number(genesis["gasLimit"]),
        gas_used=0,
        timestamp=_number(genesis["timestamp"]),
        extra_data=_bytes(genesis["extraData"]),
        prev_randao=hex_hash(genesis["mixHash"]),
        base_fee=_number(genesis["baseFeePerGas"]),
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
        difficulty=_number(genesis["difficulty"]),
    )


def _place(alloc: dict[str, Any], store: StateStore) -> Hash32:
    """Write accounts into an empty state and return its root."""
    world = store.world()
    for key, fields in alloc.items():
        address = hex_address(key)
        world.set_balance(address, _number(fields["balance"]))
        world.set_nonce(address, _number(fields.get("nonce", "0x0")))
        if code := _bytes(fields.get("code", "0x")):
            world.set_code(address, code)
        for slot, value in fields.get("storage", {}).items():
            world.set_storage(address, _number(slot), _number(value))
    world.end_transaction()
    return store.add(world.changes())


# Minutes of pure-Python exponentiation or pairing for no new rule.
_SLOW_STATE_TESTS = {
    "loopExp.json",
    "static_Call50000.json",
    "static_Call1MB1024Calldepth.json",
    "pairingTest.json",
}
_SHARE = 4
"""One file in this many is run; all of them pass."""
_CANCUN = ChainConfig(1, None, CANCUN_BLOBS, PRAGUE_BLOBS, ZERO_ADDRESS, None, None)


def test_ethereum_state_tests_reach_their_roots() -> None:
    count = 0
    for name, case in _state_tests():
        if "Cancun" not in case["post"]:
            continue
        store = StateStore()
        root = _place(case["pre"], store)
        environment = _environment(case["env"])
        for index, expected in enumerate(case["post"]["Cancun"]):
            result = _run_state_test(store.view(root), environment, _bytes(expected["txbytes"]))
            wanted = (
                _bytes(expected["hash"]),
                _bytes(expected["logs"]),
                "expectException" in expected,
            )
            assert result == wanted, f"{name}, case {index}"
            count += 1
    assert count > 100


def _state_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    with tarfile.open(vector("state-tests.tar.xz")) as archive:
        members = [member for member in archive if member.name.endswith(".json")]
        for member in members[::_SHARE]:
            if member.name.rsplit("/", 1)[-1] in _SLOW_STATE_TESTS:
                continue
            file = archive.extractfile(member)
            assert file is not None
            with file:
                yield from json.load(file).items()


def _environment(env: dict[str, str]) -> BlockEnvironment:
    excess = _number(env.get("currentExcessBlobGas", "0x0"))
    return BlockEnvironment(
        chain_id=1,
        coinbase=hex_address(env["currentCoinbase"]),
        timestamp=_number(env["currentTimestamp"]),
        number=BlockNumber(_number(env["currentNumber"])),
        gas_limit=_number(env["currentGasLimit"]),
        base_fee=_number(env["currentBaseFee"]),
        prev_randao=hex_hash(env["currentRandom"]),
        blob_base_fee=blob_base_fee_at(_CANCUN, 0, excess),
        block_hash=lambda number: keccak256(str(number).encode()),
    )


def _run_state_test(
    view: TrieState, environment: BlockEnvironment, raw_tx: bytes
) -> tuple[bytes, bytes, bool]:
    """Return the state root, the hash of the logs, and whether the transaction was refused."""
    world, logs, is_refused = WorldState(view), (), False
    try:
        tx = decode_signed_transaction(raw_tx)
        _check_blob_count(tx)
        rules = rules_at(_CANCUN, 0)
        effect = apply_signed(tx, world, environment, rules, None, environment.gas_limit)
        logs = effect.outcome.logs
    except InvalidInput:
        is_refused = True
    world.end_transaction()
    encoded = encode([[log.address, list(log.topics), log.data] for log in logs])
    return world.changes().state_root, keccak256(encoded), is_refused


def _check_blob_count(tx: Transaction) -> None:
    """The block checks this, and a state test has none."""
    if len(tx.blob_versioned_hashes) > CANCUN_BLOBS.maximum:
        raise InvalidInput("too many blobs")

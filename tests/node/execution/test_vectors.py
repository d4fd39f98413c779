"""Real blocks and real chains: the execution layer against what other implementations made."""

import gzip
import json
from typing import Any

import pytest

from node.config import (
    CANCUN_BLOBS,
    PRAGUE_BLOBS,
    ChainConfig,
    RollupRules,
    parse_chain_config,
)
from node.errors import CorruptStore
from node.execution.fees import Eip1559Parameters, encode_extra_data
from node.execution.transition import build_block, execute_block
from node.state.linked_node import NUMBER_SIZE, LinkedNode, NodeSource, Reference, linked
from node.state.trie_node import Branch, decode_node
from node.state.trie_state import TrieState
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
)
from node.types.rlp_codec import decode_prefix
from node.types.transaction import decode_transaction
from tests.conformance.alloc import from_hex, number, place
from tests.node.execution.memory_chain import StateStore
from tests.node.execution.vectors import vector

OP_BLOCKS = ("op-sepolia-26207960", "op-sepolia-26207963", "op-sepolia-26208858")


def _header(fields: dict[str, Any]) -> Header:
    return Header(
        parent_hash=hex_hash(fields["parentHash"]),
        coinbase=hex_address(fields["miner"]),
        state_root=hex_hash(fields["stateRoot"]),
        transactions_root=hex_hash(fields["transactionsRoot"]),
        receipts_root=hex_hash(fields["receiptsRoot"]),
        bloom=from_hex(fields["logsBloom"]),
        number=BlockNumber(number(fields["number"])),
        gas_limit=number(fields["gasLimit"]),
        gas_used=number(fields["gasUsed"]),
        timestamp=number(fields["timestamp"]),
        extra_data=from_hex(fields["extraData"]),
        prev_randao=hex_hash(fields["mixHash"]),
        base_fee=number(fields["baseFeePerGas"]),
        withdrawals_root=hex_hash(fields["withdrawalsRoot"]),
        blob_gas_used=number(fields["blobGasUsed"]),
        excess_blob_gas=number(fields["excessBlobGas"]),
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
    timestamp, parameters = number(given["timestamp"]), from_hex(given["eip1559Params"])
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
        gas_limit=number(given["gasLimit"]),
        extra_data=extra_data,
        transactions=tuple(decode_transaction(from_hex(tx)) for tx in given["transactions"]),
    )
    preimages = {Hash32(from_hex(key)): from_hex(value) for key, value in raw["preimages"].items()}
    parent = _header(raw["parent_header"])
    root = parent.state_root + bytes(NUMBER_SIZE)
    view = TrieState(_by_hash(preimages), root, preimages.get, 1)
    executed = build_block(config, parent, attributes, view, _absent)
    assert executed.block.hash.hex() == raw["expected_block_hash"].removeprefix("0x")


def _by_hash(nodes: dict[Hash32, bytes]) -> NodeSource:
    """Return nodes that have no numbers: those in references and links are all 0."""

    def source(reference: Reference) -> LinkedNode:
        rlp = nodes[Hash32(reference[:32])]
        node = decode_node(rlp)
        children = node.children if isinstance(node, Branch) else [getattr(node, "child", None)]
        count = sum(isinstance(child, bytes) for child in children)
        return linked(rlp, bytes(NUMBER_SIZE * count))

    return source


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
        state_root=place(genesis["alloc"], store),
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        bloom=EMPTY_BLOOM,
        number=BlockNumber(0),
        gas_limit=number(genesis["gasLimit"]),
        gas_used=0,
        timestamp=number(genesis["timestamp"]),
        extra_data=from_hex(genesis["extraData"]),
        prev_randao=hex_hash(genesis["mixHash"]),
        base_fee=number(genesis["baseFeePerGas"]),
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
        difficulty=number(genesis["difficulty"]),
    )

"""The three files, key by key, as stock op-node and op-geth read them.

A file passes if it has each key of its table, no other, and every value keeps its rule. Sources:
the monorepo's op-node/rollup/types.go (fields, Config.Check) and op-service/eth/types.go
(SystemConfig); op-geth's core/genesis.go and params/config.go (fields, CheckOptimismValidity,
CheckConfigForkOrder). op-node refuses keys that it does not know in rollup.json and in L1's chain
config; geth's JSON decoder ignores those in genesis.json.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import rlp
from trie import HexaryTrie

from consensus.deploy import (
    DeploySettings,
    L1Contracts,
    RollupStart,
    make_rollup,
    write_rollup,
)
from consensus.l1.known_chains import l1_chain_json
from node.config import AttributionConfig
from node.types.primitives import Address, keccak256
from tests.fakes.l1_source import FakeL1

Rule = Callable[[Any], bool]

EMPTY_ROOT = keccak256(rlp.encode(b""))
EMPTY_OMMERS = keccak256(rlp.encode([]))
EMPTY_REQUESTS = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
SEQUENCER_FEE_VAULT = "0x4200000000000000000000000000000000000011"
MESSAGE_PASSER = "4200000000000000000000000000000000000016"
PRECOMPILE = "0000000000000000000000000000000000000a77"

SETTINGS = DeploySettings(
    l2_chain_id=901,
    owner=Address(b"\x0a" * 20),
    batcher=Address(b"\xba" * 20),
    allocation={Address(b"\x71" * 20): 10**22, Address(b"\x72" * 20): 10**22},
)
CONTRACTS = L1Contracts(*(Address(bytes([n]) * 20) for n in range(1, 7)))
CHAINS = {
    "stock": SETTINGS,
    "jovian": replace(SETTINGS, min_base_fee=7),
    "attribution": replace(SETTINGS, attribution=AttributionConfig(0, 4, 1 << 20)),
}


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a rollup, decoded."""

    name: str
    rollup: dict[str, Any]
    genesis: dict[str, Any]
    l1_chain: dict[str, Any]

    @property
    def is_jovian(self) -> bool:
        """Whether the chain has Jovian."""
        return self.name == "jovian"


@pytest.fixture(params=list(CHAINS))
async def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """The files as they are written for each kind of chain."""
    l1 = FakeL1()
    l1.mine_empty(2)
    start = RollupStart(l1.head.ref, l1.head.timestamp)
    write_rollup(
        make_rollup(CHAINS[request.param], CONTRACTS, start, 900, l1_chain_json(900)), tmp_path
    )
    read = [
        orjson.loads((tmp_path / f"{name}.json").read_bytes())
        for name in ("rollup", "genesis", "l1-chain")
    ]
    return Files(request.param, *read)


def integer(low: int, high: int = 2**64 - 1) -> Rule:
    """A JSON number, as Go's integers and big.Int are decoded from."""
    return lambda value: type(value) is int and low <= value <= high


def exactly(wanted: Any) -> Rule:
    """This value, of this type."""
    return lambda value: type(value) is type(wanted) and value == wanted


def data(size: int | None = None) -> Rule:
    """hexutil.Bytes, or common.Hash and the like where the size is given."""
    digits = "(?:[0-9a-f]{2})*" if size is None else f"[0-9a-f]{{{2 * size}}}"
    return lambda value: type(value) is str and re.fullmatch("0x" + digits, value) is not None


def quantity(value: Any) -> bool:
    """math.HexOrDecimal64 and 256: hexadecimal without leading zeros."""
    return type(value) is str and re.fullmatch("0x(0|[1-9a-f][0-9a-f]{0,63})", value) is not None


def address(value: Any) -> bool:
    """common.Address; either case."""
    return type(value) is str and re.fullmatch("0x[0-9a-fA-F]{40}", value) is not None


def non_zero(rule: Rule) -> Rule:
    """What Config.Check refuses to be zero."""
    return lambda value: rule(value) and int(value, 16) != 0


def hold(fields: Mapping[str, Any], table: Mapping[str, Rule]) -> None:
    """Hold an object against a table of keys and rules, both ways."""
    assert fields.keys() == table.keys()
    wrong = {name: fields[name] for name, rule in table.items() if not rule(fields[name])}
    assert not wrong


ROLLUP_FORKS = ("regolith", "canyon", "delta", "ecotone", "fjord", "granite", "holocene", "isthmus")
BLOCK_FORKS = (
    *("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg"),
    *("istanbul", "muirGlacier", "berlin", "london", "arrowGlacier", "grayGlacier"),
    "mergeNetsplit",
)


def test_rollup_json(files: Files) -> None:
    rollup = files.rollup
    hold(
        rollup,
        {
            "genesis": lambda value: type(value) is dict,
            "block_time": integer(1),  # ErrBlockTimeZero
            "max_sequencer_drift": integer(1),  # ErrInvalidMaxSeqDrift, Fjord or not
            "seq_window_size": integer(2),  # ErrInvalidSeqWindowSize
            "channel_timeout": integer(1),  # ErrMissingChannelTimeout
            "l1_chain_id": exactly(900),  # positive, and not L2's
            "l2_chain_id": exactly(901),
            **dict.fromkeys((f"{name}_time" for name in ROLLUP_FORKS), exactly(0)),
            **({"jovian_time": exactly(0)} if files.is_jovian else {}),
            "batch_inbox_address": non_zero(address),
            "deposit_contract_address": non_zero(address),
            "l1_system_config_address": non_zero(address),
            # Without it op-node looks the chain up in the superchain registry, and ends.
            "chain_op_config": lambda value: type(value) is dict,
        },
    )
    hold(
        rollup["chain_op_config"],
        {
            "eip1559Elasticity": integer(1, 2**32 - 1),
            "eip1559Denominator": integer(1, 2**32 - 1),
            "eip1559DenominatorCanyon": integer(1, 2**32 - 1),
        },
    )
    assert rollup["chain_op_config"] == files.genesis["config"]["optimism"]


def test_genesis_of_rollup_json(files: Files) -> None:
    genesis = files.rollup["genesis"]
    hold(
        genesis,
        {
            "l1": lambda value: type(value) is dict,
            "l2": lambda value: type(value) is dict,
            "l2_time": integer(1),  # ErrMissingGenesisL2Time
            "system_config": lambda value: type(value) is dict,
        },
    )
    for layer in ("l1", "l2"):
        hold(genesis[layer], {"hash": non_zero(data(32)), "number": integer(0)})
    assert genesis["l1"]["hash"] != genesis["l2"]["hash"]  # ErrGenesisHashesSame
    assert genesis["l2"]["number"] == 0
    hold(
        genesis["system_config"],
        {
            "batcherAddr": non_zero(address),  # ErrMissingBatcherAddr
            "overhead": data(32),
            "scalar": non_zero(data(32)),  # ErrMissingScalar
            "gasLimit": integer(1),  # ErrMissingGasLimit
            "eip1559Params": data(8),
            "operatorFeeParams": data(32),
            # op-node knows these two since Jovian, and refuses them before.
            **({"minBaseFee": exactly(7)} if files.is_jovian else {}),
        },
    )


def test_genesis_json(files: Files) -> None:
    genesis = files.genesis
    hold(
        genesis,
        {
            "config": lambda value: type(value) is dict,
            "nonce": exactly("0x0"),
            "timestamp": exactly(hex(files.rollup["genesis"]["l2_time"])),
            # Holocene and Jovian: a version byte, denominator, elasticity, minimum base fee.
            "extraData": exactly(
                "0x01000000fa000000060000000000000007"
                if files.is_jovian
                else "0x00000000fa00000006"
            ),
            "gasLimit": exactly(hex(files.rollup["genesis"]["system_config"]["gasLimit"])),
            "difficulty": exactly("0x0"),  # required
            "mixHash": exactly("0x" + bytes(32).hex()),
            "coinbase": exactly(SEQUENCER_FEE_VAULT),
            "alloc": lambda value: type(value) is dict,
            "number": exactly("0x0"),  # Commit refuses another
            "gasUsed": exactly("0x0"),
            "parentHash": exactly("0x" + bytes(32).hex()),
            "baseFeePerGas": lambda value: quantity(value) and int(value, 16) > 0,
            "excessBlobGas": exactly("0x0"),
            "blobGasUsed": exactly("0x0"),
        },
    )


def test_config_of_genesis_json(files: Files) -> None:
    config = dict(files.genesis["config"])
    ours = {name: config.pop(name) for name in list(config) if name.startswith("attribution")}
    # Not known to op-geth, whose decoder passes over them: it would follow another chain.
    hold(
        ours,
        {
            "attributionTime": exactly(0),
            "attributionCalldataGas": integer(4, 16),
            "attributionCalldataLimit": integer(1),
        }
        if files.name == "attribution"
        else {},
    )
    hold(
        config,
        {
            "chainId": exactly(files.rollup["l2_chain_id"]),
            **dict.fromkeys((f"{name}Block" for name in BLOCK_FORKS), exactly(0)),
            "terminalTotalDifficulty": exactly(0),
            "depositContractAddress": exactly("0x" + bytes(20).hex()),
            "bedrockBlock": exactly(0),
            # No deltaTime: Delta changes nothing in execution.
            **dict.fromkeys(
                (f"{name}Time" for name in ROLLUP_FORKS if name != "delta"), exactly(0)
            ),
            **({"jovianTime": exactly(0)} if files.is_jovian else {}),
            # CheckOptimismValidity: Canyon's, Ecotone's and Isthmus's times.
            "shanghaiTime": exactly(0),
            "cancunTime": exactly(0),
            "pragueTime": exactly(0),
            "optimism": lambda value: type(value) is dict,
            # No blobSchedule (op-geth panics at its first block), no osakaTime.
        },
    )


def test_alloc_of_genesis_json(files: Files) -> None:
    alloc = files.genesis["alloc"]
    assert (PRECOMPILE in alloc) == (files.name == "attribution")
    rules: dict[str, Rule] = {
        "balance": quantity,
        "nonce": quantity,
        "code": data(),
        "storage": lambda value: all(
            data(32)(slot) and non_zero(data(32))(word) for slot, word in value.items()
        ),
    }
    for account, fields in alloc.items():
        # common.UnprefixedAddress; `balance` is required.
        assert re.fullmatch("[0-9a-f]{40}", account)
        assert {"balance"} <= fields.keys() <= rules.keys()
        hold(fields, {name: rules[name] for name in fields})


@pytest.mark.parametrize("chain_id", [900, 31337, 1, 11155111])
def test_l1_chain_json(chain_id: int) -> None:
    chain = l1_chain_json(chain_id)
    is_dev = chain_id in (900, 31337)
    # Without London geth's blob fee has no fork to begin with, and op-node panics.
    blocks = [f"{name}Block" for name in BLOCK_FORKS]
    if chain_id == 1:
        blocks.remove("mergeNetsplitBlock")
    if chain_id == 11155111:
        blocks = [name for name in blocks if "Glacier" not in name or name == "muirGlacierBlock"]
    forks = ["cancun", "prague"] if is_dev else ["cancun", "prague", "osaka", "bpo1", "bpo2"]
    time = exactly(0) if is_dev else integer(1_670_000_000)
    hold(
        chain,
        {
            "chainId": exactly(chain_id),
            **dict.fromkeys(blocks, exactly(0) if is_dev else integer(0)),
            **dict.fromkeys((f"{name}Time" for name in ("shanghai", *forks)), time),
            "blobSchedule": lambda value: type(value) is dict and list(value) == forks,
        },
    )
    for fork in chain["blobSchedule"].values():
        hold(
            fork,
            {"target": integer(1), "max": integer(1), "baseFeeUpdateFraction": integer(1)},
        )


def test_genesis_hash_is_what_geth_computes(files: Files) -> None:
    """From the file alone, by other code: an independent trie and RLP, geth's header."""
    header = geth_header(files.genesis)
    assert "0x" + keccak256(rlp.encode(header)).hex() == files.rollup["genesis"]["l2"]["hash"]


def geth_header(genesis: Mapping[str, Any]) -> list[bytes]:
    """Fill a header as op-geth's Genesis.toBlockWithRoot does with Isthmus active."""
    accounts = HexaryTrie({}, prune=True)
    passer_root: bytes = EMPTY_ROOT
    for name, fields in genesis["alloc"].items():
        root = storage_root(fields.get("storage", {}))
        code = bytes.fromhex(fields.get("code", "0x")[2:])
        account = [big(fields.get("nonce", "0x0")), big(fields["balance"]), root, keccak256(code)]
        # Also where all is empty: the genesis is committed without deleting such accounts.
        accounts[keccak256(bytes.fromhex(name))] = rlp.encode(account)
        if name == MESSAGE_PASSER:
            passer_root = root
    return [
        raw(genesis["parentHash"]),
        EMPTY_OMMERS,
        raw(genesis["coinbase"]),
        accounts.root_hash,
        EMPTY_ROOT,
        EMPTY_ROOT,
        bytes(256),
        big(genesis["difficulty"]),
        big(genesis["number"]),
        big(genesis["gasLimit"]),
        big(genesis["gasUsed"]),
        big(genesis["timestamp"]),
        raw(genesis["extraData"]),
        raw(genesis["mixHash"]),
        int(genesis["nonce"], 16).to_bytes(8, "big"),
        big(genesis["baseFeePerGas"]),
        passer_root,  # in place of the withdrawals root
        big(genesis["blobGasUsed"]),
        big(genesis["excessBlobGas"]),
        bytes(32),
        EMPTY_REQUESTS,
    ]


def storage_root(storage: Mapping[str, str]) -> bytes:
    """Return the root of a contract's storage."""
    slots = HexaryTrie({}, prune=True)
    for slot, word in storage.items():
        slots[keccak256(raw(slot))] = rlp.encode(big(word))
    return bytes(slots.root_hash)


def raw(text: str) -> bytes:
    """Decode hexadecimal data."""
    return bytes.fromhex(text[2:])


def big(text: str) -> bytes:
    """Return a number without leading zeros, as RLP wants it."""
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")

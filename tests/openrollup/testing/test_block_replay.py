"""Replaying in a test: whole blocks, and up to one transaction."""

from collections.abc import Callable
from pathlib import Path

import pytest
from eth_abi.abi import encode

from node.artifacts import load_artifact
from node.chain_file import read_blocks
from node.errors import ConfigError, ExecutionReverted, InvalidInput
from node.types.primitives import keccak256
from openrollup.execution_node import ExecutionNode
from openrollup.testing import BlockDiffers, Devnet, DevnetError, replay

GREET = keccak256(b"greet()")[:4]


class Recorded:
    """A chain of four blocks: a contract, two of its transactions in one block, an empty one."""

    def __init__(self, devnet: Devnet, directory: Path) -> None:
        greeter = devnet.deploy(load_artifact("Greeter"), "one")
        self.greeter: str = greeter.address
        self.sender: str = devnet.accounts[0].address
        nonce = devnet.w3.eth.get_transaction_count(self.sender)
        self.hashes = [
            greeter.functions.setGreeting(text).transact({"nonce": nonce + i, "gas": 200_000})
            for i, text in enumerate(("two", "three"))
        ]
        devnet.mine(2)
        self.file = devnet.export(directory)
        self.genesis = directory / "genesis.json"
        self.url = devnet.l2.url


@pytest.fixture
def recorded(devnet: Devnet, tmp_path: Path) -> Recorded:
    return Recorded(devnet, tmp_path)


def greeting(call: Callable[[str, bytes], bytes], greeter: str) -> bytes:
    return call(greeter, GREET)


def answer(text: str) -> bytes:
    return encode(["string"], [text])


def test_blocks_of_a_file(recorded: Recorded) -> None:
    result = replay(recorded.file, genesis=recorded.genesis)
    assert [report.number for report in result.reports] == [0, 1, 2, 3]
    assert result.difference is None
    result.check()
    part = replay(recorded.file, genesis=recorded.genesis, first=2, last=2)
    assert [(report.number, report.transaction_count) for report in part.reports] == [(2, 3)]


def test_blocks_of_a_node(recorded: Recorded) -> None:
    result = replay(recorded.url)
    assert [report.number for report in result.reports] == [1, 2, 3]
    result.check()


def test_blocks_of_a_datadir(recorded: Recorded, devnet: Devnet, tmp_path: Path) -> None:
    datadir = tmp_path / "datadir"
    rollup = devnet._network.nodes.rollup
    with ExecutionNode.open(rollup.genesis, datadir) as node:
        for block in list(read_blocks(recorded.file))[1:]:
            node.engine.insert(node.engine.execute(block))
    result = replay(datadir, first=1)
    assert [report.number for report in result.reports] == [1, 2, 3]
    result.check()
    check_up_to(recorded, datadir, None)


def test_up_to_a_transaction_of_a_file(recorded: Recorded) -> None:
    check_up_to(recorded, recorded.file, recorded.genesis)


def test_up_to_a_transaction_of_a_node(recorded: Recorded) -> None:
    check_up_to(recorded, recorded.url, None)


def check_up_to(recorded: Recorded, source: str | Path, genesis: Path | None) -> None:
    first, second = recorded.hashes
    with replay(source, upto=first, genesis=genesis) as stopped:
        assert (stopped.block.number, stopped.index) == (2, 1)
        assert (stopped.transaction.hash, stopped.receipt.status) == (first, 1)
        assert greeting(stopped.before.call, recorded.greeter) == answer("one")
        assert greeting(stopped.after.call, recorded.greeter) == answer("two")
        assert stopped.after.nonce(recorded.sender) == stopped.before.nonce(recorded.sender) + 1
        assert stopped.after.balance(recorded.sender) < stopped.before.balance(recorded.sender)
        assert stopped.before.code(recorded.greeter) == stopped.after.code(recorded.greeter) != b""
        slots = [state.storage(recorded.greeter, 0) for state in (stopped.before, stopped.after)]
        assert slots[0] != slots[1] != 0
        with pytest.raises(ExecutionReverted):
            stopped.after.call(recorded.greeter, b"\x01\x02\x03\x04")
    with replay(source, upto=second.to_0x_hex(), genesis=genesis) as stopped:
        assert greeting(stopped.before.call, recorded.greeter) == answer("two")
        assert greeting(stopped.after.call, recorded.greeter) == answer("three")


def test_the_first_block_that_differs(recorded: Recorded) -> None:
    forge(recorded)
    result = replay(recorded.file, genesis=recorded.genesis)
    assert [report.number for report in result.reports] == [0, 1, 2]
    assert result.difference is not None
    assert result.difference.field == "stateRoot"
    with pytest.raises(BlockDiffers, match=r"^block 2 differs: stateRoot: expected 0x"):
        result.check()


def forge(recorded: Recorded) -> None:
    """Give block 2 of the file another state root."""
    raw = recorded.file.read_bytes()
    root = list(read_blocks(recorded.file))[2].header.state_root
    recorded.file.write_bytes(raw.replace(root, keccak256(root)))


def test_a_transaction_after_a_block_that_differs(recorded: Recorded, devnet: Devnet) -> None:
    with pytest.raises(InvalidInput, match="is in no block of"):
        replay(recorded.file, upto=b"\x01" * 32, genesis=recorded.genesis)
    with pytest.raises(InvalidInput, match="is in no block of"):
        replay(recorded.url, upto=b"\x01" * 32)
    forge(recorded)
    with pytest.raises(BlockDiffers, match=r"^block 2 differs: stateRoot"):
        replay(recorded.file, upto=b"\x01" * 32, genesis=recorded.genesis)


def test_sources_and_ranges_that_are_not_there(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a datadir, a file of blocks, or a URL"):
        replay(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="genesis: expected beside"):
        replay(recorded.file)
    with pytest.raises(ConfigError, match="no chain here"):
        replay(tmp_path.parent)
    with pytest.raises(ConfigError, match="a datadir has its own"):
        replay(tmp_path, genesis=recorded.genesis)
    for first, last in ((2, 1), (9, None), (1, 9)):
        with pytest.raises(ConfigError, match=f"first <= last <= .*, got {first} and {last}"):
            replay(recorded.file, genesis=recorded.genesis, first=first, last=last)
    with pytest.raises(InvalidInput, match=r"^upto: expected the hash of a transaction"):
        replay(recorded.file, genesis=recorded.genesis, upto="0x12")
    with pytest.raises(ConfigError, match=r"^upto: goes without first"):
        replay(recorded.file, upto=b"\1" * 32, genesis=recorded.genesis, first=1)  # type: ignore


async def test_a_node_is_not_replayed_in_an_event_loop(recorded: Recorded) -> None:
    with pytest.raises(DevnetError, match=r"^replay\(\) blocks"):
        replay(recorded.url)

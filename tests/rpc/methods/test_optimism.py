import pytest

from node.types.primitives import keccak256
from tests.rpc.chain import RpcFailure, RpcNode


async def test_what_the_wiring_injects(rollup: RpcNode) -> None:
    assert await rollup.call("optimism_syncStatus") == {"current_l1": {"number": 5}}
    config = await rollup.call("optimism_rollupConfig")
    assert config == {"block_time": 1, "l2_chain_id": 901}
    assert await rollup.call("optimism_version") == "openrollup/test"


async def test_the_output_commits_to_state_withdrawals_and_block(rollup: RpcNode) -> None:
    block = rollup.chain.mine()
    output = await rollup.call("optimism_outputAtBlock", "0x1")
    header = block.header
    passer = "0x4200000000000000000000000000000000000016"
    storage_root = (await rollup.call("eth_getProof", passer, [], "0x1"))["storageHash"]
    assert output == {
        "version": "0x" + "00" * 32,
        "outputRoot": "0x"
        + keccak256(
            bytes(32) + header.state_root + bytes.fromhex(storage_root[2:]) + block.hash
        ).hex(),
        "blockRef": {"hash": "0x" + block.hash.hex(), "number": 1, "sequenceNumber": 3},
        "withdrawalStorageRoot": storage_root,
        "stateRoot": "0x" + header.state_root.hex(),
        "syncStatus": {"current_l1": {"number": 5}},
    }


async def test_there_is_no_output_for_a_block_to_come(rollup: RpcNode) -> None:
    with pytest.raises(RpcFailure, match="not found") as refusal:
        await rollup.call("optimism_outputAtBlock", "0x9")
    assert refusal.value.code == -32000


async def test_the_safe_head_of_an_l1_block(rollup: RpcNode) -> None:
    found = await rollup.call("optimism_safeHeadAtL1Block", "0x8")
    assert found == {"l1Block": {"number": 7}, "safeHead": {"number": 3}}
    with pytest.raises(RpcFailure, match=r"safe head not found$") as refusal:
        await rollup.call("optimism_safeHeadAtL1Block", "0x6")
    assert refusal.value.code == -32000
    with pytest.raises(RpcFailure) as refusal:
        await rollup.call("optimism_safeHeadAtL1Block", "latest")
    assert refusal.value.code == -32602


async def test_there_is_no_dependency_set_without_interop(rollup: RpcNode) -> None:
    with pytest.raises(RpcFailure, match=r": not found$") as refusal:
        await rollup.call("optimism_dependencySet")
    assert refusal.value.code == -32000


async def test_a_chain_that_is_no_rollup_has_no_such_methods(ethereum: RpcNode) -> None:
    with pytest.raises(RpcFailure, match="does not exist") as refusal:
        await ethereum.call("optimism_syncStatus")
    assert refusal.value.code == -32601

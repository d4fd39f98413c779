"""Outputs on L1, by whole processes: proposed, contested, taken back by L1."""

import json
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode

from node.genesis.dev_accounts import DEPLOYER_ACCOUNT, PROPOSER_ACCOUNT
from node.types.primitives import Address, Hash32, hex_address, keccak256
from node.types.transaction import sign_dynamic_fee
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import DevNode
from tests.integration.processes import Process, json_line, openrollup, run_openrollup
from tests.integration.scenario import connected

_INTERVAL = 10
_PROPOSED = "0x" + keccak256(b"OutputProposed(bytes32,uint256,uint256,uint256)").hex()
_WRONG = Hash32(b"\x66" * 32)


class Oracle:
    """The output oracle, by hand."""

    def __init__(self, l1: Rpc, files: Path) -> None:
        self._l1 = l1
        addresses = json.loads((files / "addresses.json").read_bytes())
        self.address: Address = hex_address(addresses["l2OutputOracle"])

    async def count(self) -> int:
        return int.from_bytes(await self._call("nextOutputIndex()"))

    async def output(self, index: int) -> tuple[str, int]:
        """Return the root and the L2 block of an output."""
        answer = await self._call("getL2Output(uint256)", index)
        root, _, block = decode(("bytes32", "uint128", "uint128"), answer)
        return "0x" + root.hex(), block

    async def proposals(self) -> list[Any]:
        """Return the logs of all proposals that are on L1 now."""
        query = {"address": _hex(self.address), "fromBlock": "0x0", "topics": [_PROPOSED]}
        logs: list[Any] = await self._l1.call("eth_getLogs", query)
        return logs

    async def propose(self, root: Hash32, block: int) -> None:
        """Propose with the proposer's own key."""
        data = _calldata(
            "proposeL2Output(bytes32,uint256,bytes32,uint256)", root, block, bytes(32), 0
        )
        account = PROPOSER_ACCOUNT
        nonce = await self._l1.call("eth_getTransactionCount", _hex(account.address), "latest")
        tx = sign_dynamic_fee(
            account.private_key,
            chain_id=900,
            nonce=int(nonce, 16),
            max_priority_fee_per_gas=10**9,
            max_fee_per_gas=10**11,
            gas=300_000,
            to=self.address,
            data=data,
        )
        await self._l1.call("eth_sendRawTransaction", _hex(tx.raw))

    async def _call(self, signature: str, *arguments: int) -> bytes:
        request = {"to": _hex(self.address), "data": _hex(_calldata(signature, *arguments))}
        return bytes.fromhex((await self._l1.call("eth_call", request, "latest"))[2:])


async def test_outputs_are_proposed_contested_and_survive_a_reorg(tmp_path: Path) -> None:
    key_file = tmp_path / "challenger"
    key_file.write_text(DEPLOYER_ACCOUNT.private_key.hex())
    options = ("--l1-finalized-distance", "30")
    with DevNode(tmp_path / "files", options=options) as node:
        sources = (
            *("--rollup", node.started.files / "rollup.json"),
            *("--l1", node.started.l1_url, "--l2", node.started.verifier_url),
            *("--key-file", key_file, "--allow-non-finalized", "--json"),
        )
        async with connected(node) as (l1, l2), Rpc(node.started.verifier_url) as verifier:
            oracle = Oracle(l1, node.started.files)
            await _until_count(oracle, 1)
            await _check_outputs(oracle, verifier)
            await _take_the_first_back(l1, oracle)
            await _check_outputs(oracle, verifier)
            right = run_openrollup("challenge", *sources)
            assert (right.returncode, json_line(right.stdout)["event"]) == (0, "right")
            with Process(openrollup("challenge", "--watch", *sources)) as challenger:
                challenger.wait_for_line(lambda line: json_line(line)["event"] == "started")
                await _contest(oracle, l2, verifier, challenger)
            await _check_outputs(oracle, verifier)
        assert node.stop() == 0, node.errors


async def _take_the_first_back(l1: Rpc, oracle: Oracle) -> None:
    """Replace the L1 blocks from before the first proposal on; wait until it is made again."""
    first = (await oracle.proposals())[0]
    before = await l1.head() - int(first["blockNumber"], 16) + 3
    await l1.call("dev_reorgL1", before)

    async def made_again() -> bool:
        proposals = await oracle.proposals()
        return bool(proposals) and proposals[0]["blockHash"] != first["blockHash"]

    await wait_until(made_again, "the output that L1 took back is proposed again")


async def _contest(oracle: Oracle, l2: Rpc, verifier: Rpc, challenger: Process) -> None:
    """Propose nonsense with the proposer's key, and look at what becomes of it."""
    await l2.call("admin_stopProposer")
    index = await oracle.count()
    block = _INTERVAL * (index + 1)

    async def verifier_has_it() -> bool:
        return await verifier.head("safe") >= block

    await wait_until(verifier_has_it, f"the verifier has block {block}")
    await oracle.propose(_WRONG, block)
    wrong = json_line(challenger.wait_for_line(lambda line: json_line(line)["event"] == "wrong"))
    own = await verifier.call("optimism_outputAtBlock", hex(block))
    assert (wrong["index"], wrong["block"]) == (index, block)
    assert (wrong["proposed"], wrong["expected"]) == (_hex(_WRONG), own["outputRoot"])
    gone = json_line(challenger.wait_for_line(lambda line: json_line(line)["event"] == "deleted"))
    assert (gone["first"], gone["last"]) == (index, index)
    assert await oracle.count() == index
    await l2.call("admin_startProposer")
    await _until_count(oracle, index + 1)


async def _until_count(oracle: Oracle, count: int) -> None:
    async def enough() -> bool:
        return await oracle.count() >= count

    await wait_until(enough, f"{count} outputs are on L1")


async def _check_outputs(oracle: Oracle, verifier: Rpc) -> None:
    """Each output is the verifier's, at its interval."""
    for index in range(await oracle.count()):
        root, block = await oracle.output(index)
        assert block == _INTERVAL * (index + 1)
        own = await verifier.call("optimism_outputAtBlock", hex(block))
        assert root == own["outputRoot"]


def _calldata(signature: str, *arguments: Any) -> bytes:
    kinds = [kind for kind in signature[signature.index("(") + 1 : -1].split(",") if kind]
    return keccak256(signature.encode())[:4] + encode(kinds, arguments)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

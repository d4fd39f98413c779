"""What is refused before anything is sent."""

from dataclasses import replace
from pathlib import Path

import pytest

from consensus.deploy.plan import Plan
from consensus.deploy.preparation import check_l1
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcFault
from node.errors import ConfigError
from node.types.block import Header
from node.types.primitives import Address, Hash32, keccak256
from node.types.transaction import address_of_key
from tests.consensus.deploy.scene import DEPLOYER, HOLDER, SETTINGS, DevL1

PLAN = Plan(SETTINGS, DEPLOYER, 0, {})


async def test_a_key_without_ether(l1: DevL1, tmp_path: Path) -> None:
    poor = keccak256(b"poor")
    with pytest.raises(ConfigError, match=r"has 0\.000000 ether on L1, and the .* up to 0\.0\d+ "):
        await l1.deploy(tmp_path / "record", key=poor)
    assert not (tmp_path / "record").exists()
    assert await l1.client.nonce(address_of_key(poor)) == 0


async def test_less_is_needed_where_more_is_done(l1: DevL1) -> None:
    class Pricey(L1Client):
        """An L1 where the key could just not pay for everything."""

        async def balance(self, address: Address) -> int:
            gas = sum(step.gas for step in (*PLAN.foundation(), PLAN.oracle(0)))
            return gas * (2 * await self.base_fee() + 10**9) - 1

        async def priority_fee(self) -> int | None:
            return 10**9

    pricey = Pricey(JsonRpc(l1.url))
    with pytest.raises(ConfigError, match="run the same command again"):
        await check_l1(pricey, PLAN)
    async with l1.mining():
        await l1.spend()
    await check_l1(pricey, PLAN)
    await pricey.close()


async def test_an_l1_before_prague(l1: DevL1) -> None:
    class Older(L1Client):
        async def header(self, block_hash: Hash32) -> Header:
            return replace(await super().header(block_hash), requests_hash=None)

    older = Older(JsonRpc(l1.url))
    with pytest.raises(ConfigError, match=r"expected an L1 at Prague or later, its block 0 has no"):
        await check_l1(older, PLAN)
    await older.close()


async def test_an_l1_that_runs_no_such_code(l1: DevL1) -> None:
    class Simple(L1Client):
        async def estimate_gas(self, sender: Address, to: Address | None, data: bytes) -> int:
            raise RpcFault("eth_estimateGas", -32000, "invalid opcode: MCOPY")

    simple = Simple(JsonRpc(l1.url))
    with pytest.raises(ConfigError, match=r"would not create OpenToken: .*invalid opcode: MCOPY"):
        await check_l1(simple, PLAN)
    await simple.close()


async def test_an_allocation_to_a_contract_of_genesis(l1: DevL1, tmp_path: Path) -> None:
    portal = Address(bytes.fromhex("4200000000000000000000000000000000000016"))
    wrong = replace(SETTINGS, allocation={HOLDER: 1, portal: 1})
    with pytest.raises(ConfigError, match=r"allocation: 0x42.*16 is a contract of genesis"):
        await l1.deploy(tmp_path / "record", wrong)
    assert not (tmp_path / "record").exists()

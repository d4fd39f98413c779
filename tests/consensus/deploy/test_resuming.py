"""Whatever interrupts a deployment, the same call goes on with it, and L1 gets each step once."""

from dataclasses import replace
from pathlib import Path

import pytest

from consensus.deploy import Rollup
from consensus.deploy.on_l1 import is_done
from consensus.deploy.plan import Plan
from consensus.deploy.record import find_record
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import JsonRpc, RpcFault
from consensus.l1.tx_sender import InsufficientL1Funds
from node.errors import ConfigError, CriticalError, TemporaryError
from node.types.primitives import Address, Hash32, keccak256
from tests.consensus.deploy.scene import (
    DEPLOYER,
    SETTINGS,
    STEPS,
    DevL1,
    FailingL1,
    Killed,
    dev_l1,
    sender,
)

GIFTS = {Address(b"\x01" * 20): 5, Address(b"\x02" * 20): 6}


@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("at", range(STEPS))
@pytest.mark.parametrize("is_mined", [False, True])
async def test_killed_at_each_transaction(
    l1: DevL1, tmp_path: Path, at: int, *, is_sent: bool, is_mined: bool
) -> None:
    """Before it was sent or after; what was sent in a block by the next attempt, or in the pool."""
    record = tmp_path / "deployment.json"
    if at == STEPS - 1:  # what comes before the oracle has to be there
        async with l1.mining():
            await interrupted(l1, record, at, is_sent=is_sent)
    else:
        await interrupted(l1, record, at, is_sent=is_sent)
    assert find_record(record) is not None
    if is_mined:
        await l1.mine()
    async with l1.mining():
        await check(l1, await l1.deploy(record))


@pytest.mark.parametrize("at", range(STEPS))
async def test_funds_that_run_out(l1: DevL1, tmp_path: Path, at: int) -> None:
    """L1's fees have risen since they were looked at."""
    record = tmp_path / "deployment.json"
    fault = RpcFault("eth_sendRawTransaction", -32000, "insufficient funds for gas * price + value")
    poor = FailingL1(l1.url, at, error=fault)
    async with l1.mining():
        with pytest.raises(InsufficientL1Funds, match=r"has [0-9.]+ ether on L1 and needs "):
            await l1.deploy(record, client=poor)
        await check(l1, await l1.deploy(record))
    await poor.close()


async def test_an_l1_that_is_away_for_a_while_is_waited_for(l1: DevL1, tmp_path: Path) -> None:
    class Away(L1Client):
        """An L1 where each third transaction is not answered, received or not."""

        sent = 0

        async def send_raw_transaction(self, raw: bytes) -> Hash32:
            self.sent += 1
            if self.sent % 3 == 0:
                if self.sent % 2 == 0:
                    await super().send_raw_transaction(raw)
                raise TemporaryError("connection lost")
            return await super().send_raw_transaction(raw)

    away = Away(JsonRpc(l1.url))
    async with l1.mining():
        await check(l1, await l1.deploy(tmp_path / "deployment.json", client=away))
    await away.close()
    assert away.sent > STEPS


async def test_a_deployment_that_is_done_is_found(l1: DevL1, tmp_path: Path) -> None:
    """Killed after the last transaction, before the files were written."""
    record = tmp_path / "deployment.json"
    async with l1.mining():
        first = await l1.deploy(record, gifts=GIFTS)
        await l1.spend(2)  # what comes later does no harm
        again = await l1.deploy(record, gifts=GIFTS)
    assert (again.config, again.addresses) == (first.config, first.addresses)
    assert await l1.client.nonce(DEPLOYER) == STEPS + len(GIFTS) + 2


@pytest.mark.parametrize("at", range(1, STEPS))
async def test_another_use_of_the_key_is_noticed(l1: DevL1, tmp_path: Path, at: int) -> None:
    record = tmp_path / "deployment.json"
    async with l1.mining():
        await interrupted(l1, record, at)
        await l1.mine()
        await l1.spend()
        with pytest.raises(ConfigError, match=rf" used nonce {at} for something else meanwhile"):
            await l1.deploy(record)
    assert await l1.client.nonce(DEPLOYER) == at + 1


async def test_the_record_says_on_which_l1_with_which_key_and_settings(
    l1: DevL1, tmp_path: Path
) -> None:
    record = tmp_path / "deployment.json"
    await interrupted(l1, record, 2)
    before = record.read_bytes()
    other = replace(SETTINGS, block_time=5)
    with pytest.raises(ConfigError, match=r"block_time: the deployment began with 2, got 5: "):
        await l1.deploy(record, other)
    with pytest.raises(ConfigError, match=r"was begun by 0x.*: give the same key"):
        await l1.deploy(record, key=keccak256(b"other"))
    async with dev_l1(chain_id=901) as another:
        with pytest.raises(ConfigError, match=r"began on L1 chain 900 .* is chain 901 "):
            await another.deploy(record)
    async with dev_l1(timestamp=1_700_000_001) as another:
        with pytest.raises(ConfigError, match=r"began on L1 chain 900 .* is chain 900 "):
            await another.deploy(record)
    assert record.read_bytes() == before


async def test_a_key_with_transactions_waiting_begins_nothing(l1: DevL1, tmp_path: Path) -> None:
    await interrupted(l1, tmp_path / "one.json", 2)
    with pytest.raises(ConfigError, match="has 2 transactions waiting on L1: wait until"):
        await l1.deploy(tmp_path / "two.json")
    assert not (tmp_path / "two.json").exists()


async def test_an_oracle_of_an_attempt_before_the_last_holds(l1: DevL1, tmp_path: Path) -> None:
    """It was in the pool when the next attempt chose a later beginning, and came first."""
    record = tmp_path / "deployment.json"
    async with l1.mining():
        await interrupted(l1, record, STEPS - 1)
    known = find_record(record)
    assert known is not None
    (start,) = known.starts
    oracle = Plan(SETTINGS, DEPLOYER, 0, {}).oracle(start.timestamp)
    await l1.mine()

    async with l1.mining():
        await interrupted(l1, record, 0)
        await sender(l1.client).send_at(STEPS - 1, oracle.request())
        rollup = await l1.deploy(record)
    known = find_record(record)
    assert known is not None
    assert len(known.starts) == 2
    assert rollup.config.genesis.l1 == start.l1
    await check(l1, rollup)


async def test_a_beginning_that_l1_has_replaced_is_told(l1: DevL1, tmp_path: Path) -> None:
    record = tmp_path / "deployment.json"
    async with l1.mining():
        await l1.deploy(record)
    l1.embedded.chain.reorg(2)
    async with l1.mining():
        with pytest.raises(CriticalError, match="L1 has replaced the block after which"):
            await l1.deploy(record)


async def interrupted(l1: DevL1, record: Path, at: int, *, is_sent: bool = False) -> None:
    """Begin, or go on, and be killed at the transaction number `at` of this attempt."""
    failing = FailingL1(l1.url, at, is_sent=is_sent)
    with pytest.raises(Killed):
        await l1.deploy(record, client=failing)
    await failing.close()


async def check(l1: DevL1, rollup: Rollup) -> None:
    """There is one deployment, whole, at the addresses of its first nonces."""
    assert await l1.client.nonce(DEPLOYER) == STEPS
    plan = Plan(SETTINGS, DEPLOYER, 0, {})
    assert rollup.contracts == plan.contracts
    oracle = plan.oracle(rollup.config.genesis.l2_time)
    for step in (*plan.foundation(), oracle):
        assert await is_done(l1.client, step), step.name
    genesis = rollup.config.genesis.l1
    assert (await l1.client.block_ref_by_number(genesis.number)).ref == genesis

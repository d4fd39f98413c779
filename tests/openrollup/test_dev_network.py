import asyncio
import json
import shutil
from pathlib import Path

import pytest

from consensus.config import rollup_config_to_json
from consensus.l1.client import L1Client
from consensus.l1.json_rpc import Json, RpcFault
from node.errors import ConfigError, NodeError
from node.genesis import dev_accounts, read_genesis
from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Hash32, create_address
from openrollup.dev_network import open_dev_network
from tests.openrollup.network import (
    ALICE,
    FRIEND,
    OPTIONS,
    FastClock,
    Running,
    ask,
    hash_at,
    running,
    sign,
)

ETHER = 10**18


async def test_blocks_deposits_and_the_verifier_s_chain() -> None:
    async with running() as net:
        await net.included(net.payment(0))
        contracts = net.network.rollup.contracts
        net.deposit(contracts, nonce=0, amount=5 * ETHER)
        await net.until(lambda: net.balance(FRIEND) > 5 * ETHER)
        await both_have(net, net.l2.heads().unsafe.number)
        verifier = net.network.verifier.node.reader
        number = verifier.heads().safe.number
        assert hash_at(net.l2, number) == hash_at(verifier, number)
        await net.until(lambda: net.l2.heads().finalized.number > 0)


async def test_without_attribution_the_precompile_s_address_is_like_any_other() -> None:
    async with running(automine=True, attribution=False) as net:
        assert net.network.rollup.genesis.config.attribution is None
        payment = sign(ALICE, 901, 0, ATTRIBUTION_ADDRESS, bytes(200), value=1)
        number = await net.included(payment)
        receipt = await ask(
            net.network.sequencer.url, "eth_getTransactionReceipt", "0x" + payment.hash.hex()
        )
        assert isinstance(receipt, dict)
        # EIP-7623's floor, which the lane would have lowered: ten a token, a token a zero byte.
        assert (receipt["status"], receipt["gasUsed"]) == ("0x1", hex(21_000 + 10 * 200))
        assert net.balance(ATTRIBUTION_ADDRESS) == 1
        await both_have(net, number)


async def test_the_verifier_passes_transactions_on_and_refusals_back() -> None:
    async with running(automine=True) as net:
        verifier, tx = net.network.verifier.url, net.payment(0)
        answer = await ask(verifier, "eth_sendRawTransaction", "0x" + tx.raw.hex())
        assert answer == "0x" + tx.hash.hex()
        await net.until(lambda: net.l2.transaction(tx.hash))
        faults = []
        for url in (verifier, net.network.sequencer.url):
            with pytest.raises(RpcFault) as caught:
                await ask(url, "eth_sendRawTransaction", "0x" + tx.raw.hex())
            faults.append((caught.value.code, caught.value.message))
        assert faults[0] == faults[1]
        assert faults[0][0] == -32000
        assert faults[0][1].startswith("nonce too low")


async def test_status_and_config_over_json_rpc() -> None:
    async with running(automine=True) as net:
        await net.included(net.payment(0))
        await net.until(lambda: net.l2.heads().safe.number > 0)
        config = await ask(net.network.sequencer.url, "optimism_rollupConfig")
        assert config == rollup_config_to_json(net.network.rollup.config)
        status = await ask(net.network.sequencer.url, "optimism_syncStatus")
        heads = {name: number_of(status, name) for name in ("unsafe_l2", "safe_l2", "head_l1")}
        assert heads["unsafe_l2"] >= heads["safe_l2"] > 0
        assert heads["head_l1"] > 0


async def test_automine_builds_a_block_for_a_transaction_and_rests() -> None:
    async with running(automine=True, l1_block_time_s=3600) as net:
        # L1's time stands still: whatever comes now comes for a transaction.
        await until_idle(net)
        first = net.l2.heads().unsafe.number
        for nonce in range(5):
            assert await net.included(net.payment(nonce)) == first + nonce + 1
        await until_idle(net)
        assert net.l2.heads().unsafe.number == first + 5


async def test_automine_makes_no_storm_of_what_cannot_be_included() -> None:
    async with running(automine=True, l1_block_time_s=3600) as net:
        await until_idle(net)
        before = net.l2.heads().unsafe.number
        net.pool.add_transaction(net.payment(3))  # waits for three others
        await until_idle(net)
        assert net.l2.heads().unsafe.number <= before + 1
        assert len(net.pool) == 1


async def test_automine_time_is_followed_by_l1_and_what_it_made_becomes_safe() -> None:
    async with running(automine=True, l1_block_time_s=1) as net:
        for nonce in range(60):  # a minute of L2's time, in less of ours
            await net.included(net.payment(nonce))
        last = net.l2.heads().unsafe.number
        net.deposit(net.network.rollup.contracts, nonce=0, amount=ETHER)
        await net.until(lambda: net.balance(FRIEND) > ETHER)
        await both_have(net, last)
        l1_time = net.l1.node.reader.head_header().timestamp
        assert abs(l1_time - net.l2.head_header().timestamp) < 60


async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with running(datadir=tmp_path) as net:
        number = await net.included(net.payment(0))
        await both_have(net, number)
        genesis, block = hash_at(net.l2, 0), hash_at(net.l2, number)
    assert names(tmp_path) == {
        *("l1", "l2", "verifier"),
        *("rollup.json", "genesis.json", "l1-chain.json", "addresses.json", "accounts.json"),
        "deployment.json",
    }
    out = tmp_path / "out"
    async with running(datadir=tmp_path, out=out, block_time_s=1, gas_limit=30_000_000) as net:
        assert (hash_at(net.l2, 0), hash_at(net.l2, number)) == (genesis, block)
        await both_have(net, await net.included(net.payment(1)))
    assert (out / "rollup.json").read_bytes() == (tmp_path / "rollup.json").read_bytes()


async def test_what_contradicts_the_stored_rollup_is_refused(tmp_path: Path) -> None:
    await start_and_stop(tmp_path, block_time_s=2)
    with pytest.raises(ConfigError, match=r"^--block-time: the rollup in .* with 2, got 1: "):
        await start_and_stop(tmp_path, block_time_s=1)
    with pytest.raises(ConfigError, match=r"^--gas-limit: .* with 30000000, got 40000000: "):
        await start_and_stop(tmp_path, gas_limit=40_000_000)
    await start_and_stop(tmp_path, l1_block_time_s=7)  # the embedded L1 may change its pace


async def test_a_first_start_that_was_killed_before_the_rollup_was_there(tmp_path: Path) -> None:
    """L1 holds the contracts, and nobody knows of them: they are deployed again."""
    await start_and_stop(tmp_path)
    first = read_genesis(tmp_path / "l1" / "genesis.json")
    remove(tmp_path, names(tmp_path) - {"l1"})
    async with running(datadir=tmp_path) as net:
        assert net.l1.node.genesis == first
        await both_have(net, await net.included(net.payment(0)))


@pytest.mark.parametrize("at", [0, 3, 6, 15, 16, 17])
async def test_a_first_start_that_was_killed_while_it_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The next one goes on with it: nothing is deployed twice."""
    sent, send = 0, L1Client.send_raw_transaction

    async def send_or_die(client: L1Client, raw: bytes) -> Hash32:
        nonlocal sent
        if sent == at:
            raise ZeroDivisionError
        sent += 1
        return await send(client, raw)

    with monkeypatch.context() as patch:
        patch.setattr(L1Client, "send_raw_transaction", send_or_die)
        with pytest.raises(ZeroDivisionError):
            await start_and_stop(tmp_path)
    assert not (tmp_path / "rollup.json").exists()
    async with running(datadir=tmp_path) as net:
        contracts = net.network.rollup.contracts
        assert contracts.open_token == create_address(DEPLOYER_ACCOUNT.address, 0)
        assert contracts.l2_output_oracle == create_address(DEPLOYER_ACCOUNT.address, 17)
        verifier = create_address(DEPLOYER_ACCOUNT.address, 16)
        assert contracts.attribution_verifier == verifier
        assert net.l1.node.mempool.pending_nonce(DEPLOYER_ACCOUNT.address) == 18
        await both_have(net, await net.included(net.payment(0)))


async def test_a_first_start_that_was_killed_while_the_files_were_written(tmp_path: Path) -> None:
    """rollup.json is the last of them: without it there is no rollup."""
    await start_and_stop(tmp_path)
    remove(tmp_path, {"rollup.json", "genesis.json", "l2", "verifier"})
    async with running(datadir=tmp_path) as net:
        await net.included(net.payment(0))


async def test_accounts_have_open_on_l1_and_on_l2_and_l1_backs_it() -> None:
    async with running() as net:
        contracts = net.network.rollup.contracts
        balance = "0x70a08231" + bytes(12).hex()  # balanceOf(address)
        held = {}
        for owner in (*(account.address for account in dev_accounts()), contracts.optimism_portal):
            call = {"to": "0x" + contracts.open_token.hex(), "data": balance + owner.hex()}
            answer = await ask(net.l1.url, "eth_call", call, "latest")
            assert isinstance(answer, str)
            held[owner] = int(answer, 16)
        assert held.pop(contracts.optimism_portal) == 100_000 * ETHER
        assert set(held.values()) == {10_000 * ETHER}
        assert all(net.balance(owner) == 10_000 * ETHER for owner in held)


async def test_addresses_of_an_older_version_are_refused(tmp_path: Path) -> None:
    await start_and_stop(tmp_path)
    addresses = tmp_path / "addresses.json"
    content = json.loads(addresses.read_bytes())
    del content["l1StandardBridge"]
    addresses.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"addresses\.json: l1StandardBridge: it is missing"):
        await start_and_stop(tmp_path)


async def test_a_second_network_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with running(datadir=tmp_path):
        with pytest.raises(ConfigError, match="is in use by process"):
            await start_and_stop(tmp_path)


async def test_another_chain_s_store_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    await start_and_stop(one)
    await start_and_stop(other, gas_limit=40_000_000)
    shutil.rmtree(one / "l2")
    shutil.copytree(other / "l2", one / "l2")
    with pytest.raises(ConfigError, match="the store holds chain 901 with genesis block"):
        await start_and_stop(one)


async def test_an_l1_that_does_not_hold_the_rollup_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    await start_and_stop(one, clock=FastClock())
    await start_and_stop(other, gas_limit=40_000_000)
    shutil.rmtree(one / "l1")
    shutil.copytree(other / "l1", one / "l1")
    # It depends on how many blocks the two made before they had their rollups.
    with pytest.raises(NodeError, match=r"^--l1: .*: it is another chain"):
        await start_and_stop(one)


async def test_time_that_automine_has_run_ahead_is_told(tmp_path: Path) -> None:
    clock = FastClock(1.0)
    async with running(
        datadir=tmp_path, automine=True, block_time_s=30, l1_block_time_s=3600, clock=clock
    ) as net:
        for nonce in range(4):
            await net.included(net.payment(nonce))
    with pytest.raises(ConfigError, match=r"^--automine: the rollup in .* is \d+ s ahead of the"):
        await start_and_stop(tmp_path, clock=clock)
    async with running(datadir=tmp_path, automine=True, clock=clock) as net:
        await net.included(net.payment(4))


async def test_a_stop_under_load_leaves_whole_stores(tmp_path: Path) -> None:
    async with running(datadir=tmp_path, automine=True) as net:
        for nonce in range(100):
            net.pool.add_transaction(net.payment(nonce))
        await net.until(lambda: net.l2.heads().unsafe.number >= 2)
    async with running(datadir=tmp_path, automine=True) as net:
        account = net.l2.account(net.payment(0).sender, net.l2.head_header())
        assert account is not None
        assert account.nonce > 0


def number_of(status: Json, head: str) -> int:
    ref = status[head] if isinstance(status, dict) else None
    number = ref["number"] if isinstance(ref, dict) else None
    assert isinstance(number, int)
    return number


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def remove(folder: Path, which: set[str]) -> None:
    for name in which:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


async def start_and_stop(datadir: Path, clock: FastClock | None = None, **changed: object) -> None:
    async with running(OPTIONS, clock, datadir=datadir, **changed):
        pass


async def both_have(net: Running, number: int) -> None:
    """Wait until a block is safe on both nodes, and is the same."""
    readers = (net.l2, net.network.verifier.node.reader)
    await net.until(lambda: all(reader.heads().safe.number >= number for reader in readers))
    ours, theirs = (hash_at(reader, number) for reader in readers)
    assert ours == theirs


async def until_idle(net: Running) -> None:
    """Wait until the sequencer has nothing to do but to wait."""
    still, number = 0, -1
    while still < 20:
        await asyncio.to_thread(lambda: None)
        for _ in range(20):
            await asyncio.sleep(0)
        newest = net.l2.heads().unsafe.number
        still = still + 1 if newest == number else 0
        number = newest


async def test_what_was_opened_is_closed_when_a_start_fails(tmp_path: Path) -> None:
    """The second node's port is taken: everything before it must be free again."""
    with pytest.raises(ConfigError, match="another port"):
        async with running() as net:
            port = int(net.network.sequencer.url.rsplit(":", 1)[1])
            await start_and_stop(tmp_path, verifier_port=port)
    await start_and_stop(tmp_path)


async def test_open_network_listens_before_its_blocks_come() -> None:
    async with open_dev_network(OPTIONS, FastClock()) as network:
        assert network.sequencer.node.reader.heads().unsafe.number == 0
        await network.stop_listening()
        await network.stop_listening()

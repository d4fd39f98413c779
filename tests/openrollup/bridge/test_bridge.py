"""The bridge's commands at a running network: what they do, and what they refuse in one line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.l1.contract_call import encode_call
from node.genesis import DevAccount
from node.genesis.dev_accounts import DEPLOYER_ACCOUNT
from node.genesis.genesis import MESSAGE_PASSER
from node.json_file import write_json
from node.types.primitives import Hash32, checksum_address, hex_address
from node.types.transaction import address_of_key
from openrollup.bridge.deposit import run_deposit
from openrollup.bridge.finalize import run_finalize
from openrollup.bridge.prove import run_prove
from openrollup.bridge.status import run_status
from openrollup.bridge.withdraw import run_withdraw
from tests.openrollup.bridge.desk import SECOND, USER, Desk
from tests.openrollup.network import FRIEND, FastClock, running

ETHER = 10**18
MULTICALL3 = hex_address("0xcA11bde05977b3631167028862bE2a173976CA11")
NOBODY = DevAccount(99, address_of_key(b"\x11" * 32), b"\x11" * 32)


@asynccontextmanager
async def open_desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Desk]:
    clock = FastClock()
    async with running(clock=clock, l1_block_time_s=1) as net:
        yield Desk(net, clock, tmp_path, capsys)


async def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_desk(tmp_path, capsys) as desk:
        write_json(tmp_path / "addresses.json", {"optimismPortal": checksum_address(desk.portal)})
        options = replace(
            desk.deposit_options(3 * ETHER // 2),
            portal=None,
            addresses=tmp_path / "addresses.json",
            to=FRIEND,
        )
        deposited = await desk.deposit(options)
        assert (deposited["code"], deposited["success"]) == (0, True)
        assert desk.net.balance(FRIEND) == 3 * ETHER // 2
        status = await desk.status(desk.step_options(deposited["l1Transaction"]))
        assert status == deposited

        begun = await desk.withdraw(replace(desk.withdraw_options(ETHER), to=FRIEND))
        step = desk.step_options(begun["l2Transaction"])
        assert (await desk.status(step))["withdrawalHash"] == begun["withdrawalHash"]
        proven = await desk.prove(step)
        assert (proven["code"], proven["status"]) == (0, "waiting-to-finalize")
        early = await desk.refusal(run_finalize(replace(step, wait=False)))
        assert early.startswith("OperationRefused: too early: the withdrawal waits for the proof")
        again = await desk.prove(step)
        assert (again["code"], "l1Transaction" in again) == (0, False)
        final = await desk.finalize(step)
        assert (final["code"], final["status"], final["success"]) == (0, "finalized", True)
        assert await desk.open_on_l1(FRIEND) == ETHER
        for command in (desk.prove, desk.finalize, desk.status):
            done = await command(step)
            assert (done["code"], done["status"], done["waitSeconds"]) == (0, "finalized", 0)
        assert await desk.open_on_l1(FRIEND) == ETHER


async def test_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What failed on the other side is said, too, and by the exit code."""
    async with open_desk(tmp_path, capsys) as desk:
        # Creation code at an account with code: a call of the message passer that it refuses.
        options = desk.deposit_options(ETHER // 4)
        options = replace(options, to=MESSAGE_PASSER, data=b"\xff" * 4, json=False)
        failed = await desk.deposit(options)
        assert failed["code"] == 1
        assert failed["lines"][2].startswith("0.25 OPEN in L2 block ")
        assert failed["lines"][2].endswith(f"failed, they are at {checksum_address(USER.address)}")
        options = replace(desk.deposit_options(1, SECOND), l2_url=None, json=False)
        sent = await desk.deposit(options)
        assert [line.split("  ")[0] for line in sent["lines"]] == [
            "L1 transaction",
            "L2 transaction",
        ]

        config = desk.net.network.rollup.contracts.system_config
        withdrawal = replace(desk.withdraw_options(ETHER), to=config, data=b"\xff" * 4, json=False)
        lines = (await desk.withdraw(withdrawal))["lines"]
        assert lines[2].startswith("next: openrollup bridge prove")
        step = replace(desk.step_options(lines[0].split()[2]), json=False)
        lines = (await desk.status(step))["lines"]
        assert lines[1].split()[:4] == ["1", "OPEN", "to", checksum_address(config) + ","]
        lines = (await desk.prove(step))["lines"]
        assert lines[1].startswith("proven against output ")
        assert lines[2].startswith("next: openrollup bridge finalize in about ")
        assert (await desk.prove(step))["lines"][0] == "already proven"
        assert (await desk.status(step))["lines"][2] == "status      waiting-to-finalize"
        final = await desk.finalize(step)
        assert final["code"] == 1
        assert final["lines"][1] == (
            f"1 OPEN at {checksum_address(config)} on L1; the call that came with them failed, "
            "and is not repeated"
        )
        assert await desk.open_on_l1(config) == ETHER
        assert (await desk.finalize(step))["lines"] == ["already finalized"]
        assert (await desk.prove(step))["lines"] == ["already finalized"]


async def test_an_output_that_is_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proof is void while there is no such output; it need not be given again for the same."""
    async with open_desk(tmp_path, capsys) as desk:
        begun = await desk.withdraw(replace(desk.withdraw_options(ETHER), to=FRIEND))
        step = desk.step_options(begun["l2Transaction"])
        index = (await desk.prove(step))["outputIndex"]
        await desk.proposer.stop()
        delete = encode_call("deleteL2Outputs(uint256)", index)
        await desk.send(desk.l1_url, DEPLOYER_ACCOUNT.private_key, desk.oracle, delete)
        told = await desk.refusal(run_finalize(step))
        assert told.startswith(
            "OperationRefused: the output that the withdrawal was proven against"
        )
        assert (await desk.status(step))["status"] == "waiting-to-prove"
        desk.proposer.start()
        again = await desk.prove(step)
        assert (again["status"], "l1Transaction" in again) == ("waiting-to-finalize", False)
        assert (await desk.finalize(step))["status"] == "finalized"
        assert await desk.open_on_l1(FRIEND) == ETHER


async def test_several_withdrawals_in_one_transaction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_desk(tmp_path, capsys) as desk:
        withdraw = encode_call("initiateWithdrawal(address,uint256,bytes)", FRIEND, 0, b"")
        calls = [(MESSAGE_PASSER, False, value, withdraw) for value in (5, 6)]
        data = encode_call("aggregate3Value((address,bool,uint256,bytes)[])", calls)
        sent = await desk.send(desk.l2_url, USER.private_key, MULTICALL3, data, 11)
        step = desk.step_options(sent)
        assert (await desk.refusal(run_status(step))).endswith(
            "has 2 transfers: say which by --index 0 to 1"
        )
        assert (await desk.refusal(run_status(replace(step, index=2)))).startswith(
            "ConfigError: --index: expected 0 to 1"
        )
        for index in (0, 1):
            chosen = replace(step, index=index)
            assert (await desk.prove(chosen))["status"] == "waiting-to-finalize"
            assert (await desk.finalize(chosen))["status"] == "finalized"
        assert await desk.open_on_l1(FRIEND) == 11


async def test_what_is_asked_of_the_wrong_chain_or_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_desk(tmp_path, capsys) as desk:
        good = desk.deposit_options(ETHER)
        wrong = {
            "ConfigError: --l1: chain 901 at": replace(good, l1_url=desk.l2_url),
            "ConfigError: --l2: chain 900 at": replace(good, l2_url=desk.l1_url),
            "ConfigError: --portal: there is no contract at 0x": replace(good, portal=FRIEND),
            "ConfigError: --portal: the contract at 0x": replace(good, portal=desk.token),
            "TemporaryError: --l1: http": replace(good, l1_url="http://127.0.0.1:1"),
            "TemporaryError: --l2: http": replace(good, l2_url="http://127.0.0.1:1"),
            "ConfigError: --gas-limit: expected 21000 to": replace(good, gas_limit=20_999),
            "ConfigError: expected --addresses F": replace(good, portal=None),
        }
        for expected, options in wrong.items():
            assert (await desk.refusal(run_deposit(options))).startswith(expected)
        (tmp_path / "other.json").write_text('{"optimismPortal": "0x12"}')
        options = replace(good, portal=None, addresses=tmp_path / "other.json")
        assert "other.json: optimismPortal: expected 40" in await desk.refusal(run_deposit(options))
        write_json(tmp_path / "other.json", {"optimismPortal": "0x" + FRIEND.hex()})
        assert "other.json: there is no contract at" in await desk.refusal(run_deposit(options))
        withdrawal = replace(desk.withdraw_options(1), l2_url=desk.l1_url)
        assert "is it the L1?" in await desk.refusal(run_withdraw(withdrawal))


async def test_who_cannot_pay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_desk(tmp_path, capsys) as desk:
        name = checksum_address(NOBODY.address)
        told = await desk.refusal(run_deposit(desk.deposit_options(0, NOBODY)))
        assert told.endswith(f"0: {name} has 0.000000 ether on L1, too little: send it some") or (
            f"{name} has 0.000000 ether on L1, too little: send it some" in told
        )
        told = await desk.refusal(run_deposit(desk.deposit_options(5, NOBODY)))
        assert f"--amount: {name} has 0 OPEN on L1" in told
        told = await desk.refusal(run_deposit(desk.deposit_options(10**9 * ETHER)))
        assert f"--amount: {checksum_address(USER.address)} has 1" in told
        told = await desk.refusal(run_withdraw(desk.withdraw_options(0, NOBODY)))
        assert f"--amount: {name} has 0 OPEN on L2" in told
        told = await desk.refusal(run_withdraw(desk.withdraw_options(10_000 * ETHER - 1)))
        assert "OPEN on L2" in told
        assert told.endswith("too little: send it some")


async def test_transactions_that_are_no_withdrawals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_desk(tmp_path, capsys) as desk:
        unknown = await desk.refusal(run_prove(desk.step_options(Hash32(b"\x01" * 32))))
        assert unknown.endswith("there is no such transaction on L2 (chain 901)")
        payment = await desk.send(desk.l2_url, SECOND.private_key, FRIEND, b"", 1)
        told = await desk.refusal(run_prove(desk.step_options(payment)))
        assert "withdraws nothing: give the transaction of the withdrawal on L2" in told
        on_l1 = await desk.send(desk.l1_url, SECOND.private_key, FRIEND, b"", 1)
        told = await desk.refusal(run_finalize(desk.step_options(on_l1)))
        assert told.endswith("is a transaction of L1: give that of the withdrawal on L2")
        begun = await desk.withdraw(desk.withdraw_options(ETHER))
        step = replace(desk.step_options(begun["l2Transaction"]), wait=False)
        told = await desk.refusal(run_finalize(step))
        assert told.endswith("not proven yet: openrollup bridge prove comes first")
        early = await desk.refusal(run_prove(step))
        assert early.startswith("OperationRefused: too early: the withdrawal waits for an output")

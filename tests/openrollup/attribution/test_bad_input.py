"""Bad input: the contract, the client and the command refuse it by name, and nothing changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attribution.calldata import encode_append
from attribution.client import AttributionClient, receipt_log
from attribution.client.exchange import Operation, Read
from attribution.hub_calls import hub_call
from attribution.receipts import receipt
from attribution.record_json import decode, record_to_json
from attribution.records import Record, encode_records
from attribution.refusals import NotSent, Refused
from attribution.voucher_json import voucher_to_json
from attribution.vouchers import SignedVoucher
from node.genesis.predeploys import ATTRIBUTION_HUB_ADDRESS
from node.types.attribution_call import APPEND, ATTRIBUTION_ADDRESS, words
from node.types.primitives import Address, Hash32
from openrollup.cli import run
from openrollup.testing import Devnet
from tests.openrollup.attribution.terminal import Terminal

OWNER, LOGGER, PAYER, STRANGER = 1, 2, 3, 4
PRICE = 1_000_000
NOBODY = Hash32(b"\x99" * 32)
FAR = 2**40

pytestmark = pytest.mark.devnet(automine=True)


def commitment(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Stage:
    """A model with one dataset and three receipts, a payer with money for five."""

    terminal: Terminal
    clients: dict[int, AttributionClient]
    key: Hash32
    stream: int

    def client(self, who: int) -> AttributionClient:
        return self.clients[who]

    def voucher(self, cumulative: int, expiry: int = FAR, signer: int = PAYER) -> SignedVoucher:
        payer = self.client(PAYER).address
        return self.client(signer).sign_voucher(self.key, cumulative, expiry, payer)

    def voucher_file(self, voucher: SignedVoucher) -> str:
        chain_id = self.client(PAYER).party.chain_id
        return self.terminal.file("voucher.json", voucher_to_json(voucher, chain_id))

    def contract(self, who: int, data: bytes, to: Address = ATTRIBUTION_HUB_ADDRESS) -> str:
        """Return what a contract itself says to a call; web3.py's checks and ours are not asked."""

        def call() -> Operation[bytes]:
            output: bytes = yield Read(to, data)
            return output

        return refused(lambda: self.client(who).carry_out(call()))

    def command(self, who: int | None, command: str, *arguments: object) -> str:
        code, line = self.terminal.refusal(who, command, *arguments)
        assert code == 1
        return line.partition(":")[0]


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as raised:
        call()
    assert "\n" not in str(raised.value)
    name = type(raised.value).__name__
    assert str(raised.value).startswith(f"{name}: ")
    return name


@pytest.fixture
def stage(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    clients = {
        who: AttributionClient(devnet.w3, devnet.accounts[who], sleep=lambda _: devnet.derive())
        for who in (OWNER, LOGGER, PAYER, STRANGER)
    }
    owner = clients[OWNER]
    dataset = owner.register_dataset(bytes(32), "", wait_until_safe=True).id
    model = owner.register_model(
        bytes(32), "", price_gwei=PRICE, owner_bps=0, logger=clients[LOGGER].address
    )
    clients[PAYER].deposit(model.model_key, 5 * PRICE)
    records = [receipt(PRICE, {dataset: 5_000}, commitment(number)) for number in range(3)]
    clients[LOGGER].append(model.model_key, records)
    built = Stage(Terminal(devnet, tmp_path, capsys), clients, model.model_key, model.stream)
    before = devnet.l2.block().header
    yield built
    assert devnet.l2.block().header == before


def test_an_unknown_model(stage: Stage) -> None:
    name = "UnknownModel"
    assert stage.contract(PAYER, hub_call("deposit", NOBODY, bytes(20))) == name
    assert refused(lambda: stage.client(PAYER).deposit(NOBODY, PRICE)) == name
    model = ("--model", "0x" + NOBODY.hex())
    assert stage.command(PAYER, "deposit", *model, "--amount", 1) == name
    assert stage.command(PAYER, "voucher sign", *model, "--cumulative", 1) == name
    assert stage.command(None, "model show", *model) == name


def test_a_wrong_logger(stage: Stage) -> None:
    stranger = stage.client(STRANGER)
    settle = hub_call("settle", stage.key, stranger.address, (), [stage.voucher(1).argument()])
    assert stage.contract(OWNER, settle) == "UnknownLogger"
    records = [receipt(PRICE, {}, commitment(9))]
    assert refused(lambda: stranger.append(stage.key, records)) == "WrongLogger"
    file = stage.terminal.file("records.json", list(map(record_to_json, records)))
    model = ("--model", stage.key.hex())
    assert stage.command(STRANGER, "append", *model, "--file", file) == "WrongLogger"
    vouchers = ("--vouchers", stage.voucher_file(stage.voucher(PRICE)))
    logger = ("--logger", stage.terminal.address(STRANGER))
    assert stage.command(OWNER, "settle", *model, *vouchers, *logger) == "UnknownLogger"


def test_a_logger_that_is_appointed_again(stage: Stage) -> None:
    name, logger = "LoggerAlreadyAppointed", stage.client(LOGGER).address
    assert stage.contract(OWNER, hub_call("appointLogger", stage.key, logger, (1,))) == name
    assert refused(lambda: stage.client(OWNER).appoint_logger(stage.key, logger)) == name
    arguments = ("--model", stage.key.hex(), "--address", stage.terminal.address(LOGGER))
    assert stage.command(OWNER, "model logger", *arguments) == name


@pytest.mark.parametrize(
    ("name", "cumulative", "expiry", "signer"),
    [
        ("WrongSigner", PRICE, FAR, STRANGER),
        ("Expired", PRICE, 1, PAYER),
        ("NothingNew", 0, FAR, PAYER),
        ("VoucherTooLarge", 6 * PRICE, FAR, PAYER),
        ("ReceiptsMissing", 4 * PRICE, FAR, PAYER),
    ],
)
def test_a_voucher_that_cannot_be_charged(
    stage: Stage, name: str, cumulative: int, expiry: int, signer: int
) -> None:
    voucher = stage.voucher(cumulative, expiry, signer)
    logger = stage.client(LOGGER).address
    settle = hub_call("settle", stage.key, logger, (1,), [voucher.argument()])
    assert stage.contract(OWNER, settle) == "NothingCharged"
    client = stage.client(OWNER)
    assert refused(lambda: client.settle(stage.key, [voucher])) == name
    file = stage.voucher_file(voucher)
    arguments = ("--model", stage.key.hex(), "--vouchers", file)
    assert stage.command(OWNER, "settle", *arguments) == name
    if name != "ReceiptsMissing":
        assert refused(lambda: client.check_voucher(voucher)) == name
        assert stage.command(None, "voucher check", file) == name


def test_a_voucher_that_is_soon_worthless(stage: Stage) -> None:
    voucher = stage.voucher(PRICE, int(stage.terminal.devnet.time) + 3_600)
    client = stage.client(OWNER)
    assert client.check_voucher(voucher, 60) == PRICE
    assert refused(lambda: client.check_voucher(voucher, 86_400)) == "ExpiresTooSoon"
    file = stage.voucher_file(voucher)
    assert stage.command(None, "voucher check", file) == "ExpiresTooSoon"


def test_an_escrow_that_is_too_small_to_withdraw_from(stage: Stage) -> None:
    name = "EscrowTooSmall"
    assert stage.contract(PAYER, hub_call("requestWithdrawal", stage.key, 6 * PRICE)) == name
    client = stage.client(PAYER)
    assert refused(lambda: client.request_withdrawal(stage.key, 6 * PRICE)) == name
    arguments = ("--model", stage.key.hex(), "--amount", "1")
    assert stage.command(PAYER, "withdraw request", *arguments) == name


def test_datasets_that_are_left_out(stage: Stage) -> None:
    name, voucher = "DatasetsIncomplete", stage.voucher(PRICE)
    logger = stage.client(LOGGER).address
    settle = hub_call("settle", stage.key, logger, (), [voucher.argument()])
    assert stage.contract(OWNER, settle) == name
    client = stage.client(OWNER)
    assert refused(lambda: client.settle(stage.key, [voucher], datasets=[])) == name
    file = stage.voucher_file(voucher)
    arguments = ("--model", stage.key.hex(), "--vouchers", file, "--datasets", "2,3")
    assert stage.command(OWNER, "settle", *arguments) == name


def test_a_batch_that_no_block_takes(stage: Stage) -> None:
    records = [receipt(PRICE, {}, commitment(number)) for number in range(100, 3_800)]
    client = stage.client(LOGGER)
    assert refused(lambda: client.append(stage.key, records)) == "BatchTooLarge"
    file = stage.terminal.file("records.json", list(map(record_to_json, records)))
    arguments = ("--model", stage.key.hex(), "--file", file, "--from-seq", 3)
    assert stage.command(LOGGER, "append", *arguments) == "BatchTooLarge"
    data = encode_append(stage.stream, 3, records)
    assert len(data) == receipt_log.call_size(records) > receipt_log.MAX_CALL_DATA
    sending = receipt_log.send_batch(stage.stream, 3, tuple(records))

    def send() -> Operation[object]:
        return (yield sending)

    assert refused(lambda: client.carry_out(send())) == "NotSent"


def bad_records() -> dict[str, tuple[bytes, list[dict[str, object]] | None]]:
    """Return encodings that are none, and what describes the same in JSON."""
    good = receipt(PRICE, {}, commitment(8)).encode()
    head, tail = good[:-33], good[-32:]
    many = [(number, 1) for number in range(1, 18)]
    heavy = [(1, 6_000), (2, 5_000)]
    return {
        "truncated": (good[:-1], None),
        "17 influences": (head + bytes([17]) + pairs(many) + tail, in_json(many)),
        "weights over 10,000": (head + bytes([2]) + pairs(heavy) + tail, in_json(heavy)),
    }


def pairs(influences: list[tuple[int, int]]) -> bytes:
    encoded = bytearray()
    for dataset, weight in influences:
        encoded.append(dataset)
        encoded += bytes([weight & 0x7F | 0x80, weight >> 7]) if weight > 0x7F else bytes([weight])
    return bytes(encoded)


def in_json(influences: list[tuple[int, int]]) -> list[dict[str, object]]:
    entries = [{"dataset": dataset, "weight": weight} for dataset, weight in influences]
    return [{"amountGwei": PRICE, "influences": entries, "commitment": "0x" + bytes(32).hex()}]


@pytest.mark.parametrize("kind", sorted(bad_records()))
def test_a_record_that_is_none(stage: Stage, kind: str) -> None:
    encoded, described = bad_records()[kind]
    padding = bytes(-len(encoded) % 32)
    data = APPEND + words(stage.stream, 3, 96, len(encoded)) + encoded + padding
    assert stage.contract(LOGGER, data, ATTRIBUTION_ADDRESS) == "BadRecord"
    assert refused(lambda: decode(encoded)) == "BadRecord"
    if described is not None:
        weights = {1: 6_000, 2: 5_000} if "weights" in kind else dict.fromkeys(range(17), 1)
        assert refused(lambda: receipt(PRICE, weights, bytes(32))) == "BadRecord"
    for content in ("0x" + encoded.hex(), described):
        if content is not None:
            file = stage.terminal.file("records.json", content)
            arguments = ("--model", stage.key.hex(), "--file", file)
            assert stage.command(LOGGER, "append", *arguments) == "BadRecord"


def test_a_dataset_that_does_not_exist(stage: Stage) -> None:
    name, owner = "UnknownDataset", stage.client(OWNER)
    record = hub_call("recordTraining", stage.key, 77, bytes(32))
    assert stage.contract(OWNER, record) == name
    assert refused(lambda: owner.record_training(stage.key, 77, bytes(32))) == name
    model = ("--model", stage.key.hex())
    training = ("--dataset", 77, "--run-hash", bytes(32).hex())
    assert stage.command(OWNER, "train", *model, *training) == name
    records = [receipt(PRICE, {77: 1}, commitment(9))]
    assert refused(lambda: stage.client(LOGGER).append(stage.key, records)) == name
    file = stage.terminal.file("records.json", list(map(record_to_json, records)))
    assert stage.command(LOGGER, "append", *model, "--file", file) == name
    register = ("--model-hash", bytes(32).hex(), "--price", 1, "--owner-bps", 1)
    assert stage.command(OWNER, "model register", *register, "--datasets", "1,77") == name


def test_receipts_that_are_logged_already(stage: Stage) -> None:
    record: Record = receipt(PRICE, {}, commitment(1))
    stream = words(stage.stream, 2, 96, len(record.encode()))
    encoded = encode_records([record])
    data = APPEND + stream + encoded + bytes(-len(encoded) % 32)
    assert stage.contract(LOGGER, data, ATTRIBUTION_ADDRESS) == "BadSequence"
    client = stage.client(LOGGER)
    assert refused(lambda: client.append(stage.key, [record], from_seq=2)) == "BadSequence"
    file = stage.terminal.file("records.json", [record_to_json(record)])
    arguments = ("--model", stage.key.hex(), "--file", file)
    assert stage.command(LOGGER, "append", *arguments) == "AlreadyLogged"
    assert stage.command(LOGGER, "append", *arguments, "--from-seq", 2) == "BadSequence"


def test_nothing_to_claim(stage: Stage) -> None:
    assert stage.contract(STRANGER, hub_call("claim")) == "NothingOwed"
    assert refused(lambda: stage.client(STRANGER).claim()) == "NothingOwed"
    assert stage.command(STRANGER, "claim") == "NothingOwed"
    assert refused(lambda: AttributionClient(stage.client(OWNER).w3).claim()) == "NoKey"


def test_no_withdrawal(stage: Stage) -> None:
    name, client = "NoWithdrawal", stage.client(PAYER)
    model = ("--model", stage.key.hex())
    assert stage.contract(PAYER, hub_call("withdraw", stage.key)) == name
    assert refused(lambda: client.withdraw(stage.key)) == name
    assert refused(lambda: client.request_withdrawal(stage.key, 0)) == name
    assert stage.command(PAYER, "withdraw execute", *model) == name
    assert refused(lambda: stage.client(STRANGER).request_withdrawal(stage.key)) == "EscrowTooSmall"


def test_more_than_the_account_has(stage: Stage) -> None:
    client = stage.client(PAYER)
    with pytest.raises(NotSent, match="insufficient funds"):
        client.deposit(stage.key, 10**9 * 20_000)
    model = ("--model", stage.key.hex())
    code, line = stage.terminal.refusal(PAYER, "deposit", *model, "--amount", 20_000)
    assert (code, line[:8]) == (1, "NotSent:")
    assert line.endswith("OPEN, too little: send it some")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("append --file", "[", "expected JSON"),
        ("append --file", "{}", "records: expected a list of one or more"),
        ("settle --vouchers", "[{}]", "voucher: expected an object with"),
        ("settle --vouchers", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_none(stage: Stage, name: str, content: str | None, message: str) -> None:
    path = stage.terminal.folder / "given.json"
    if content is not None:
        path.write_text(content)
    arguments = (*name.split()[1:], path, "--model", stage.key.hex())
    code, line = stage.terminal.refusal(LOGGER, name.split()[0], *arguments)
    assert (code, message in line) == (2, True)
    assert str(path) in line


def test_a_chain_without_attribution(stage: Stage) -> None:
    l1 = stage.terminal.devnet.l1
    client = AttributionClient(l1.w3, stage.terminal.devnet.accounts[PAYER])
    assert refused(lambda: client.deposit(stage.key, PRICE)) == "AttributionUnavailable"
    assert refused(lambda: client.register_dataset(bytes(32), "")) == "AttributionUnavailable"


def test_nothing_is_sent_on_a_chain_without_attribution(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """L1 has no Hub: the transaction would succeed, cost its fee and do nothing."""
    devnet = stage.terminal.devnet
    stage.terminal.run(OWNER, "claim")  # writes the key's file
    key = str(stage.terminal.folder / f"key-{OWNER}")
    capsys.readouterr()
    assert run(["attribution", "claim", "--rpc", devnet.l1.url, "--key-file", key]) == 1
    assert "NoAttribution: there is no contract at 0x42" in capsys.readouterr().err

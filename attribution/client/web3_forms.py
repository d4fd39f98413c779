"""What web3.py takes and gives, as an operation's requests and answers: the same for both clients.

web3.py has checked the form of an answer; its contents are as the node says.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import FilterParams, TxParams, Wei

from attribution.client.exchange import (
    AskCallData,
    AskLogs,
    BlockTime,
    FoundLog,
    Included,
    Party,
    Read,
    Send,
)
from attribution.refusals import NoAttribution, NoKey, NotSent, Reverted, refusal_of
from attribution.vouchers import SignedVoucher, Voucher, sign_voucher
from node.errors import DecodingError
from node.types.primitives import Address, Hash32, checksum_address, hex_address
from node.types.receipt import Log

# What a call needs may change between the estimate and the block, as when a slot is used first.
_GAS_MARGIN_PERCENT = 25


def signer_of(key: Any) -> LocalAccount | None:
    """Return what signs: of a key (32 bytes, or hexadecimal), or as eth-account has it."""
    if key is None or isinstance(key, LocalAccount):
        return key
    return cast("LocalAccount", Account.from_key(key))


def party_of(signer: LocalAccount | None, chain_id: int) -> Party:
    """Return who acts."""
    return Party(chain_id, None if signer is None else hex_address(signer.address))


def call_params(request: Read, sender: Address | None) -> TxParams:
    """Return an eth_call's transaction."""
    params: dict[str, Any] = {
        "to": checksum_address(request.to),
        "data": "0x" + request.data.hex(),
    }
    if sender is not None:
        params["from"] = checksum_address(sender)
    return cast("TxParams", params)


def require_code(request: Send, code: bytes) -> None:
    """NoAttribution where nothing would answer: what is sent there succeeds, and does nothing."""
    if not code:
        raise NoAttribution(address=checksum_address(request.to))


def send_params(request: Send, party: Party, base_fee: int, tip: int, nonce: int) -> TxParams:
    """Return a transaction but for its gas limit; fees are in wei."""
    return {
        "from": checksum_address(party.address),
        "to": checksum_address(request.to),
        "data": cast("Any", "0x" + request.data.hex()),
        "value": Wei(request.value),
        "chainId": party.chain_id,
        "nonce": cast("Any", nonce),
        "maxFeePerGas": Wei(2 * base_fee + tip),
        "maxPriorityFeePerGas": Wei(tip),
    }


def with_gas(params: TxParams, estimate: int) -> TxParams:
    """Return the transaction with a gas limit above the estimate."""
    gas = estimate + estimate * _GAS_MARGIN_PERCENT // 100
    return cast("TxParams", {**params, "gas": gas})


def log_params(request: AskLogs) -> FilterParams:
    """Return an eth_getLogs filter."""
    topics = [None if topic is None else "0x" + topic.hex() for topic in request.topics]
    params: Any = {
        "address": checksum_address(request.address),
        "topics": topics,
        "fromBlock": request.first,
        "toBlock": request.last,
    }
    return cast("FilterParams", params)


def found_log(entry: Mapping[str, Any]) -> FoundLog:
    """Read an entry of an answer of eth_getLogs."""
    return FoundLog(_log(entry), entry["blockNumber"], Hash32(bytes(entry["transactionHash"])))


def included(receipt: Mapping[str, Any]) -> Included:
    """Read a receipt; Reverted if its transaction failed."""
    transaction = Hash32(bytes(receipt["transactionHash"]))
    if receipt["status"] != 1:
        raise Reverted(transaction=transaction, block=receipt["blockNumber"])
    logs: Sequence[Mapping[str, Any]] = receipt["logs"]
    return Included(transaction, receipt["blockNumber"], receipt["gasUsed"], tuple(map(_log, logs)))


def block_time(block: Mapping[str, Any]) -> BlockTime:
    """Read a block."""
    return BlockTime(block["number"], block["timestamp"])


@contextmanager
def refusals() -> Iterator[None]:
    """Raise a refusal of our contracts by its name; others' pass as they are."""
    try:
        yield
    except ContractLogicError as error:
        data = error.data.get("data") if isinstance(error.data, Mapping) else error.data
        try:
            raw = bytes.fromhex(data[2:]) if isinstance(data, str) else b""
        except ValueError as problem:
            raise DecodingError(f"revert data: expected hexadecimal, got {data!r:.80}") from problem
        known = refusal_of(raw)
        if known is None:
            raise
        raise known from error


@contextmanager
def reasons() -> Iterator[None]:
    """Raise why a transaction failed, if our contracts tell; else `included` says that it did."""
    with suppress(ContractLogicError, Web3RPCError), refusals():
        yield


@contextmanager
def sending() -> Iterator[None]:
    """Raise what a node refuses to send by the contract's name, else as NotSent."""
    try:
        with refusals():
            yield
    except (ContractLogicError, Web3RPCError) as error:
        raise NotSent(str(error.message or error)) from error


def signed(signer: LocalAccount | None, params: TxParams) -> bytes:
    """Return a transaction's bytes, signed; NoKey if there is none to sign with."""
    if signer is None:
        raise NoKey
    return bytes(signer.sign_transaction(cast("Any", params)).raw_transaction)


def signed_voucher(
    signer: LocalAccount | None,
    party: Party,
    model_key: bytes,
    cumulative_gwei: int,
    expiry: int,
    payer: bytes | None,
) -> SignedVoucher:
    """Return a voucher of the account, or of a contract that named it; NoKey without a key."""
    if signer is None:
        raise NoKey
    who = party.address if payer is None else Address(payer)
    voucher = Voucher(who, Hash32(model_key), cumulative_gwei, expiry)
    return sign_voucher(bytes(signer.key), voucher, party.chain_id)


def web3_address(address: Address) -> ChecksumAddress:
    """Return an address as web3.py wants it."""
    return cast("ChecksumAddress", checksum_address(address))


def hash_of(request: AskCallData) -> HexBytes:
    """Return a transaction's hash."""
    return HexBytes(request.transaction)


def _log(entry: Mapping[str, Any]) -> Log:
    return Log(
        hex_address(entry["address"]),
        tuple(Hash32(bytes(topic)) for topic in entry["topics"]),
        bytes(entry["data"]),
    )

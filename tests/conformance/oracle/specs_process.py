"""The oracle's end: executes cases by the Python execution specs (fork Prague).

Runs as a script in an environment of its own, which has none of this project's packages. One case
a line on stdin, one answer a line on stdout, both JSON; see `case.py` for the fields.
"""

# mypy: disable-error-code="import-not-found"

import json
import sys
import traceback
from typing import Any

from ethereum.exceptions import EthereumException
from ethereum.forks.prague import fork, vm
from ethereum.forks.prague.blocks import Header, Withdrawal, decode_receipt
from ethereum.forks.prague.bloom import logs_bloom
from ethereum.forks.prague.fork_types import Account, Address
from ethereum.forks.prague.requests import compute_requests_hash
from ethereum.forks.prague.state import (
    State,
    get_account_optional,
    set_account,
    set_storage,
    state_root,
    storage_root,
)
from ethereum.forks.prague.transactions import LegacyTransaction, decode_transaction
from ethereum.forks.prague.trie import root, trie_get, trie_set
from ethereum.forks.prague.vm.gas import calculate_excess_blob_gas
from ethereum_rlp import rlp
from ethereum_rlp.exceptions import RLPException
from ethereum_types.bytes import Bytes, Bytes8, Bytes32, Bytes256
from ethereum_types.numeric import U64, U256, Uint


def main() -> None:
    """Answer until the input ends. A crash of the specs is an answer, too."""
    for line in sys.stdin:
        try:
            answer = _execute(json.loads(line))
        except Exception:  # noqa: BLE001 - told to whoever asked
            answer = {"crash": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


def _execute(case: dict[str, Any]) -> dict[str, Any]:
    state = _state(case["pre"])
    answer: dict[str, Any] = {"pre_root": state_root(state).hex(), "transactions": []}
    environment = _environment(case, state)
    output = vm.BlockOutput()
    for target, data in (
        (fork.BEACON_ROOTS_ADDRESS, environment.parent_beacon_block_root),
        (fork.HISTORY_STORAGE_ADDRESS, environment.block_hashes[-1]),
    ):
        fork.process_unchecked_system_transaction(environment, target, data)
    for raw in case["transactions"]:
        answer["transactions"].append(_apply(environment, output, bytes.fromhex(raw)))
    withdrawals = tuple(
        Withdrawal(U64(index), U64(validator), _address(address), U256(amount))
        for index, validator, address, amount in case["withdrawals"]
    )
    fork.process_withdrawals(environment, output, withdrawals)
    try:
        fork.process_general_purpose_requests(environment, output)
    except EthereumException as error:
        answer["block"] = {"invalid": repr(error)}
    else:
        answer["block"] = _header(environment, output)
    if case.get("wants_state"):
        answer["state"] = _dump(state, case["wants_state"])
    return answer


def _apply(environment: Any, output: Any, raw: bytes) -> dict[str, Any]:
    """Make a transaction the block's next, or say why it cannot be."""
    index = Uint(len(output.receipt_keys))
    try:
        if raw[:1] >= b"\xc0":
            tx = rlp.decode_to(LegacyTransaction, Bytes(raw))
        else:
            tx = decode_transaction(Bytes(raw))
        before = output.block_gas_used
        fork.process_transaction(environment, output, tx, index)
    except (EthereumException, RLPException) as error:
        trie_set(output.transactions_trie, rlp.encode(index), None)
        return {"invalid": repr(error)}
    receipt = decode_receipt(trie_get(output.receipts_trie, rlp.encode(index)))
    return {
        "status": int(receipt.succeeded),
        "gas_used": int(output.block_gas_used - before),
        "logs": [
            [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()]
            for log in receipt.logs
        ],
    }


def _header(environment: Any, output: Any) -> dict[str, Any]:
    return {
        "gas_used": int(output.block_gas_used),
        "state_root": state_root(environment.state).hex(),
        "transactions_root": root(output.transactions_trie).hex(),
        "receipts_root": root(output.receipts_trie).hex(),
        "withdrawals_root": root(output.withdrawals_trie).hex(),
        "bloom": logs_bloom(output.block_logs).hex(),
        "requests_hash": compute_requests_hash(output.requests).hex(),
        "blob_gas_used": int(output.blob_gas_used),
        "excess_blob_gas": int(environment.excess_blob_gas),
        "base_fee": int(environment.base_fee_per_gas),
    }


def _environment(case: dict[str, Any], state: State) -> Any:
    parent = _parent(case)
    return vm.BlockEnvironment(
        chain_id=U64(case["chain_id"]),
        state=state,
        block_gas_limit=Uint(case["gas_limit"]),
        block_hashes=[Bytes32(bytes.fromhex(text)) for text in case["block_hashes"]],
        coinbase=_address(case["coinbase"]),
        number=parent.number + Uint(1),
        base_fee_per_gas=fork.calculate_base_fee_per_gas(
            parent.gas_limit, parent.gas_limit, parent.gas_used, parent.base_fee_per_gas
        ),
        time=parent.timestamp + U256(case["block_time"]),
        prev_randao=Bytes32(bytes.fromhex(case["prev_randao"])),
        excess_blob_gas=calculate_excess_blob_gas(parent),
        parent_beacon_block_root=Bytes32(bytes.fromhex(case["beacon_root"])),
    )


def _parent(case: dict[str, Any]) -> Header:
    fields, zeros = case["parent"], Bytes32(bytes(32))
    return Header(
        parent_hash=zeros,
        ommers_hash=zeros,
        coinbase=Address(bytes(20)),
        state_root=zeros,
        transactions_root=zeros,
        receipt_root=zeros,
        bloom=Bytes256(bytes(256)),
        difficulty=Uint(0),
        number=Uint(fields["number"]),
        gas_limit=Uint(case["gas_limit"]),
        gas_used=Uint(fields["gas_used"]),
        timestamp=U256(fields["timestamp"]),
        extra_data=Bytes(b""),
        prev_randao=zeros,
        nonce=Bytes8(bytes(8)),
        base_fee_per_gas=Uint(fields["base_fee"]),
        withdrawals_root=zeros,
        blob_gas_used=U64(fields["blob_gas_used"]),
        excess_blob_gas=U64(fields["excess_blob_gas"]),
        parent_beacon_block_root=zeros,
        requests_hash=zeros,
    )


def _state(alloc: dict[str, Any]) -> State:
    state = State()
    for key, fields in alloc.items():
        address = _address(key)
        account = Account(
            nonce=Uint(fields["nonce"]),
            balance=U256(fields["balance"]),
            code=Bytes(bytes.fromhex(fields["code"])),
        )
        set_account(state, address, account)
        for slot, value in fields["storage"].items():
            set_storage(state, address, U256(int(slot)).to_be_bytes32(), U256(value))
    return state


def _dump(state: State, addresses: list[str]) -> dict[str, Any]:
    """Return what accounts have come to; None for those that do not exist."""
    dump: dict[str, Any] = {}
    for key in addresses:
        account = get_account_optional(state, _address(key))
        dump[key] = account and {
            "nonce": int(account.nonce),
            "balance": int(account.balance),
            "code": account.code.hex(),
            "storage_root": storage_root(state, _address(key)).hex(),
        }
    return dump


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text))


if __name__ == "__main__":
    main()

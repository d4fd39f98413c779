"""Our end: executes a case with the node's block execution, and answers as the oracle does."""

from typing import Any

from node.errors import DecodingError, InvalidBlock, InvalidTransaction
from node.evm.rules import Interpreter
from node.execution.transition import BlockExecution
from node.state.view import StateChanges
from node.types.block import Header, Withdrawal
from node.types.payload import PayloadAttributes
from node.types.primitives import EMPTY_TRIE_ROOT, Address, BlockNumber, Hash32
from node.types.receipt import Receipt
from node.types.transaction import decode_signed_transaction
from tests.conformance.oracle.case import CONFIG, Case, ancestor_hash
from tests.node.execution.memory_chain import StateStore


class CaseExecution:
    """A case on its state. `answer` has the keys of the oracle's answer."""

    def __init__(self, case: Case, interpreter: Interpreter) -> None:
        self._case = case
        self._interpreter = interpreter
        self._store = StateStore()
        self.parent = case.parent_header(self._place())
        self.changes: StateChanges | None = None

    def answer(self) -> dict[str, Any]:
        """Execute the block."""
        execution = BlockExecution(
            CONFIG,
            self.parent,
            self._attributes(),
            self._store.view(self.parent.state_root),
            self._block_hash,
            self._interpreter,
        )
        answer: dict[str, Any] = {
            "pre_root": self.parent.state_root.hex(),
            "transactions": [_apply(execution, raw) for raw in self._case.transactions],
        }
        try:
            executed = execution.seal()
        except InvalidBlock as error:
            answer["block"] = {"invalid": str(error)}
        else:
            self.changes = executed.changes
            self._store.add(executed.changes)
            answer["block"] = _header(executed.block.header)
        return answer

    def state(self, addresses: list[Address]) -> dict[str, Any]:
        """Return what accounts have come to, once a valid block has been executed."""
        assert self.changes is not None
        view = self._store.view(self.changes.state_root)
        dump: dict[str, Any] = {}
        for address in addresses:
            account = view.account(address)
            dump[address.hex()] = account and {
                "nonce": account.nonce,
                "balance": account.balance,
                "code": view.code(account.code_hash).hex(),
                "storage_root": account.storage_root.hex(),
            }
        return dump

    def _place(self) -> Hash32:
        world = self._store.world()
        for address, account in self._case.pre.items():
            world.set_balance(address, account.balance)
            world.set_nonce(address, account.nonce)
            if account.code:
                world.set_code(address, account.code)
            for slot, value in account.storage.items():
                world.set_storage(address, slot, value)
        world.end_transaction()
        return self._store.add(world.changes()) if self._case.pre else EMPTY_TRIE_ROOT

    def _attributes(self) -> PayloadAttributes:
        case = self._case
        return PayloadAttributes(
            timestamp=case.parent.timestamp + case.block_time,
            prev_randao=case.prev_randao,
            fee_recipient=case.coinbase,
            parent_beacon_block_root=case.beacon_root,
            gas_limit=case.gas_limit,
            extra_data=b"",
            withdrawals=tuple(Withdrawal(*fields) for fields in case.withdrawals),
        )

    def _block_hash(self, number: BlockNumber) -> Hash32:
        return self.parent.hash if number == self.parent.number else ancestor_hash(number)


def _apply(execution: BlockExecution, raw: bytes) -> dict[str, Any]:
    try:
        receipt = execution.apply(decode_signed_transaction(raw))
    except (InvalidTransaction, DecodingError) as error:
        return {"invalid": str(error)}
    return _outcome(receipt)


def _outcome(receipt: Receipt) -> dict[str, Any]:
    return {
        "status": receipt.status,
        "gas_used": receipt.gas_used,
        "logs": [
            [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()]
            for log in receipt.logs
        ],
    }


def _header(header: Header) -> dict[str, Any]:
    assert header.requests_hash is not None
    return {
        "gas_used": header.gas_used,
        "state_root": header.state_root.hex(),
        "transactions_root": header.transactions_root.hex(),
        "receipts_root": header.receipts_root.hex(),
        "withdrawals_root": header.withdrawals_root.hex(),
        "bloom": header.bloom.hex(),
        "requests_hash": header.requests_hash.hex(),
        "blob_gas_used": header.blob_gas_used,
        "excess_blob_gas": header.excess_blob_gas,
        "base_fee": header.base_fee,
    }

"""What one frame is asked to do, for either interpreter."""

from typing import NamedTuple

from eth.vm.message import Message

from node.types.primitives import Address


class CallMessage(NamedTuple):
    """A call, or a creation with `code` as its init code.

    `address` is the account whose state it changes, `code_address` the one that the code is of.
    `transfers_value` is False where `value` is only shown (DELEGATECALL). A call by way of a
    delegation (EIP-7702) does not run a precompile.
    """

    address: Address
    code_address: Address
    caller: Address
    value: int
    data: bytes
    code: bytes
    gas: int
    depth: int = 0
    creates: bool = False
    transfers_value: bool = True
    is_static: bool = False
    is_delegation: bool = False

    # What py-evm's messages call the same, for precompiles.

    @property
    def storage_address(self) -> Address:
        """`address`."""
        return self.address

    @property
    def sender(self) -> Address:
        """`caller`."""
        return self.caller

    @property
    def data_as_bytes(self) -> bytes:
        """`data`."""
        return self.data

    def to_py_evm(self) -> Message:
        """Return the same as py-evm has it."""
        return Message(
            gas=self.gas,
            to=b"" if self.creates else self.address,
            sender=self.caller,
            value=self.value,
            data=self.data,
            code=self.code,
            depth=self.depth,
            create_address=self.address if self.creates else None,
            code_address=None if self.creates else self.code_address,
            should_transfer_value=self.transfers_value,
            is_static=self.is_static,
            is_delegation=self.is_delegation,
        )

"""What one frame is asked to do, for either interpreter."""

from typing import NamedTuple

from eth.vm.message import Message

from node.types.primitives import Address


class CallMessage(NamedTuple):
    """A call, or a creation with `code` as its init code.

    `address` is the account whose state it changes, `code_address` the one that the code is of.
    `transfers_value` is False where `value` is only shown (DELEGATECALL). A call by way of a
    delegation (EIP-7702) does not run a precompile. `data` may be a view of the caller's memory,
    which stays as it is while the call runs.
    """

    address: Address
    code_address: Address
    caller: Address
    value: int
    data: bytes | memoryview
    code: bytes
    gas: int
    depth: int = 0
    creates: bool = False
    transfers_value: bool = True
    is_static: bool = False
    is_delegation: bool = False

    # What precompiles ask for, by the names that py-evm's messages have.

    @property
    def storage_address(self) -> Address:
        """The account that is called."""
        return self.address

    @property
    def sender(self) -> Address:
        """Who calls."""
        return self.caller

    @property
    def data_as_bytes(self) -> bytes:
        """A copy of the data, if it is a view."""
        return bytes(self.data)

    def release_data(self) -> None:
        """Give up the view of the caller's memory, if there is one: while it is held, that memory
        cannot grow.
        """
        if type(self.data) is memoryview:
            self.data.release()

    def to_py_evm(self) -> Message:
        """Return the same as py-evm has it."""
        return Message(
            gas=self.gas,
            to=b"" if self.creates else self.address,
            sender=self.caller,
            value=self.value,
            data=self.data_as_bytes,
            code=self.code,
            depth=self.depth,
            create_address=self.address if self.creates else None,
            code_address=None if self.creates else self.code_address,
            should_transfer_value=self.transfers_value,
            is_static=self.is_static,
            is_delegation=self.is_delegation,
        )

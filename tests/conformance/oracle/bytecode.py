"""An assembler for the random programs: opcodes by name, labels, and data behind the code."""

from typing import Final

_NAMES: Final = {
    0x00: "STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND",
    0x10: "LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR",
    0x20: "KECCAK256",
    0x30: "ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE "
    "CODECOPY GASPRICE EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH",
    0x40: "BLOCKHASH COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE "
    "BLOBHASH BLOBBASEFEE",
    0x50: "POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE "
    "MCOPY PUSH0",
    0xA0: "LOG0 LOG1 LOG2 LOG3 LOG4",
    0xF0: "CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2",
    0xFA: "STATICCALL",
    0xFD: "REVERT INVALID SELFDESTRUCT",
}
OPCODES: Final = {
    name: first + index
    for first, names in _NAMES.items()
    for index, name in enumerate(names.split())
}
_PUSH1, _DUP1, _SWAP1 = 0x60, 0x80, 0x90


class Bytecode:
    """Code in the making. Offsets are two bytes, so it is for code below 64 KiB."""

    def __init__(self) -> None:
        self._code = bytearray()
        self._labels: dict[int, int] = {}
        self._jumps: list[tuple[int, int]] = []
        self._blobs: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._code)

    def op(self, *names: str) -> None:
        """Append opcodes."""
        self._code += bytes(OPCODES[name] for name in names)

    def raw(self, code: bytes) -> None:
        """Append bytes as they are."""
        self._code += code

    def push(self, *values: int) -> None:
        """Append pushes, so that the last value is on top."""
        for value in values:
            size = max(1, (value.bit_length() + 7) // 8)
            self._code += bytes([_PUSH1 + size - 1]) + value.to_bytes(size, "big")

    def call(self, name: str, *arguments: int) -> None:
        """Append an opcode with constant arguments, given in the order of its stack, top first."""
        self.push(*reversed(arguments))
        self.op(name)

    def dup(self, depth: int) -> None:
        """Append DUP1 to DUP16."""
        self._code.append(_DUP1 + depth - 1)

    def swap(self, depth: int) -> None:
        """Append SWAP1 to SWAP16."""
        self._code.append(_SWAP1 + depth - 1)

    def new_label(self) -> int:
        """Return a label that is still nowhere."""
        label = len(self._labels)
        self._labels[label] = 0
        return label

    def push_label(self, label: int) -> None:
        """Push where a label is or will be."""
        self._jumps.append((len(self._code) + 1, label))
        self._code += b"\x61\x00\x00"

    def place(self, label: int) -> None:
        """Append the JUMPDEST of a label."""
        self._labels[label] = len(self._code)
        self.op("JUMPDEST")

    def load(self, blob: bytes, memory_at: int) -> None:
        """Copy data from behind the code to memory."""
        self.push(len(blob))
        self._blobs.append((len(self._code) + 1, blob))
        self._code += b"\x61\x00\x00"
        self.push(memory_at)
        self.op("CODECOPY")

    def assemble(self) -> bytes:
        """Return the code with its data; a STOP is between them."""
        code = bytearray(self._code)
        for at, label in self._jumps:
            code[at : at + 2] = self._labels[label].to_bytes(2, "big")
        if self._blobs:
            code.append(OPCODES["STOP"])
        for at, blob in self._blobs:
            code[at : at + 2] = len(code).to_bytes(2, "big")
            code += blob
        return bytes(code)


def init_code(runtime: bytes) -> bytes:
    """Return code that deploys `runtime`."""
    code = Bytecode()
    code.load(runtime, 0)
    code.call("RETURN", 0, len(runtime))
    return code.assemble()

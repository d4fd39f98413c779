"""The reason that a revert carries, as Solidity encodes it: Error(string) or Panic(uint256)."""

from node.evm.interpreter import REVERTED

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")

_PANICS = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


def revert_message(data: bytes) -> str:
    """Return "execution reverted", with the reason behind a colon if `data` holds one."""
    reason = _reason(data)
    return REVERTED if reason is None else f"{REVERTED}: {reason}"


def _reason(data: bytes) -> str | None:
    arguments = data[4:]
    if data[:4] == _PANIC and len(arguments) >= 32:
        code = int.from_bytes(arguments[:32], "big")
        return _PANICS.get(code, f"unknown panic code: {code:#x}")
    if data[:4] != _ERROR:
        return None
    start = int.from_bytes(arguments[:32], "big") + 32
    length = int.from_bytes(arguments[start - 32 : start], "big")
    if len(arguments) < 64 or start + length > len(arguments):
        return None
    return arguments[start : start + length].decode("utf-8", "replace")

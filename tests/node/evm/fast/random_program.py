"""Random bytecode that mostly runs: stacks are filled, jumps lead somewhere, memory is small."""

from random import Random

from node.evm.fast.opcode_table import DEFINED, STACK_EFFECTS
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address
from tests.node.evm.fast.snippets import IDIOMS, SMALL_INIT_CODES, heights

CONTRACTS = tuple(Address(bytes([0xC0 + index]) * 20) for index in range(4))
DELEGATED = Address(b"\xde" * 20)
"""An account whose code is that of another one (EIP-7702)."""
DELEGATED_AGAIN = Address(b"\xdf" * 20)
"""An account that is delegated to one that may be delegated itself."""
NOBODY = Address(b"\xee" * 20)
_PRECOMPILES = tuple(
    Address(number.to_bytes(20, "big")) for number in (*range(1, 0x12), 0x100, 1, 2, 3, 4, 4, 5)
)

_WORDS = tuple(
    word
    for bits in (0, 1, 5, 8, 16, 64, 128, 160, 255, 256)
    for word in (2**bits - 1, 2**bits, 2**bits + 1)
    if word < 2**256
)
_JUMPS = frozenset(bytes.fromhex("56 57 5b"))
_ENDS = frozenset(bytes.fromhex("00 f3 fd ff"))
_CALLS = bytes.fromhex("f1 f1 f2 f4 fa")
_PLAIN = tuple(sorted(DEFINED - _JUMPS - _ENDS - frozenset(bytes.fromhex("f0 f1 f2 f4 f5 fa"))))
# Memory ranges among their operands, the top being 0.
_RANGES = {
    **dict.fromkeys(bytes.fromhex("20 51 52 53 a0 a1 a2 a3 a4 f3 fd"), 2),
    **dict.fromkeys(bytes.fromhex("37 39 3e 5e"), 3),
    0x3C: 4,
}


class RandomProgram:
    """Writes one program."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._code = bytearray()
        self._height = 0
        self._open_jumps: list[int] = []

    def write(self) -> bytes:
        """Return a program; most end with a STOP or RETURN, if they get there."""
        rng = self._rng
        if rng.random() < 0.02:  # a stack that is nearly full
            self._code += b"\x5f" * rng.randrange(990, 1025)
        statements = (
            (30, self._plain),
            (12, self._storage),
            (6, self._idiom),
            (6, self._call),
            (1, self._forward),
            (2, self._create),
            (4, self._jump),
            (4, self._land),
            (1, self._loop),
            (1, self._end),
            (1, self._anything),
        )
        kinds = [kind for _, kind in statements]
        weights = [weight for weight, _ in statements]
        for kind in rng.choices(kinds, weights, k=rng.randrange(2, 40)):
            kind()
        self._land()
        if rng.random() < 0.6:
            self._push(rng.randrange(70))
            self._push(rng.randrange(40))
            self._code.append(rng.choice((0xF3, 0xF3, 0xFD)))
        return bytes(self._code)

    def _push(self, value: int) -> None:
        size = max((value.bit_length() + 7) // 8, self._rng.choice((0, 1)))
        self._code.append(0x5F + size)
        self._code += value.to_bytes(size, "big")
        self._height += 1

    def _word(self) -> int:
        choice = self._rng.random()
        if choice < 0.4:
            return self._rng.randrange(4)
        if choice < 0.6:
            return self._rng.choice(_WORDS)
        if choice < 0.8:
            return int.from_bytes(self._account(), "big")
        return self._rng.getrandbits(self._rng.choice((8, 16, 64, 256)))

    def _account(self) -> Address:
        choice = self._rng.random()
        if choice < 0.6:
            return self._rng.choice(CONTRACTS)
        if choice < 0.85:
            return self._rng.choice(
                (DELEGATED, DELEGATED_AGAIN, NOBODY, Address(self._rng.randbytes(20)))
            )
        return self._rng.choice((*_PRECOMPILES, ATTRIBUTION_ADDRESS, ATTRIBUTION_ADDRESS))

    def _place(self) -> int:
        if self._rng.random() < 0.97:
            return self._rng.choice((0, 0, 1, 4, 31, 32, 33, 64, 100, 500))
        return self._rng.choice((5_000, 2**17, 2**32, 2**64, 2**256 - 1))

    def _op(self, opcode: int) -> None:
        """Append an opcode whose operands are there."""
        taken, given = STACK_EFFECTS[opcode]
        self._code.append(opcode)
        self._height += given - taken

    def _plain(self) -> None:
        opcode = self._rng.choice(_PLAIN)
        if 0x60 <= opcode <= 0x7F:
            self._push(self._word())
            return
        taken = STACK_EFFECTS[opcode][0]
        ranges = _RANGES.get(opcode, 0)
        if self._rng.random() < 0.98:
            while self._height < taken or (ranges and self._rng.random() < 0.2):
                self._push(self._word())
            for _ in range(ranges):
                self._push(self._place())
        self._op(opcode)
        if self._height > 20:
            self._op(0x50)

    def _storage(self) -> None:
        opcode = self._rng.choice((0x54, 0x55, 0x55, 0x55, 0x5C, 0x5D))
        if opcode in (0x55, 0x5D):
            self._push(self._rng.randrange(3) if self._rng.random() < 0.8 else self._word())
        self._push(self._rng.randrange(4) if self._rng.random() < 0.9 else self._word())
        self._op(opcode)

    def _idiom(self) -> None:
        code = self._rng.choice(IDIOMS)
        needed, height = heights(code)
        while self._height < needed:
            self._push(self._word())
        self._code += code
        self._height += height

    def _call(self) -> None:
        for _ in range(2):
            self._push(self._size())
            self._push(self._place() if self._rng.random() < 0.5 else 0)
        self._finish_call()

    def _forward(self) -> None:
        """Call somebody with the data that this was called with."""
        self._op(0x36)
        self._push(0)
        self._push(0)
        self._op(0x37)
        self._push(32)
        self._push(0)
        self._op(0x36)
        self._push(0)
        self._finish_call()

    def _size(self) -> int:
        """Return the size of a call's data or result; from 4,097 on data is not copied."""
        if self._rng.random() < 0.1:
            return self._rng.choice((4_096, 4_097, 6_000))
        return self._place() if self._rng.random() < 0.5 else 0

    def _finish_call(self) -> None:
        """Append a call whose data and result ranges have been pushed."""
        opcode = self._rng.choice(_CALLS)
        if opcode in (0xF1, 0xF2):
            self._push(self._rng.choice((0, 0, 0, 1, 1, 7, 10**9, 2**200)))
        if self._rng.random() < 0.1:
            self._op(0x30)
        else:
            self._push(int.from_bytes(self._account(), "big"))
        if self._rng.random() < 0.5:
            self._op(0x5A)
        else:
            self._push(self._rng.choice((0, 1, 2_300, 5_000, 30_000, 2**256 - 1)))
        self._op(opcode)
        if self._rng.random() < 0.3:
            self._op(0x3D)
            if self._rng.random() < 0.5:
                self._push(0)
                self._push(self._place())
                self._op(0x3E)

    def _create(self) -> None:
        opcode, rng = self._rng.choice((0xF0, 0xF5)), self._rng
        if rng.random() < 0.2:  # its own code as init code
            self._op(0x38)
            self._push(0)
            self._push(0)
            self._op(0x39)
            size, start = rng.randrange(64), 0
        else:
            code = rng.choice(SMALL_INIT_CODES)
            self._push(int.from_bytes(code, "big"))
            self._push(0)
            self._op(0x52)
            size, start = len(code), 32 - len(code)
        if opcode == 0xF5:
            self._push(rng.randrange(2))
        self._push(size if rng.random() < 0.95 else rng.choice((0, 49_152, 49_153)))
        self._push(start)
        self._push(rng.choice((0, 0, 0, 1, 10**19)))
        self._op(opcode)
        if rng.random() < 0.4:  # call what has been created
            for _ in range(5):
                self._push(0)
            self._op(0x85)
            self._op(0x5A)
            self._op(0xF1)

    def _jump(self) -> None:
        opcode = self._rng.choice((0x56, 0x57, 0x57, 0x57))
        if opcode == 0x57:
            if self._height == 0 or self._rng.random() < 0.5:
                self._push(self._word())
            if self._rng.random() < 0.4:
                self._op(0x15)
        if self._rng.random() < 0.04:
            self._push(self._rng.choice((0, len(self._code), 2**70, self._nowhere())))
        else:
            self._open_jumps.append(len(self._code) + 1)
            self._code += b"\x61\x00\x00"
            self._height += 1
        if self._rng.random() < 0.2:  # a jump whose destination is not the operand just pushed
            self._push(0)
            self._op(0x01)
        self._op(opcode)

    def _nowhere(self) -> int:
        """Return a place that has been written, mostly none to jump to: back means a loop."""
        position = self._rng.randrange(len(self._code) + 1)
        is_label = self._code[position : position + 1] == b"\x5b"
        return position if not is_label or self._rng.random() < 0.1 else position + 1

    def _land(self) -> None:
        """Let jumps that are still open lead here."""
        for at in self._open_jumps:
            self._code[at : at + 2] = len(self._code).to_bytes(2, "big")
        self._open_jumps.clear()
        self._op(0x5B)

    def _loop(self) -> None:
        self._push(self._rng.randrange(1, 8))
        start = len(self._code)
        self._op(0x5B)
        self._storage()
        self._code += b"\x5f\x50"
        if self._code[-3] in (0x54, 0x5C):
            self._op(0x50)
        self._push(1)
        self._op(0x90)
        self._op(0x03)
        self._op(0x80)
        self._code += b"\x61" + start.to_bytes(2, "big")
        self._height += 1
        self._op(0x57)

    def _end(self) -> None:
        if self._rng.random() < 0.5:
            return
        opcode = self._rng.choice((0x00, 0xF3, 0xFD, 0xFF, 0xFE))
        skip = len(self._code)
        self._code += b"\x61\x00\x00"
        self._open_jumps.append(skip + 1)
        self._code += b"\x57" if self._height else b"\x50"
        self._height = max(self._height - 1, 0)
        if opcode == 0xFF:
            self._push(int.from_bytes(self._account(), "big"))
        elif opcode in (0xF3, 0xFD):
            self._push(self._place())
            self._push(self._place())
        self._code.append(opcode)

    def _anything(self) -> None:
        if self._rng.random() < 0.4:
            self._code += self._rng.randbytes(self._rng.randrange(1, 4))

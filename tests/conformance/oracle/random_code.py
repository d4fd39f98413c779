"""Random programs that mostly make sense: what they compute ends up in storage, memory and logs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from node.types.primitives import Address
from tests.conformance.oracle.bytecode import Bytecode, init_code
from tests.conformance.oracle.random_inputs import FAST, precompile_input

_UNARY = ("NOT", "ISZERO", "BALANCE", "EXTCODESIZE", "EXTCODEHASH", "BLOCKHASH", "BLOBHASH")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_BINARY = _names(
    "ADD MUL SUB DIV SDIV MOD SMOD EXP SIGNEXTEND LT GT SLT SGT EQ AND OR XOR BYTE SHL SHR SAR"
)
_NULLARY = _names(
    "ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE RETURNDATASIZE COINBASE "
    "TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBBASEFEE PC MSIZE GAS "
    "PUSH0"
)
_EDGES = tuple(
    value % 2**256
    for bits in (0, 1, 5, 7, 8, 16, 31, 32, 64, 128, 160, 254, 255, 256)
    for value in (2**bits - 2, 2**bits - 1, 2**bits, 2**bits + 1)
)
_CALLS = ("CALL", "CALL", "CALLCODE", "DELEGATECALL", "STATICCALL")


@dataclass(frozen=True, slots=True)
class Setting:
    """The addresses of a case, for programs and transactions to meet at."""

    contracts: tuple[Address, ...]
    accounts: tuple[Address, ...]
    others: tuple[Address, ...]
    block_number: int
    timestamp: int

    def any_address(self, rng: Random) -> Address:
        """Return an address of any kind; a contract half of the time."""
        choice = rng.random()
        if choice < 0.5:
            return rng.choice(self.contracts)
        if choice < 0.7:
            return rng.choice(self.accounts)
        if choice < 0.85:
            return rng.choice(self.others)
        return Address(rng.choice(FAST).to_bytes(20, "big"))


class RandomCode:
    """Writes one program. `depth` bounds the programs inside: init code and what it deploys."""

    def __init__(self, rng: Random, setting: Setting, depth: int = 2) -> None:
        self._rng = rng
        self._setting = setting
        self._depth = depth
        self._code = Bytecode()
        self._statements: tuple[tuple[int, Callable[[], None]], ...] = (
            (16, self._calculate),
            (16, self._store),
            (2, self._ask_for_ancestor),
            (6, self._transient),
            (8, self._memory),
            (8, self._copy),
            (12, self._hash_or_log),
            (18, self._call),
            (4, self._call_precompile),
            (4, self._call_system_contract),
            (7, self._create if depth else self._store),
            (6, self._branch),
            (2, self._loop),
            (2, self._end),
            (1, self._stray),
        )

    def write(self, statements: int) -> bytes:
        """Return a program of about this many statements."""
        kinds = [kind for _, kind in self._statements]
        weights = [weight for weight, _ in self._statements]
        for kind in self._rng.choices(kinds, weights, k=statements):
            kind()
        if self._rng.random() < 0.5:  # all of memory has an effect
            self._code.op("MSIZE")
            self._code.call("KECCAK256", 0)
            self._code.push(self._slot())
            self._code.op("SSTORE")
        if self._rng.random() < 0.8:
            self._finish()
        return self._code.assemble()

    # Values

    def _value(self) -> int:
        choice = self._rng.random()
        if choice < 0.4:
            return self._rng.randrange(4)
        if choice < 0.7:
            return self._rng.choice(_EDGES)
        if choice < 0.85:
            return int.from_bytes(self._setting.any_address(self._rng), "big")
        return self._rng.getrandbits(self._rng.choice((8, 16, 64, 256)))

    def _slot(self) -> int:
        return self._rng.randrange(5) if self._rng.random() < 0.95 else self._value()

    def _place(self) -> int:
        """A place in memory or in data, or a size: small unless it is to fail."""
        choice = self._rng.random()
        if choice < 0.95:
            return self._rng.choice((0, 0, 1, 4, 31, 32, 33, 64, 100))
        if choice < 0.995:
            return self._rng.randrange(5000)
        return self._rng.choice((2**16, 2**24, 2**32, 2**64 - 1, 2**64, 2**256 - 1))

    def _push_value(self) -> None:
        if self._rng.random() < 0.3:
            self._code.op(self._rng.choice(_NULLARY))
        elif self._rng.random() < 0.2:
            self._code.push(self._place())
            self._code.op(self._rng.choice(("CALLDATALOAD", "MLOAD")))
        else:
            self._code.push(self._value())

    def _consume(self) -> None:
        """Let the value on top of the stack have an effect."""
        choice = self._rng.random()
        if choice < 0.5:
            self._code.push(self._slot())
            self._code.op("SSTORE")
        elif choice < 0.8:
            self._code.push(self._place())
            self._code.op(self._rng.choice(("MSTORE", "MSTORE", "MSTORE8")))
        elif choice < 0.95:
            self._code.op("POP")

    # Statements

    def _calculate(self) -> None:
        self._push_value()
        for _ in range(self._rng.randrange(1, 4)):
            self._operate()
        self._consume()

    def _operate(self) -> None:
        """Make another value of the one on top of the stack."""
        choice = self._rng.random()
        if choice < 0.2:
            self._code.op(self._rng.choice(_UNARY))
        elif choice < 0.85:
            self._push_value()
            self._code.op(self._rng.choice(_BINARY))
        else:
            self._push_value()
            self._push_value()
            self._code.op(self._rng.choice(("ADDMOD", "MULMOD")))

    def _ask_for_ancestor(self) -> None:
        back = self._rng.choice((0, 1, 2, 255, 256, 257))
        self._code.call("BLOCKHASH", (self._setting.block_number - back) % 2**256)
        self._consume()

    def _store(self) -> None:
        if self._rng.random() < 0.25:
            self._code.push(self._slot())
            self._code.op("SLOAD")
            self._consume()
        else:
            value = self._rng.randrange(3) if self._rng.random() < 0.7 else self._value()
            self._code.call("SSTORE", self._slot(), value)

    def _transient(self) -> None:
        if self._rng.random() < 0.5:
            self._code.push(self._slot())
            self._code.op("TLOAD")
            self._consume()
        else:
            self._code.call("TSTORE", self._slot(), self._value())

    def _memory(self) -> None:
        choice = self._rng.random()
        if choice < 0.4:
            self._code.call("MSTORE", self._place(), self._value())
        elif choice < 0.6:
            self._code.call("MSTORE8", self._place(), self._value())
        else:
            self._code.call("MCOPY", self._place(), self._place(), self._place())

    def _copy(self) -> None:
        places = (self._place(), self._place(), self._place())
        name = self._rng.choice(("CALLDATACOPY", "CODECOPY", "RETURNDATACOPY", "EXTCODECOPY"))
        if name == "EXTCODECOPY":
            target = int.from_bytes(self._setting.any_address(self._rng), "big")
            self._code.call(name, target, *places)
        elif name == "RETURNDATACOPY" and self._rng.random() < 0.9:
            self._code.op("RETURNDATASIZE")
            self._code.call(name, self._place(), 0)
        else:
            self._code.call(name, *places)

    def _hash_or_log(self) -> None:
        if self._rng.random() < 0.4:
            self._code.call("KECCAK256", self._place(), self._place())
            self._consume()
        else:
            topics = self._rng.randrange(5)
            values = [self._value() for _ in range(topics)]
            self._code.call(f"LOG{topics}", self._place(), self._place(), *values)

    def _push_gas(self) -> None:
        if self._rng.random() < 0.6:
            self._code.op("GAS")
        else:
            self._code.push(self._rng.choice((0, 1, 700, 2300, 5000, 30_000, 100_000, 2**256 - 1)))

    def _wei(self) -> int:
        return self._rng.choice((0, 0, 0, 1, 1, 7, 10**6, 2**128))

    def _message(self, name: str, target: Address | None, data_at: int, size: int) -> None:
        """Call; without a target, the one whose address is on top of the stack."""
        self._code.push(self._place() % 200, self._place() % 200, size, data_at)
        depth = 4
        if name in ("CALL", "CALLCODE"):
            self._code.push(self._wei())
            depth += 1
        if target is None:
            self._code.dup(depth + 1)
        else:
            self._code.push(int.from_bytes(target, "big"))
        self._push_gas()
        self._code.op(name)

    def _after_call(self) -> None:
        self._consume()
        if self._rng.random() < 0.4:
            self._code.op("RETURNDATASIZE")
            self._consume()
        if self._rng.random() < 0.3:
            self._code.op("RETURNDATASIZE")
            self._code.call("RETURNDATACOPY", self._place() % 200, 0)

    def _call(self) -> None:
        target = self._setting.any_address(self._rng)
        self._message(self._rng.choice(_CALLS), target, self._place(), self._place())
        self._after_call()

    def _call_precompile(self) -> None:
        number = self._rng.choice(FAST)
        data = precompile_input(self._rng, number)
        self._code.load(data, 0)
        target = Address(number.to_bytes(20, "big"))
        self._message(self._rng.choice(_CALLS), target, 0, len(data))
        self._after_call()

    def _call_system_contract(self) -> None:
        number, timestamp = self._setting.block_number, self._setting.timestamp
        asked = self._rng.choice(
            (number, number - 1, number - 2, number - 8191, timestamp, timestamp - 12, 0, 2**255)
        )
        self._code.call("MSTORE", 0, asked % 2**256)
        target = self._rng.choice(self._setting.others[:4])
        size = self._rng.choice((32, 32, 32, 0, 31, 33, 56, 96))
        self._message(self._rng.choice(_CALLS), target, 0, size)
        self._after_call()

    def _create(self) -> None:
        blob = random_init_code(self._rng, self._setting, self._depth - 1)
        self._code.load(blob, 0)
        size = len(blob)
        if self._rng.random() < 0.06:
            size = self._rng.choice((self._place(), 49_152, 49_153))
        if self._rng.random() < 0.5:
            self._code.call("CREATE", self._wei(), 0, size)
        else:
            self._code.call("CREATE2", self._wei(), 0, size, self._rng.randrange(2))
        for _ in range(self._rng.randrange(3)):
            self._message(self._rng.choice(_CALLS), None, self._place(), self._place())
            self._code.op("POP")
        self._consume()

    def _branch(self) -> None:
        label = self._code.new_label()
        if self._rng.random() < 0.97:
            self._push_value()
            self._code.push_label(label)
            self._code.op("JUMPI")
        else:
            self._code.push(self._rng.choice((0, len(self._code), len(self._code) + 2, 2**64)))
            self._code.op("JUMP")
        self._store()
        if self._rng.random() < 0.2:
            self._end()
        self._code.place(label)

    def _loop(self) -> None:
        label = self._code.new_label()
        self._code.push(self._rng.randrange(1, 6))
        self._code.place(label)
        self._store()
        self._code.push(1)
        self._code.swap(1)
        self._code.op("SUB")
        self._code.dup(1)
        self._code.push_label(label)
        self._code.op("JUMPI")

    def _end(self) -> None:
        if self._rng.random() < 0.5:  # only in some of the calls
            label = self._code.new_label()
            self._code.op(self._rng.choice(("CALLER", "CALLVALUE", "CALLDATASIZE", "GAS")))
            self._code.push(self._value())
            self._code.op("GT")
            self._code.push_label(label)
            self._code.op("JUMPI")
            self._finish()
            self._code.place(label)
        else:
            self._finish()

    def _finish(self) -> None:
        choice = self._rng.random()
        if choice < 0.45:
            self._code.call("RETURN", self._place(), self._place())
        elif choice < 0.55:
            self._code.call("REVERT", self._place(), self._place())
        elif choice < 0.75:
            self._push_beneficiary()
            self._code.op("SELFDESTRUCT")
        else:
            self._code.op("STOP" if self._rng.random() < 0.9 else "INVALID")

    def _push_beneficiary(self) -> None:
        if self._rng.random() < 0.3:
            self._code.op(self._rng.choice(("ADDRESS", "CALLER", "COINBASE", "ORIGIN")))
        else:
            self._code.push(int.from_bytes(self._setting.any_address(self._rng), "big"))

    def _stray(self) -> None:
        """Bytes that nothing is expected of, stack juggling among them."""
        choice = self._rng.random()
        if choice < 0.4:
            self._code.dup(self._rng.randrange(1, 17))
        elif choice < 0.8:
            self._code.swap(self._rng.randrange(1, 17))
        else:
            self._code.raw(self._rng.randbytes(self._rng.randrange(1, 5)))


def random_init_code(rng: Random, setting: Setting, depth: int) -> bytes:
    """Return init code: well-behaved, or doing things itself, or deploying what must be refused."""
    choice = rng.random()
    if choice < 0.4:
        return init_code(RandomCode(rng, setting, depth).write(rng.randrange(8)))
    if choice < 0.75:
        return RandomCode(rng, setting, depth).write(rng.randrange(8))
    if choice < 0.85:
        return init_code(rng.choice((b"", b"\xef", b"\xef\x01\x00" + bytes(20), b"\xfe", b"\x5b")))
    code = Bytecode()
    code.call("SSTORE", 1, 1)
    sizes = (24_576, 24_577, 1, 1_000)
    code.call(rng.choice(("RETURN", "REVERT")), 0, rng.choice(sizes))
    return code.assemble()

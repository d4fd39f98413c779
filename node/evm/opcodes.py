"""The opcodes where py-evm's own need a correction, and the tables by fork."""

from collections.abc import Callable, Mapping
from typing import Any

from eth.abc import OpcodeAPI
from eth.exceptions import OutOfGas
from eth.vm.forks.byzantium.opcodes import ensure_no_static
from eth.vm.forks.cancun.logic import selfdestruct_eip6780
from eth.vm.forks.cancun.opcodes import CANCUN_OPCODES
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from eth.vm.forks.shanghai.logic import Create2EIP3860, CreateEIP3860
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.opcode import as_opcode

Opcode = Callable[[Any], Any]
"""Takes a py-evm computation and changes it."""

MAX_INIT_CODE_SIZE = 49_152
"""Bytes of init code that CREATE, CREATE2 and a creating transaction may carry (EIP-3860)."""

_CREATE_GAS = 32_000
_SELFDESTRUCT_GAS = 5_000


class _Create(CreateEIP3860):  # type: ignore[misc]
    """py-evm looks at the init code's size last, after outcomes that do not halt the caller."""

    def get_gas_cost(self, data: Any) -> int:
        _check_init_code(data.memory_length)
        cost: int = super().get_gas_cost(data)
        return cost


class _Create2(Create2EIP3860):  # type: ignore[misc]
    def get_gas_cost(self, data: Any) -> int:
        _check_init_code(data.memory_length)
        cost: int = super().get_gas_cost(data)
        return cost


def _check_init_code(size: int) -> None:
    if size > MAX_INIT_CODE_SIZE:
        raise OutOfGas(f"max initcode size exceeded: {size} bytes, limit {MAX_INIT_CODE_SIZE}")


def _corrected(table: Mapping[int, OpcodeAPI]) -> tuple[Opcode, ...]:
    opcodes = {
        **{number: InvalidOpcode(number) for number in range(256)},
        **table,
        0xF0: _Create.configure("CREATE", mnemonic="CREATE", gas_cost=_CREATE_GAS)(),
        0xF5: _Create2.configure("CREATE2", mnemonic="CREATE2", gas_cost=_CREATE_GAS)(),
        # The same as py-evm's, without its Python warning for each use.
        0xFF: as_opcode(ensure_no_static(selfdestruct_eip6780), "SELFDESTRUCT", _SELFDESTRUCT_GAS),
    }
    # Bound methods, because calling an object goes through C: 1,024 nested calls would be more
    # than what CPython 3.12 allows there, and a RecursionError is no outcome of a transaction.
    return tuple(opcodes[number].__call__ for number in range(256))


CANCUN = _corrected(CANCUN_OPCODES)
PRAGUE = _corrected(PRAGUE_OPCODES)

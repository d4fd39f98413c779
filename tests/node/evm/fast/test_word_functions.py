"""Functions of words against py-evm's, at the edges and at random."""

from collections.abc import Callable
from itertools import product

import pytest
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from hypothesis import given, settings
from hypothesis import strategies as st

from node.evm.fast.word_functions import IN_LOOP, OF_ONE, OF_THREE, OF_TWO
from node.evm.word_stack import WordStack

_EDGES = sorted(
    {
        word % 2**256
        for bits in (0, 1, 3, 5, 7, 8, 15, 16, 128, 247, 248, 254, 255, 256)
        for word in (2**bits - 1, 2**bits, 2**bits + 1, -(2**bits))
    }
    | {30, 31, 32, 33, 255, 256, 257}
)
_WORDS = st.one_of(st.sampled_from(_EDGES), st.integers(0, 2**256 - 1), st.integers(0, 300))


class _Operands:
    """The stack alone, by the names that py-evm's functions use."""

    def __init__(self, *operands: int) -> None:
        stack = WordStack()
        stack.values = list(reversed(operands))
        self.result = stack.values
        self.stack_pop_ints = stack.pop_ints
        self.stack_pop1_int = stack.pop1_int
        self.stack_push_int = stack.push_int


def _reference(opcode: int, *operands: int) -> int:
    given_operands = _Operands(*operands)
    PRAGUE_OPCODES[opcode].logic_fn(given_operands)
    (result,) = given_operands.result
    return result


_ALL_OF_TWO = OF_TWO | IN_LOOP


@pytest.mark.parametrize("opcode", OF_ONE)
def test_functions_of_one_word(opcode: int) -> None:
    for word in _EDGES:
        assert OF_ONE[opcode](word) == _reference(opcode, word)


@pytest.mark.parametrize("opcode", _ALL_OF_TWO)
def test_functions_of_two_words_at_the_edges(opcode: int) -> None:
    function = _ALL_OF_TWO[opcode]
    for left, right in product(_EDGES, _EDGES):
        assert function(left, right) == _reference(opcode, left, right), (left, right)


@settings(max_examples=300)
@given(st.sampled_from(sorted(_ALL_OF_TWO)), _WORDS, _WORDS)
def test_functions_of_two_words(opcode: int, left: int, right: int) -> None:
    assert _ALL_OF_TWO[opcode](left, right) == _reference(opcode, left, right)


@settings(max_examples=300)
@given(st.sampled_from(sorted(OF_THREE)), _WORDS, _WORDS, _WORDS)
def test_functions_of_three_words(opcode: int, left: int, right: int, modulus: int) -> None:
    function: Callable[[int, int, int], int] = OF_THREE[opcode]
    assert function(left, right, modulus) == _reference(opcode, left, right, modulus)

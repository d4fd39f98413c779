import pytest
from eth.exceptions import FullStack, InsufficientStack, VMError
from eth.vm.stack import Stack
from hypothesis import given
from hypothesis import strategies as st

from node.evm.word_stack import STACK_LIMIT, WordStack

WORDS = st.integers(0, 2**256 - 1)
STEPS = st.one_of(
    st.tuples(st.just("push_int"), WORDS),
    st.tuples(st.just("push_bytes"), st.binary(max_size=32)),
    st.tuples(st.sampled_from(["pop1_int", "pop1_bytes", "pop1_any"])),
    st.tuples(st.sampled_from(["pop_ints", "pop_bytes", "pop_any"]), st.integers(1, 7)),
    st.tuples(st.sampled_from(["swap", "dup"]), st.integers(1, 16)),
)


def as_words(result: object) -> object:
    """What py-evm answers, whose items may be bytes of any length or integers."""
    if isinstance(result, tuple):
        return tuple(as_words(item) for item in result)
    return int.from_bytes(result, "big") if isinstance(result, bytes) else result


@given(st.lists(STEPS, max_size=60))
def test_does_what_py_evms_stack_does(steps: list[tuple[str, object]]) -> None:
    ours, theirs = WordStack(), Stack()
    for name, *arguments in steps:
        try:
            expected = getattr(theirs, name)(*arguments)
        except VMError as error:
            with pytest.raises(type(error)):
                getattr(ours, name)(*arguments)
        else:
            assert as_words(getattr(ours, name)(*arguments)) == as_words(expected)
        assert ours.values == [as_words(item) for item in theirs.values]


@pytest.mark.parametrize(("name", "argument"), [("push_int", 1), ("push_bytes", b"1"), ("dup", 1)])
def test_holds_1024_words(name: str, argument: object) -> None:
    stack = WordStack()
    for value in range(STACK_LIMIT):
        stack.push_int(value)
    with pytest.raises(FullStack):
        getattr(stack, name)(argument)
    assert stack.values == list(range(STACK_LIMIT))


def test_bytes_come_back_as_whole_words() -> None:
    stack = WordStack()
    stack.push_bytes(b"\x01\x02")
    assert stack.pop1_bytes() == bytes(30) + b"\x01\x02"


def test_a_swap_too_deep_changes_nothing() -> None:
    stack = WordStack()
    stack.push_int(1)
    with pytest.raises(InsufficientStack):
        stack.swap(1)
    assert stack.values == [1]

"""SSTORE with its price and refunds (EIP-2200 with the numbers of EIP-2929 and EIP-3529)."""

from node.evm.fast.call_frame import CallFrame

COLD_SLOT_SURCHARGE = 2_000
"""The first SLOAD of a slot costs 2,100 rather than 100."""

_FAILED = -1
_SENTRY = 2_300
"""With so little gas, a call's stipend, nothing is written."""
_COLD = 2_100
_WARM = 100
_SET = 20_000
_RESET = 2_900
_CLEAR_REFUND = 4_800


def store(frame: CallFrame, gas: int, gas_ahead: int) -> int:
    """Do an SSTORE and return the gas left after it, negative if it fails; see `rare`.

    `gas_ahead` is what has been charged too early: 100 for itself, and what follows it.
    """
    if frame.is_static or gas + gas_ahead <= _SENTRY:
        return _FAILED
    state, address, stack = frame.state, frame.address, frame.stack
    slot, value = stack[-1], stack[-2]
    current = state.get_storage(address, slot)
    original = state.get_storage(address, slot, from_journal=False)
    if current == original != value:
        gas -= (_RESET if original else _SET) - _WARM
    is_cold = not state.is_storage_warm(address, slot)
    if is_cold:
        gas -= _COLD
    if gas < 0:
        return _FAILED
    del stack[-2:]
    if is_cold:
        state.mark_storage_warm(address, slot)
    if value != current:
        state.refund += _refund(original, current, value)
        state.set_storage(address, slot, value)
    return gas


def _refund(original: int, current: int, value: int) -> int:
    """Return what a change of a slot adds to the refund counter; `current` is not `value`."""
    if current == original:
        return _CLEAR_REFUND if original and not value else 0
    refund = 0
    if original and not current:
        refund -= _CLEAR_REFUND
    elif original and not value:
        refund += _CLEAR_REFUND
    if value == original:
        refund += (_RESET if original else _SET) - _WARM
    return refund

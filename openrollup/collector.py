"""How often Python looks for reference cycles, in a process that runs blocks.

A block makes hundreds of thousands of objects that live until it is stored, and no cycles. Looking
through them every 700 objects costs a tenth of the time of an ERC-20 block (`bench execution`).
Cycles come from errors and from connections, a few dozen objects each: they can wait.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50


def tune_collector() -> None:
    """Look for cycles when 50,000 objects have come that are still there, not 700."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)

"""Work in a process of its own, forked where there are no threads."""

import os
import sys
import traceback
from collections.abc import Callable


def fork(work: Callable[[], None], closing: int | None = None) -> int:
    """Start work and return its process; its exit code is 0, or 1 with a trace if it failed.

    `closing` is a descriptor that is not the new process's business.
    """
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        if closing is not None:
            os.close(closing)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - the exit code says it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)

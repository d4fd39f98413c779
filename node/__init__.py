"""The execution layer: state, blocks and the rules that connect them.

`ETH_HASH_BACKEND` is read once, when `eth_hash` is first imported. The C implementation is about
six times faster than the default, so the choice is made here, before anything can import it.
"""

import os

os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

"""The test suite mirrors the source. `node` is imported first: it chooses the hash backend."""

import node  # noqa: F401

"""Tests of the Solidity contracts, run from their committed artifacts."""

import node  # noqa: F401  (chooses the hash backend before anything imports it)

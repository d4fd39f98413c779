"""From a parent block and transactions to the next block."""

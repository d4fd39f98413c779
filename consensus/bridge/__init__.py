"""OPEN between L1 and L2: deposits, withdrawals and their proofs, over JSON-RPC alone."""

"""JSON-RPC: what wallets and tools talk to."""

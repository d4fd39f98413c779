"""Real wallets and tools against a running node."""

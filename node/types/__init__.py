"""Values that the whole project shares: hashes, transactions, receipts, blocks."""

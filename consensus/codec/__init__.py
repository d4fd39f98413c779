"""The wire formats that batches travel to L1 in."""

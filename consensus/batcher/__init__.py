"""Publishing L2 blocks to L1."""

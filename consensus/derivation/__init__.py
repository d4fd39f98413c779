"""The pull pipeline from L1 blocks to payload attributes."""

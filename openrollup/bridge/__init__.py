"""`openrollup bridge`: OPEN from L1 to L2 and back, one command for each step."""

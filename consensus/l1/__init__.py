"""Reading from L1 and sending to it."""

"""L1, derivation, sequencing and batching: which blocks there are."""

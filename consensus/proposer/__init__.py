"""Output roots on L1: proposing them, and taking wrong ones back."""

"""Random Prague blocks, executed by us and by the Python execution specs, and compared."""

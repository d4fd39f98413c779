"""The commands of `openrollup attribution`."""

"""The eth namespace, by noun."""

"""One module a namespace."""

"""A rollup inside a test."""

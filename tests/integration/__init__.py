"""Whole processes against each other: what an operator runs, and what can happen to it."""

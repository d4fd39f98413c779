"""Durability: what is left of a store after its writer was killed, or its machine lost power."""

"""Hostile input for derivation: valid examples, changed at one level each.

`python -m tests.consensus.fuzz --inputs N --seed S` is the long form.
"""

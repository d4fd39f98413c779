"""Measurements: this node beside its peers, both sides in one run. `python -m bench` lists them."""

"""The interpreters that can stand behind `node.evm.interpreter.run_message`, by name."""

INTERPRETERS = ("reference",)
"""What `--evm` can name; `reference` is the one that runs where nothing else is chosen."""

"""The EVM: everything that touches py-evm."""

"""Accounts, storage and the tries that commit to them."""

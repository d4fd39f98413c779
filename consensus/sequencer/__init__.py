"""Choosing L1 origins and building unsafe blocks."""

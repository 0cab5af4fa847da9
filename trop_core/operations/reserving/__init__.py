"""Reserving one port for one key, and giving it back."""

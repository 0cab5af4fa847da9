"""Letting the system fail."""
